// One line of a service's log → an event. Pure. Enter: a line. Leave: its name, level and fields; undefined when it is none.

export type LogEvent = {
  readonly event: string
  readonly level: string
  readonly at: string
  readonly fields: Readonly<Record<string, unknown>>
}

export function readLogEvent(line: string): LogEvent | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const { at, level, event, ...fields } = JSON.parse(line) as Record<string, unknown>
    return typeof event === 'string' && typeof level === 'string' && typeof at === 'string'
      ? { event, level, at, fields }
      : undefined
  } catch {
    return undefined
  }
}

/** A field as text; the empty text when there is none. */
export function fieldText({ fields }: LogEvent, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}
