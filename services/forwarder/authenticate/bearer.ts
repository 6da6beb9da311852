// A fixed bearer token (RFC 6750).
import type { HeaderLine } from '../render-request.ts'

export const bearer = (token: string): HeaderLine => ['Authorization', `Bearer ${token}`]
