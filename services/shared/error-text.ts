// Whatever was thrown → one line for a log.

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))
