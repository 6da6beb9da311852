// The door to the registry client: one call, with a client of its own, bounded in time.
// Enter: where the registry is, what to call. Leave: what the client returns or throws, or one of the two errors below.
// The client waits for ever for a body that was cut, hands a request that hangs to all who ask for that id later, and takes
// a proxy's page for a schema; and it merges its `retry` option into defaults that all its instances share.
import { SchemaRegistry as RegistryClient, SchemaType } from '@kafkajs/confluent-schema-registry'
import type { Millis } from '../clock.ts'
import { LOGICAL_TYPES } from './logical-types.ts'

export type SchemaRegistrySettings = {
  /** With the path of its Confluent API, if it has one: `http://localhost:8080/apis/ccompat/v7`. */
  readonly url: string
  readonly username: string | null
  readonly password: string | null
}

/** What a call has seen so far of what the client does not tell. */
export type Seen = {
  /** True once the registry gave a schema: what fails after that fails at the schema. */
  schema: boolean
  /** The registry's own code of the last failure. Absent when it was not the registry that failed, or answered. */
  errorCode: number | undefined
}
export const nothingSeen = (): Seen => ({ schema: false, errorCode: undefined })

/** A registry and how long one call to it may take. */
export type Remote = SchemaRegistrySettings & { readonly callLimit: Millis }

/** What is behind the URL answers, and not as a registry does. */
class NoRegistryError extends Error {
  readonly code = 'NO_REGISTRY'
  override readonly name = 'NoRegistryError'
}

export class CallLimitError extends Error {
  readonly code = 'CALL_LIMIT'
  override readonly name = 'CallLimitError'
}

/**
 * @throws CallLimitError after the limit: the client's promise may never settle, so it is left behind and its socket closed
 * @throws NoRegistryError
 */
export async function callRegistry<Answer>(
  remote: Remote,
  call: (client: RegistryClient) => Promise<Answer>,
  seen: Seen = nothingSeen(),
): Promise<Answer> {
  // The network's time, not the program's: no decision depends on it, and no test turns it.
  const signal = AbortSignal.timeout(remote.callLimit)
  return await new Promise<Answer>((resolve, reject) => {
    const giveUp = (): void => reject(new CallLimitError(`the registry did not answer within ${remote.callLimit} ms`))
    signal.addEventListener('abort', giveUp, { once: true })
    call(openClient(remote, signal, seen)).then(resolve, reject)
  })
}

function openClient({ url, username, password, callLimit }: Remote, signal: AbortSignal, seen: Seen): RegistryClient {
  const outermost: Middleware = ({ resourceName, resourceMethod }) => ({
    prepareRequest: async (next) => (await next()).enhance({ signal, timeout: callLimit }),
    response: async (next) => {
      const response = await next()
      // A proxy's page with status 200 would come out of the client as a schema that cannot be parsed.
      if (resourceName === 'Schema' && resourceMethod === 'find') {
        seen.schema = hasSchema(response.data())
        if (!seen.schema) {
          throw new NoRegistryError(
            `${response.request().url()} answers, and not with a schema: is it a registry's URL?`,
          )
        }
      }
      return response
    },
  })
  const innermost: Middleware = () => ({
    response: (next) =>
      next().catch((failed: unknown) => {
        if (!isResponse(failed)) throw failed
        const body = readBody(failed.rawData())
        seen.errorCode = errorCodeOf(body)
        // The client looks for a message in the body, and for one that is `null` in the wrong place: it would end the process.
        throw body === null ? failed.enhance({ rawData: '""' }) : failed
      }),
  })
  const client = new RegistryClient(
    {
      host: url.replace(/\/+$/, ''),
      clientId: 'onward',
      // Set for the whole process whatever is given here: the client merges it into its own defaults. We are its only user.
      retry: { retries: 0 },
      ...(username !== null && password !== null && { auth: { username, password } }),
      middlewares: [outermost],
    },
    { [SchemaType.AVRO]: { logicalTypes: LOGICAL_TYPES } },
  )
  // Those that are given to it come last, behind the one that turns responses into errors.
  apiOf(client)._manifest.middleware.unshift(innermost)
  return client
}

type Middleware = NonNullable<ConstructorParameters<typeof RegistryClient>[0]['middlewares']>[number]

type FailedResponse = {
  rawData(): string | null
  enhance(changes: { readonly rawData: string }): unknown
}

const isResponse = (failed: unknown): failed is FailedResponse =>
  typeof failed === 'object' && failed !== null && 'rawData' in failed && 'enhance' in failed

const hasSchema = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'schema' in body && typeof body.schema === 'string'

const errorCodeOf = (body: unknown): number | undefined =>
  typeof body === 'object' && body !== null && 'error_code' in body && typeof body.error_code === 'number'
    ? body.error_code
    : undefined

/** @returns undefined when it is not JSON */
function readBody(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/** What the client keeps to itself. */
type RegistryApi = {
  readonly _manifest: { readonly middleware: Middleware[] }
  readonly Subject: {
    updateConfig(parameters: {
      readonly subject: string
      readonly body: { readonly compatibility: string }
    }): Promise<unknown>
  }
}
export const apiOf = (client: RegistryClient): RegistryApi => (client as unknown as { readonly api: RegistryApi }).api

/** The client's errors carry the response's status; 400 may also mean that there was none. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined
  return typeof error.status === 'number' ? error.status : undefined
}
