// How a load's documents become record values: Avro in Confluent framing when there is a registry, JSON when there is none.
import { openLog } from '../../services/shared/log.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { schemaText } from '../../services/shared/registry/change-schemas.ts'
import { encodeChange } from '../../services/shared/registry/encode-change.ts'
import { openSchemaRegistry } from '../../services/shared/registry/schema-registry.ts'
import type { WireDocument } from '../../services/shared/wire/read-document.ts'

export type Encoder = (document: WireDocument) => Buffer

/** @param topic its schema is registered under `<topic>-value` */
export async function openEncoder(registryUrl: string | null, topic: string): Promise<Encoder> {
  if (registryUrl === null) return (document) => Buffer.from(JSON.stringify(document))
  const log = openLog(process.stderr, 'error', 'bench', systemClock)
  const registry = openSchemaRegistry({ url: registryUrl, username: null, password: null }, log)
  const schemaId = await registry.register(`${topic}-value`, schemaText('cases'))
  return (document) => encodeChange('cases', document, schemaId)
}
