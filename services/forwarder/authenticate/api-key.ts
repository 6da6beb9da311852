// A key in a header of the connection's choosing.
import type { HeaderLine } from '../render-request.ts'

export const apiKey = (header: string, value: string): HeaderLine => [header, value]
