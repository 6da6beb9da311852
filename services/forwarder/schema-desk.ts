// Which writer schemas are known. Enter: a schema id that a record needs. Leave: its reader, or its condemnation, in `readers`.
// MUST: an outage of the registry condemns nothing and is waited for; only its own "no such schema", held for `patience`, does.
import { assertNever } from '../shared/assert-never.ts'
import type { Clock, Millis } from '../shared/clock.ts'
import type { Log } from '../shared/log.ts'
import type { ChangeReader } from '../shared/registry/change-reader.ts'
import { openSchemaRegistry, type FetchedSchema } from '../shared/registry/schema-registry.ts'
import type { Settings } from '../shared/settings.ts'

const ASK_AGAIN_AFTER: Millis = 1_000
/** A condemned id is asked for again after this: somebody may have registered it since. */
const CONDEMNED_FOR: Millis = 60_000

export type FetchSchema = (id: number, signal: AbortSignal) => Promise<FetchedSchema>

type Options = {
  readonly fetchSchema: FetchSchema
  /** How long an id that the registry does not know is asked for before its records are unreadable. */
  readonly patience: Millis
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

export class SchemaDesk {
  readonly readers = new Map<number, ChangeReader>()
  readonly #asked = new Map<number, Promise<void>>()
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  /** Resolves when `readers` knows the id, or the signal aborted. Asked for once however many wait. */
  learn(id: number): Promise<void> {
    let asked = this.#asked.get(id)
    if (!asked) {
      asked = this.#ask(id).finally(() => this.#asked.delete(id))
      this.#asked.set(id, asked)
    }
    return asked
  }

  async #ask(id: number): Promise<void> {
    const { fetchSchema, patience, clock, log, signal } = this.#options
    const since = clock.monotonic()
    while (!signal.aborted) {
      const answer = await fetchSchema(id, signal)
      const waited = Math.round(clock.monotonic() - since)
      switch (answer.kind) {
        case 'fetched':
          this.readers.set(id, answer.reader)
          return
        case 'unusable':
          this.#condemn(id, 'schema-unusable', answer.error)
          return
        case 'unknown':
          if (waited >= patience) {
            this.#condemn(id, 'unknown-schema', `the registry has no schema ${id}`)
            return
          }
          log.warn('schema-unknown', { schema: id, waited, patience })
          break
        case 'unavailable':
          log.warn('registry-unavailable', { schema: id, waited, error: answer.error })
          break
        default:
          assertNever(answer)
      }
      await clock.sleep(ASK_AGAIN_AFTER, signal)
    }
  }

  #condemn(id: number, cause: 'unknown-schema' | 'schema-unusable', error: string): void {
    const { clock, log, signal } = this.#options
    log.error('schema-condemned', { schema: id, cause, error })
    this.readers.set(id, { kind: 'condemned', cause, error })
    const cancel = clock.after(CONDEMNED_FOR, () => {
      signal.removeEventListener('abort', cancel)
      this.readers.delete(id)
    })
    signal.addEventListener('abort', cancel, { once: true })
  }
}

export function openSchemaSource({ registry }: Pick<Settings, 'registry'>, log: Log): FetchSchema {
  if (!registry) return async () => ({ kind: 'unusable', error: 'SCHEMA_REGISTRY_URL is not set: only JSON is read' })
  const opened = openSchemaRegistry(registry, log)
  return (id, signal) => opened.fetchSchema(id, signal)
}
