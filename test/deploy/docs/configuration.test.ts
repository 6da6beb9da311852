// What is generated is up to date, and the schema, the page and the code agree about what a forwarding file may say.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { parse } from 'yaml'
import { configurationPage } from '../../../deploy/docs/configuration-page.ts'
import { generatedFiles } from '../../../deploy/docs/configuration.ts'
import {
  connectionRecordSchema,
  forwardingSchema,
  repeaterRecordSchema,
} from '../../../deploy/docs/forwarding-schemas.ts'
import { renderConfigRecord } from '../../../services/shared/forwarding/config-record.ts'
import { readForwardingFile } from '../../../services/shared/forwarding/forwarding-file.ts'
import type { JsonSchema } from '../../../services/shared/forwarding/forwarding-keys.ts'
import { SETTINGS } from '../../../services/shared/settings-table.ts'
import { connections, repeaters } from '../../support/definitions.ts'
import { holdsFor } from '../../support/property.ts'
import { readMarks } from '../../shared/forwarding/mistake.ts'
import { MISTAKES } from '../../shared/forwarding/mistakes.ts'

function compile(schema: JsonSchema): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true })
  addFormats.default(ajv)
  return ajv.compile(schema)
}

/** As an editor sees the file: references in braces are quoted there, as YAML wants it. */
const asEditorSees = (text: string): unknown => parse(text.replace(/: (\$\{[^}\s]*\})/g, ': "$1"'))

test('the configuration page and the schemas are what the code says', async () => {
  for (const { path, text } of await generatedFiles()) {
    assert.equal(readFileSync(path, 'utf8'), text, `${path} is out of date: run node deploy/docs/configuration.ts`)
  }
})

test('every setting is on the page', () => {
  const page = configurationPage()
  for (const name of Object.keys(SETTINGS)) assert.ok(page.includes(`\`${name}\``), name)
})

test('the forwarding files on the page are valid for the code and for the schema', () => {
  const validate = compile(forwardingSchema())
  const examples = [...configurationPage().matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text)
  assert.ok(examples.length > 0)
  for (const example of examples) {
    const read = readForwardingFile(example, 'docs/configuration.md')
    assert.equal(read.kind, 'read', JSON.stringify(read))
    assert.ok(validate(asEditorSees(example)), JSON.stringify(validate.errors))
  }
})

const validateFile = compile(forwardingSchema())
for (const { kind, file } of MISTAKES.filter((mistake) => mistake.schemaSeesIt)) {
  test(`an editor shows a forwarding file with ${kind} as wrong`, () => {
    assert.equal(validateFile(asEditorSees(readMarks(file).text)), false)
  })
}

test('every rendered record is valid for its schema', (t) => {
  const validateConnection = compile(connectionRecordSchema())
  const validateRepeater = compile(repeaterRecordSchema())
  holdsFor(
    t,
    fc.property(connections, repeaters, (connection, repeater) => {
      const one: unknown = JSON.parse(renderConfigRecord({ kind: 'connection', connection }).value ?? '')
      assert.ok(validateConnection(one), JSON.stringify(validateConnection.errors))
      const other: unknown = JSON.parse(renderConfigRecord({ kind: 'repeater', repeater }).value ?? '')
      assert.ok(validateRepeater(other), JSON.stringify(validateRepeater.errors))
    }),
  )
})

/** One file with every key of the tables, at a value that is not its default. */
const FULL = {
  project: 'demo',
  connections: [
    {
      id: 'a',
      name: 'A',
      url: 'https://a.example',
      auth: { type: 'bearer', token: '${env:T}' },
      tls: {
        cert: '${file:/c}',
        key: '${file:/k}',
        keyPassphrase: '${env:P}',
        ca: '${file:/ca}',
        verify: false,
        minVersion: 'TLSv1.3',
        serverName: 'b.example',
      },
      signing: { type: 'standard-webhooks', secrets: ['${env:S}'] },
      headers: { 'X-A': 'b' },
      notify: ['ops@example.org'],
      limits: { concurrency: 1, rate: '1/s', timeout: '1s' },
      schedule: 'commcare',
      retryOn: [410],
      rejectOn: [409],
      successWhen: { json: '/a', equals: 'b', otherwise: 422 },
      maxAge: '1d',
    },
  ],
  repeaters: [
    {
      id: 'c',
      connection: 'a',
      forward: 'cases',
      method: 'PUT',
      supersede: 'never',
      onDeadLetter: 'hold',
      filters: { caseTypes: ['x'], excludeUsers: ['y'], on: 'create' },
      closedCase: 'full',
      version: '1.0',
      contentType: 'text/plain',
    },
    { id: 'f', connection: 'a', forward: 'forms', format: 'json', includeAppId: false, filters: { formXmlns: ['z'] } },
  ],
}

type Json = Readonly<Record<string, unknown>>
const read = (file: unknown): string => JSON.stringify(readForwardingFile(JSON.stringify(file), 'f.json'))
const without = (object: Json, name: string): Json =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))

test('every key that the schema knows changes what is read: none is decoration', () => {
  const full = read(FULL)
  const asked = new Set<string>()
  const drop = (rebuild: (part: Json) => unknown, part: Json, where: string) => {
    for (const name of Object.keys(part)) {
      asked.add(`${where}.${name}`)
      assert.notEqual(read(rebuild(without(part, name))), full, `${where}.${name}`)
    }
  }
  const [connection] = FULL.connections
  assert.ok(connection)
  const withConnection = (part: Json) => ({ ...FULL, connections: [part] })
  drop(withConnection, connection, 'connection')
  drop((limits) => withConnection({ ...connection, limits }), connection.limits, 'limits')
  drop((tls) => withConnection({ ...connection, tls }), connection.tls, 'tls')
  drop((signing) => withConnection({ ...connection, signing }), connection.signing, 'signing')
  const byPlace = connection.successWhen
  drop((successWhen) => withConnection({ ...connection, successWhen }), byPlace, 'successWhen')
  const byText = { text: 'c', exists: false, otherwise: 422 }
  const fullByText = read(withConnection({ ...connection, successWhen: byText }))
  for (const name of Object.keys(byText)) {
    asked.add(`successWhen.${name}`)
    assert.notEqual(read(withConnection({ ...connection, successWhen: without(byText, name) })), fullByText, name)
  }
  for (const [index, repeater] of FULL.repeaters.entries()) {
    const withRepeater = (part: unknown) => ({
      ...FULL,
      repeaters: FULL.repeaters.with(index, Object.assign({}, repeater, part)),
    })
    const replaced = (part: Json) => ({
      ...FULL,
      repeaters: FULL.repeaters.map((one, at): unknown => (at === index ? part : one)),
    })
    drop(replaced, repeater, 'repeater')
    drop((filters) => withRepeater({ filters }), repeater.filters, 'filters')
  }
  const { $defs } = forwardingSchema() as { readonly $defs: Readonly<Record<string, { readonly properties?: Json }>> }
  for (const where of ['connection', 'limits', 'tls', 'signing', 'successWhen', 'repeater', 'filters']) {
    for (const name of Object.keys($defs[where]?.properties ?? {}))
      assert.ok(asked.has(`${where}.${name}`), `${where}.${name}`)
  }
})
