// HTTP Basic (RFC 7617), pre-emptive, with the user name and password in UTF-8.
import type { HeaderLine } from '../render-request.ts'

export const basic = (username: string, password: string): HeaderLine => [
  'Authorization',
  `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`,
]
