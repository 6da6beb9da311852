// The contracts' examples are what the code reads and sends, to the byte.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppChange, CaseChange, Change, FormChange, SourceKind } from '../../services/shared/change.ts'
import { readChange } from '../../services/shared/read-change/read-change.ts'
import { renderPayload } from '../../services/forwarder/render-payload/render-payload.ts'
import { sampleChanges } from '../../services/cli/publish/sample-changes.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { UNREADABLE_CAUSES } from '../../services/shared/wire/unreadable.ts'
import { FORM_SHAPE, CASE_SHAPE } from '../../services/shared/wire/change-fields.ts'
import { aRepeater } from '../forwarder/render-payload/changes.ts'
import { blocks, named, page, rows, section } from './documents.ts'

const publishers = page('docs/contract-publishers.md')
const receivers = page('docs/contract-receivers.md')

const EXAMPLES: readonly (readonly [heading: string, source: SourceKind, kind: Change['kind']])[] = [
  ['### A case', 'cases', 'case'],
  ['### A form', 'forms', 'form'],
  ['### An app', 'apps', 'app'],
]

for (const [heading, source, kind] of EXAMPLES) {
  test(`the publishers' example of ${source} is read as a change`, () => {
    const [example] = blocks(section(publishers, heading), 'json')
    assert.ok(example !== undefined)
    const read = readChange(source, Buffer.from(example), new Map())
    assert.equal(read.kind === 'read' && read.change.kind, kind, JSON.stringify(read))
  })
}

for (const [heading, shape] of [
  ['### A case', CASE_SHAPE],
  ['### A form', FORM_SHAPE],
] as const) {
  test(`the required fields of ${shape.source} are those of the code`, () => {
    const sentence = /^Required: [^.]*\./m.exec(section(publishers, heading).text)?.[0]
    const required = shape.fields.filter((field) => field.required).map(({ name }) => name)
    assert.deepEqual(named(sentence), required)
  })
}

const [form, aCase, app]: readonly [FormChange, CaseChange, AppChange] = sampleChanges()
const closed: CaseChange = { ...aCase, closed: true, dateClosed: aCase.dateModified }
const PAYLOADS: readonly (readonly [heading: string, change: Change, repeater: Partial<Repeater>])[] = [
  ['### A form as XML: 1135 bytes', form, { forward: 'forms' }],
  ['### A form as JSON: 1562 bytes', form, { forward: 'forms', format: 'json' }],
  ['### A case as XML: 324 bytes', aCase, {}],
  ['### A case as XML: 324 bytes', closed, {}],
  ['### A case as JSON: 523 bytes', aCase, { format: 'json' }],
  ['### A form stub: 151 bytes', form, { forward: 'form-stubs' }],
  ['### An app: 32 bytes', app, { forward: 'apps' }],
]

test("the receivers' examples are what is sent for the samples, to the byte, with the lengths that are said", () => {
  for (const [heading, change, repeater] of PAYLOADS) {
    const payload = renderPayload(change, aRepeater(repeater))
    assert.ok(payload.kind === 'rendered')
    const examples = blocks(section(receivers, heading), 'text').map((block) => block.replace(/\n$/, ''))
    assert.ok(examples.includes(payload.body.toString('utf8')), heading)
    if (change !== closed) assert.equal(`${payload.body.length}`, /(\d+) bytes$/.exec(heading)?.[1])
  }
})

test('every cause of an unreadable record is explained to publishers and to operators', () => {
  const causes: readonly string[] = UNREADABLE_CAUSES
  const explained = rows(section(page('docs/failure-semantics.md'), '## Causes of an unreadable record'))
  assert.deepEqual(
    explained.map(([cause]) => named(cause)[0]),
    causes,
  )
  const { text } = section(publishers, '## What a mistake becomes')
  for (const cause of causes) {
    if (cause !== 'internal-fault') assert.ok(text.includes(`\`${cause}\``), `publishers do not hear of ${cause}`)
  }
})
