import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { readChange, type ChangeReader } from '../../../services/shared/read-change/read-change.ts'
import { encodeChange } from '../../../services/shared/registry/encode-change.ts'
import { schemaText } from '../../../services/shared/registry/change-schemas.ts'
import {
  openSchemaRegistry,
  RegistryError,
  type SchemaRegistry,
} from '../../../services/shared/registry/schema-registry.ts'
import { readDocument } from '../../../services/shared/wire/read-document.ts'
import { silentLog } from '../../support/kafka-ground.ts'
import { sharedStack, uniqueName } from '../../support/stack.ts'
import { aCaseDocument, aDocument } from '../wire/wire-documents.ts'
import { editedSchema, framed, ourSchema, type AvroFieldText } from './writer-schema.ts'

const PATIENT = new AbortController().signal

/** The registry of this run; failing here is failing the test. */
async function realRegistry(): Promise<{ registry: SchemaRegistry; url: string }> {
  const { registryUrl } = await sharedStack()
  assert.ok(registryUrl)
  return { url: registryUrl, registry: openAt(registryUrl) }
}
const openAt = (url: string, callLimit?: number): SchemaRegistry =>
  openSchemaRegistry({ url, username: null, password: null }, silentLog, callLimit)

/** A server that answers as it is told, and counts. */
async function scripted(t: TestContext, answer: RequestListener): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

const replying =
  (status: number, body: unknown, type = 'application/json'): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'Content-Type': type })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

const optional = (name: string, type: unknown): AvroFieldText => ({ name, type: ['null', type], default: null })

// ── the real registry ─────────────────────────────────────────────────────────────────────────────────────────────────

for (const source of ['forms', 'cases', 'apps'] as const) {
  test(`the schema of ${source} is registered under BACKWARD_TRANSITIVE, and what it writes is read by its id`, async () => {
    const { registry, url } = await realRegistry()
    const subject = `${uniqueName(source)}-value`
    const id = await registry.register(subject, schemaText(source))
    assert.equal(await registry.register(subject, schemaText(source)), id)
    const config: unknown = await (await fetch(`${url}/config/${subject}`)).json()
    assert.deepEqual(config, { compatibilityLevel: 'BACKWARD_TRANSITIVE' })

    const fetched = await registry.fetchSchema(id, PATIENT)
    assert.ok(fetched.kind === 'fetched')
    const read = readChange(source, encodeChange(source, aDocument[source](), id), new Map([[id, fetched.reader]]))
    assert.deepEqual(read, { kind: 'read', change: readDocument(source, aDocument[source]()) })
  })
}

test('a new optional field is accepted, and what breaks a reader of any older version is refused', async () => {
  const { registry } = await realRegistry()
  const subject = `${uniqueName('cases')}-value`
  const register = (schema: unknown) => registry.register(subject, JSON.stringify(schema))
  const first = editedSchema('cases', (fields) => [...fields, { name: 'village', type: 'string' }])
  const second = ourSchema('cases')
  await register(first)
  await register(second)
  await register(editedSchema('cases', (fields) => [...fields, optional('region', 'string')]))

  // Readable against the last two versions, which lack the field; not against the first, where it is text.
  const twoBack = editedSchema('cases', (fields) => [...fields, { name: 'village', type: 'long', default: 0 }])
  const refused = (error: unknown) => error instanceof RegistryError && error.code === 'SCHEMA_REFUSED'
  await assert.rejects(register(twoBack), refused)
  const withoutDefault = editedSchema('cases', (fields) => [...fields, { name: 'later', type: 'string' }])
  await assert.rejects(register(withoutDefault), refused)
})

test('records of an older and of a newer schema are read, each by its own id', async () => {
  const { registry } = await realRegistry()
  const subject = `${uniqueName('apps')}-value`
  const older = editedSchema('apps', (fields) => fields.filter((field) => field.name !== 'build_id'))
  const newer = editedSchema('apps', (fields) => [optional('later', 'double'), ...fields])
  const app = { project: 'demo', app_id: 'app-1', build_id: null, saved_on: 7, later: 1.5 }
  const readers = new Map<number, ChangeReader>()
  for (const schema of [older, ourSchema('apps'), newer]) {
    const id = await registry.register(subject, JSON.stringify(schema))
    const fetched = await registry.fetchSchema(id, PATIENT)
    assert.ok(fetched.kind === 'fetched')
    readers.set(id, fetched.reader)
    const read = readChange('apps', framed(schema, app, id), readers)
    assert.deepEqual(read, {
      kind: 'read',
      change: { kind: 'app', project: 'demo', appId: 'app-1', buildId: null, savedOn: 7 },
    })
  }
  assert.equal(readers.size, 3)
})

test('an id that the registry does not have is unknown', async () => {
  const { registry } = await realRegistry()
  assert.deepEqual(await registry.fetchSchema(2_000_000_000, PATIENT), { kind: 'unknown' })
})

test('a schema of something else is unusable, and says what it is', async () => {
  const { registry } = await realRegistry()
  const patient = {
    type: 'record',
    name: 'Patient',
    namespace: 'com.example',
    fields: [{ name: 'id', type: 'string' }],
  }
  const id = await registry.register(`${uniqueName('other')}-value`, JSON.stringify(patient))
  const error = "the schema's record is Patient: known are FormChange, CaseChange, AppChange"
  assert.deepEqual(await registry.fetchSchema(id, PATIENT), { kind: 'unusable', error })
})

test('milliseconds that a publisher declares are read as such, and a local time is no instant', async () => {
  const { registry } = await realRegistry()
  const saved = (logicalType: string) =>
    editedSchema('apps', (fields) =>
      fields.map((field) =>
        field.name === 'saved_on' ? { name: 'saved_on', type: { type: 'long', logicalType } } : field,
      ),
    )
  const register = async (logicalType: string) =>
    registry.fetchSchema(
      await registry.register(`${uniqueName('apps')}-value`, JSON.stringify(saved(logicalType))),
      PATIENT,
    )
  const millis = await register('timestamp-millis')
  assert.ok(millis.kind === 'fetched')
  const value = framed(saved('timestamp-millis'), { project: 'demo', app_id: 'a', build_id: null, saved_on: 5 }, 9)
  const change = millis.reader.read(value, 5)
  assert.equal(change.kind === 'app' && change.savedOn, 5_000)
  const local = await register('local-timestamp-micros')
  assert.ok(local.kind === 'unusable')
  assert.match(local.error, /saved_on is local-timestamp-micros/)
})

test('eight registrations of a new subject at once all succeed with one id', async () => {
  const { registry } = await realRegistry()
  const subject = `${uniqueName('cases')}-value`
  const ids = await Promise.all(Array.from({ length: 8 }, () => registry.register(subject, schemaText('cases'))))
  assert.equal(new Set(ids).size, 1)
})

test('a URL without the path of the Confluent API is told, and condemns no id', async () => {
  const { url } = await realRegistry()
  const answer = await openAt(new URL(url).origin).fetchSchema(1, PATIENT)
  assert.ok(answer.kind === 'unavailable')
  assert.match(answer.error, /SCHEMA_REGISTRY_URL/)
})

// ── a registry in trouble ─────────────────────────────────────────────────────────────────────────────────────────────

const page = '<html>Service</html>'
const found = { schema: schemaText('cases') }
const IN_TROUBLE: readonly (readonly [what: string, answer: RequestListener])[] = [
  ['answers 400', replying(400, { error_code: 400, message: 'no' })],
  ['asks for credentials', replying(401, { error_code: 401, message: 'Unauthorized' })],
  ['forbids', replying(403, page, 'text/html')],
  ['answers 500', replying(500, { error_code: 50001, message: 'Error in the backend' })],
  ['answers 500 with null', replying(500, 'null')],
  ['answers 404 with another code', replying(404, { error_code: 404, message: 'HTTP 404 Not Found' })],
  ['answers 503 without a body', replying(503, '')],
  ['is a proxy that has no backend', replying(404, 'default backend - 404', 'text/plain')],
  ['is a proxy that answers 200 with a page', replying(200, page, 'text/html')],
  ['answers 200 with no JSON', replying(200, '{"schema": "tru')],
  ['answers 200 with null', replying(200, 'null')],
  ['closes the connection', (request) => request.socket.destroy()],
  [
    'cuts its answer',
    (_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000', 'Content-Type': 'application/json' })
      response.write('{"schema"')
      response.socket?.end()
    },
  ],
  ['never answers', () => undefined],
]

for (const [what, answer] of IN_TROUBLE) {
  test(`a registry that ${what} is unavailable, and condemns no id`, async (t) => {
    const { url } = await scripted(t, answer)
    assert.equal((await openAt(url, 1_000).fetchSchema(7, PATIENT)).kind, 'unavailable')
  })
}

test('a registry that is down is unavailable, and the same id is fetched once it is up', async (t) => {
  const { url, requests } = await scripted(t, replying(200, found))
  assert.equal((await openAt('http://127.0.0.1:1/').fetchSchema(7, PATIENT)).kind, 'unavailable')
  assert.equal((await openAt(url).fetchSchema(7, PATIENT)).kind, 'fetched')
  assert.deepEqual(requests, ['GET /schemas/ids/7'])
})

test('an id that hung is asked for again, and answered', async (t) => {
  let hangs = true
  const { url } = await scripted(t, (request, response) => {
    if (!hangs) replying(200, found)(request, response)
    hangs = false
  })
  const registry = openAt(url, 500)
  assert.equal((await registry.fetchSchema(7, PATIENT)).kind, 'unavailable')
  assert.equal((await registry.fetchSchema(7, PATIENT)).kind, 'fetched')
})

test('an id is asked for once, however many wait and whenever they come', async (t) => {
  const { url, requests } = await scripted(t, replying(200, found))
  const registry = openAt(url)
  const answers = await Promise.all(Array.from({ length: 50 }, () => registry.fetchSchema(7, PATIENT)))
  assert.ok(answers.every((answer) => answer.kind === 'fetched'))
  await registry.fetchSchema(7, PATIENT)
  assert.equal(requests.length, 1)
})

test('an unknown id is asked for again: somebody may have registered it since', async (t) => {
  let known = false
  const { url } = await scripted(t, (request, response) => {
    replying(known ? 200 : 404, known ? found : { error_code: 40403, message: 'Schema 7 not found' })(request, response)
  })
  const registry = openAt(url)
  assert.deepEqual(await registry.fetchSchema(7, PATIENT), { kind: 'unknown' })
  known = true
  assert.equal((await registry.fetchSchema(7, PATIENT)).kind, 'fetched')
})

test('an abort ends the wait of who gave it up, and of nobody else', async (t) => {
  let reply: (() => void) | undefined
  const { url } = await scripted(t, (request, response) => {
    reply = () => replying(200, found)(request, response)
    asked.resolve(undefined)
  })
  const asked = Promise.withResolvers<undefined>()
  const registry = openAt(url)
  const impatient = new AbortController()
  const givenUp = registry.fetchSchema(7, impatient.signal)
  const waiting = registry.fetchSchema(7, PATIENT)
  impatient.abort()
  assert.equal((await givenUp).kind, 'unavailable')
  await asked.promise
  reply?.()
  assert.equal((await waiting).kind, 'fetched')
})

test('a schema that is not valid Avro is unusable for ever', async (t) => {
  const { url, requests } = await scripted(t, replying(200, { schema: '{"type":"record","name":"CaseChange"}' }))
  const registry = openAt(url)
  assert.equal((await registry.fetchSchema(7, PATIENT)).kind, 'unusable')
  assert.equal((await registry.fetchSchema(7, PATIENT)).kind, 'unusable')
  assert.equal(requests.length, 1)
})

test('a JSON Schema is unusable: it is not Avro', async (t) => {
  const { url } = await scripted(t, replying(200, { schemaType: 'JSON', schema: '{"type":"object"}' }))
  assert.deepEqual(await openAt(url).fetchSchema(7, PATIENT), { kind: 'unusable', error: 'schema 7 is not Avro' })
})

test('user name and password are sent, and appear in no answer', async (t) => {
  let sent: string | undefined
  const { url } = await scripted(t, (request, response) => {
    sent = request.headers.authorization
    replying(401, { error_code: 401, message: 'Unauthorized' })(request, response)
  })
  const settings = { url, username: 'onward', password: 'secret-password' }
  const answer = await openSchemaRegistry(settings, silentLog).fetchSchema(7, PATIENT)
  assert.equal(sent, `Basic ${Buffer.from('onward:secret-password').toString('base64')}`)
  assert.ok(answer.kind === 'unavailable' && !answer.error.includes('secret-password'))
})

test('a registration is tried again when it met another, and not when it is refused or nobody answers', async (t) => {
  let meetings = 2
  const { url, requests } = await scripted(t, (request, response) => {
    const meets = request.method === 'PUT' && meetings-- > 0
    if (meets)
      replying(409, { error_code: 409, message: "A rule named 'COMPATIBILITY' already exists." })(request, response)
    else if (request.method === 'POST') replying(200, { id: 3 })(request, response)
    else replying(200, { compatibilityLevel: 'BACKWARD_TRANSITIVE' })(request, response)
  })
  assert.equal(await openAt(url).register('cases-value', schemaText('cases')), 3)
  assert.deepEqual(
    requests.slice(0, 3),
    Array.from({ length: 3 }, () => 'PUT /config/cases-value'),
  )
  const down = openAt('http://127.0.0.1:1').register('cases-value', JSON.stringify(aCaseDocument()))
  await assert.rejects(down, (error) => error instanceof RegistryError && error.code === 'REGISTRY_UNAVAILABLE')
})
