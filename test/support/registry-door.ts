// The way to the registry, which can be shut: it has a schema for cases that no forwarder knows yet.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { systemClock } from '../../services/shared/clock.ts'
import { openLog } from '../../services/shared/log.ts'
import { schemaText } from '../../services/shared/registry/change-schemas.ts'
import { openSchemaRegistry } from '../../services/shared/registry/schema-registry.ts'
import { openDoor, type Door } from './door.ts'
import type { Ground } from './ground.ts'

export type RegistryDoor = Door & {
  /** For `SCHEMA_REGISTRY_URL`. */
  readonly url: string
  readonly schemaId: number
}

/** @returns a door that is closed */
export async function openRegistryDoor(t: TestContext, { registryUrl, topics }: Ground): Promise<RegistryDoor> {
  assert.ok(registryUrl)
  const log = openLog({ write: () => undefined }, 'error', 'test', systemClock)
  const registry = openSchemaRegistry({ url: registryUrl, username: null, password: null }, log)
  const schemaId = await registry.register(`${topics.cases}-value`, schemaText('cases'))
  const { port, pathname } = new URL(registryUrl)
  const door = await openDoor(t, Number(port))
  return { ...door, url: `http://127.0.0.1:${door.port}${pathname}`, schemaId }
}
