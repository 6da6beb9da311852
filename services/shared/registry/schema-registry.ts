// The schema registry. Enter: a schema id, or a schema to register. Leave: a compiled reader, or which of three things went wrong.
// Never: takes an outage for an unknown schema, though the client calls a refused connection status 400; asks twice for one id.
import { COMPATIBILITY, SchemaType } from '@kafkajs/confluent-schema-registry'
import type { Millis } from '../clock.ts'
import { errorText } from '../error-text.ts'
import type { Log } from '../log.ts'
import { safeText } from '../wire/unreadable.ts'
import { compileReader, type SchemaReader } from './change-reader.ts'
import { readAvroSchema } from './logical-types.ts'
import {
  apiOf,
  CallLimitError,
  callRegistry,
  nothingSeen,
  statusOf,
  type Remote,
  type SchemaRegistrySettings,
} from './registry-client.ts'

export type FetchedSchema =
  | { readonly kind: 'fetched'; readonly reader: SchemaReader }
  /** The registry answers, and has no such id. */
  | { readonly kind: 'unknown' }
  /** Nothing is known about the id: ask again later. */
  | { readonly kind: 'unavailable'; readonly error: string }
  /** Not Avro, or not to be resolved to our records: so for ever, since an id never changes its schema. */
  | { readonly kind: 'unusable'; readonly error: string }

export type SchemaRegistry = {
  /** One request an id, however many wait; a final answer is kept. An abort ends the caller's wait as `unavailable`. */
  readonly fetchSchema: (id: number, signal: AbortSignal) => Promise<FetchedSchema>
  /**
   * Registers an Avro schema under BACKWARD_TRANSITIVE: who reads with it can read all that was written before it.
   * @returns its id; the same schema has the same id
   * @throws RegistryError
   */
  readonly register: (subject: string, schemaText: string) => Promise<number>
}

export class RegistryError extends Error {
  readonly code: 'REGISTRY_UNAVAILABLE' | 'SCHEMA_REFUSED'
  override readonly name = 'RegistryError'

  constructor(code: RegistryError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Bounds one call, whatever the registry does: refuse, hang, or send a byte a second. A partition waits so long at most. */
const CALL_LIMIT: Millis = 10_000
/** Registrations of one subject at once meet in the registry, and the later ones get a 409 that means nothing. */
const REGISTER_ATTEMPTS = 6
/** The Confluent API's code for `schema not found`. */
const SCHEMA_NOT_FOUND = 40403

/** @param callLimit bounds one call, in milliseconds */
export function openSchemaRegistry(
  settings: SchemaRegistrySettings,
  log: Log,
  callLimit: Millis = CALL_LIMIT,
): SchemaRegistry {
  const remote: Remote = { ...settings, callLimit }
  const asked = new Map<number, Promise<FetchedSchema>>()

  const ask = async (id: number): Promise<FetchedSchema> => {
    const answer = await fetchOnce(remote, id)
    if (answer.kind === 'unknown' || answer.kind === 'unavailable') asked.delete(id)
    else log.info('schema-fetched', { schema: id, result: answer.kind })
    return answer
  }
  return {
    fetchSchema: (id, signal) => {
      let answer = asked.get(id)
      if (!answer) asked.set(id, (answer = ask(id)))
      return orAborted(answer, signal)
    },
    register: (subject, schemaText) => register(remote, subject, schemaText),
  }
}

function orAborted(answer: Promise<FetchedSchema>, signal: AbortSignal): Promise<FetchedSchema> {
  return new Promise((resolve) => {
    const giveUp = (): void => resolve({ kind: 'unavailable', error: 'the wait was aborted' })
    if (signal.aborted) return giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    const settle = (value: FetchedSchema): void => {
      signal.removeEventListener('abort', giveUp)
      resolve(value)
    }
    answer.then(settle, (error: unknown) => settle({ kind: 'unavailable', error: safeText(errorText(error)) }))
  })
}

async function fetchOnce(remote: Remote, id: number): Promise<FetchedSchema> {
  const seen = nothingSeen()
  try {
    const schema = readAvroSchema(await callRegistry(remote, (client) => client.getSchema(id), seen))
    if (!schema) return { kind: 'unusable', error: `schema ${id} is not Avro` }
    const compiled = compileReader(schema)
    return compiled.kind === 'compiled' ? { kind: 'fetched', reader: compiled.reader } : compiled
  } catch (error) {
    const text = safeText(errorText(error))
    const status = statusOf(error)
    if (status === undefined && seen.schema && !(error instanceof CallLimitError)) {
      return { kind: 'unusable', error: `schema ${id} cannot be used: ${text}` }
    }
    // The registry's own code: a proxy without a backend and a URL with a wrong path answer 404 too. Once the schema was
    // given, what is not found is one that it refers to.
    if (status === 404 && seen.errorCode === SCHEMA_NOT_FOUND && !seen.schema) return { kind: 'unknown' }
    const hint = status === 404 ? ' (does SCHEMA_REGISTRY_URL end with the path of its Confluent API?)' : ''
    return { kind: 'unavailable', error: text + hint }
  }
}

async function register(remote: Remote, subject: string, schemaText: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await callRegistry(remote, async (client) => {
        // Before the first version: a new subject has the registry's own rule (Apicurio: NONE), and the client compares.
        await apiOf(client).Subject.updateConfig({
          subject,
          body: { compatibility: COMPATIBILITY.BACKWARD_TRANSITIVE },
        })
        const schema = { type: SchemaType.AVRO, schema: schemaText } as const
        return (await client.register(schema, { subject, compatibility: COMPATIBILITY.BACKWARD_TRANSITIVE })).id
      })
    } catch (error) {
      const text = safeText(errorText(error))
      const status = statusOf(error)
      if (status === 409 && /already exists/i.test(text) && attempt < REGISTER_ATTEMPTS) continue
      if (status === 409 || status === 422) throw new RegistryError('SCHEMA_REFUSED', `${subject}: ${text}`)
      throw new RegistryError('REGISTRY_UNAVAILABLE', `${remote.url}: ${text}`)
    }
  }
}
