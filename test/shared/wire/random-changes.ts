// Random changes for property tests: any text UTF-8 can hold, names like `__proto__`, instants of four-digit years.
import fc from 'fast-check'
import {
  asMicros,
  type AppChange,
  type Attachment,
  type CaseChange,
  type Change,
  type FormChange,
} from '../../../services/shared/change.ts'
import { caseId, formId, projectId } from '../../../services/shared/ids.ts'
import { setEntry } from '../../../services/shared/wire/change-fields.ts'

/** Ordinary objects, as the readers make them. */
const plain = <Kind>(model: { [Name in keyof Kind]: fc.Arbitrary<Kind[Name]> }): fc.Arbitrary<Kind> =>
  fc.record(model, { noNullPrototype: true })

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii' }), fc.constant('\ufffd'))
const id = text.filter((value) => value !== '')
const name = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', '0', '', 'größe'))
const optionalText = fc.option(text)
/** What avsc writes exactly: from 1827 to 2255. */
const long = fc.integer({ min: -(2 ** 52), max: Number.MAX_SAFE_INTEGER - 1 })
const instant = long.map(asMicros)
const attachment: fc.Arbitrary<Attachment> = plain({
  url: text,
  contentType: text,
  length: fc.option(long),
})

const entries = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Record<string, Value>> =>
  fc.array(fc.tuple(name, value), { maxLength: 8 }).map((pairs) => {
    const record: Record<string, Value> = {}
    for (const [key, entry] of pairs) setEntry(record, key, entry)
    return record
  })

const randomForm: fc.Arbitrary<FormChange> = plain({
  kind: fc.constant('form'),
  project: id.map(projectId),
  formId: id.map(formId),
  xmlns: text,
  appId: optionalText,
  buildId: optionalText,
  receivedOn: instant,
  userId: optionalText,
  username: optionalText,
  deviceId: optionalText,
  caseIds: fc.array(text.map(caseId), { maxLength: 5 }),
  xml: text.map((value) => Buffer.from(value)),
  editedOn: fc.option(instant),
  duplicate: fc.boolean(),
  attachments: entries(attachment),
})

const randomCase: fc.Arbitrary<CaseChange> = plain({
  kind: fc.constant('case'),
  project: id.map(projectId),
  caseId: id.map(caseId),
  caseType: text,
  caseName: text,
  ownerId: text,
  externalId: optionalText,
  userId: text,
  openedOn: instant,
  serverOpenedOn: instant,
  dateModified: instant,
  serverModifiedOn: instant,
  closed: fc.boolean(),
  dateClosed: fc.option(instant),
  properties: entries(text),
  indices: fc.array(plain({ identifier: text, caseType: text, caseId: text.map(caseId), relationship: text }), {
    maxLength: 4,
  }),
  xformIds: fc.array(text, { maxLength: 5 }),
  attachments: entries(attachment),
})

const randomApp: fc.Arbitrary<AppChange> = plain({
  kind: fc.constant('app'),
  project: id.map(projectId),
  appId: id,
  buildId: optionalText,
  savedOn: instant,
})

export const randomChange: fc.Arbitrary<Change> = fc.oneof(randomForm, randomCase, randomApp)

export const sourceOf = (change: Change): 'forms' | 'cases' | 'apps' =>
  change.kind === 'form' ? 'forms' : change.kind === 'case' ? 'cases' : 'apps'
