// Why a delivery will not be tried again by itself. Fixed: it is a header's value, a metric's label and what people filter by.

export const DEAD_LETTER_REASONS = [
  'rejected',
  'exhausted',
  'redirected',
  'unreadable',
  'payload',
  'cancelled',
] as const
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]
