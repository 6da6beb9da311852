// When a change was handed to the producer, written into its body: so that whoever receives it knows how long that took.
import type { Document } from './publish-load.ts'

/** As the body that Onward renders says it. */
export const SENT_AT = '"sent_at":"'

/** @returns the document with the instant of now: microseconds of the clock that all processes of a machine share */
export function stamp(document: Document): Document {
  const properties = document['properties'] as Readonly<Record<string, string>>
  return { ...document, properties: { ...properties, sent_at: String(process.hrtime.bigint() / 1_000n) } }
}
