// The Avro schemas of the source topics, as schemas/*.avsc holds them: what Onward registers and writes.
// Publishers may write with any schema that resolves to these.
import { readFileSync } from 'node:fs'
import type { SourceKind } from '../change.ts'

const FILES: Readonly<Record<SourceKind, string>> = {
  forms: 'form-change.avsc',
  cases: 'case-change.avsc',
  apps: 'app-change.avsc',
}

/** The schema as JSON text, in the file's own layout. */
export const schemaText = (source: SourceKind): string =>
  readFileSync(new URL(`../../../schemas/${FILES[source]}`, import.meta.url), 'utf8')
