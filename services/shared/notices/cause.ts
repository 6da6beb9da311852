// Why a connection fails, in so few words that connections with the same trouble have the same. Pure.
// A name that cannot be resolved, or a proxy that answers for all: then the host in the text differs, and the cause does not.
import type { NoticeFacts } from './notice.ts'

const CODE = /\b(E[A-Z_]{4,}|UND_ERR_[A-Z_]+|CERT_[A-Z_]+|ERR_[A-Z_]+|[A-Z]+_[A-Z_]{4,})\b/

export function causeOf({ last, reason }: Pick<NoticeFacts, 'last' | 'reason'>): string {
  // That it failed too often is why its breaker opened, and no cause.
  if (reason !== null && reason !== 'failures') return reason
  if (last === null) return 'unknown'
  if (last.status !== null) return last.text === '' ? `${last.status}` : last.text
  return CODE.exec(last.text)?.[1] ?? last.outcome
}
