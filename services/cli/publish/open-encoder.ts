// How a change becomes a record's value: Avro in Confluent framing, or JSON. Enter: the format and, for Avro, the registry.
// Leave: a function of changes. The schema is registered once, under `<topic>-value`.
import type { Millis } from '../../shared/clock.ts'
import type { Change, SourceKind } from '../../shared/change.ts'
import { schemaText } from '../../shared/registry/change-schemas.ts'
import { frameChange } from '../../shared/registry/encode-change.ts'
import { openSchemaRegistry, RegistryError } from '../../shared/registry/schema-registry.ts'
import type { RegistrySettings } from '../../shared/settings.ts'
import { renderWireDocument } from '../../shared/wire/render-document.ts'
import { ClusterError, silentLog } from '../cluster.ts'
import { withinDeadline } from '../within-deadline.ts'

export type Encode = (change: Change) => Buffer

export const encodeJson: Encode = (change) => Buffer.from(JSON.stringify(renderWireDocument(change)))

/** @throws ClusterError when the registry does not answer in time; RegistryError when it refuses the schema */
export async function openAvroEncoder(
  registry: RegistrySettings,
  source: SourceKind,
  topic: string,
  timeout: Millis,
  signal: AbortSignal,
): Promise<Encode> {
  const unreachable = (why: string) =>
    new ClusterError(
      `no answer from the schema registry at ${registry.url}: ${why}\n` +
        'Check SCHEMA_REGISTRY_URL, or publish without it: --format json.',
    )
  const registering = openSchemaRegistry(registry, silentLog()).register(`${topic}-value`, schemaText(source))
  try {
    const schemaId = await withinDeadline(registering, timeout, signal, () => unreachable('it took too long'))
    return (change) => frameChange(source, change, schemaId)
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'REGISTRY_UNAVAILABLE') throw unreachable(error.message)
    throw error
  }
}
