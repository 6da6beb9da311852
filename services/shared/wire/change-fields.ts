// The wire shape of the three source records: one table a record, which both readers (Avro, JSON) follow.
// Enter: values already decoded to a field's shape. Leave: the Change they make up. Never: bytes, text to parse.
// The same shape is written down for publishers in schemas/*.avsc; a test holds the two together.
import {
  asMicros,
  type AppChange,
  type Attachment,
  type CaseChange,
  type CaseIndex,
  type FormChange,
  type Micros,
  type SourceKind,
} from '../change.ts'
import { caseId, formId, projectId } from '../ids.ts'

/** What a field of each shape is once read. */
type Shapes = {
  /** Text that must not be empty: an order, a filter or an address would break without it. */
  readonly id: string
  readonly text: string
  readonly 'optional-text': string | null
  readonly instant: Micros
  readonly 'optional-instant': Micros | null
  readonly flag: boolean
  /** Bytes in Avro, text in JSON. */
  readonly document: Buffer
  readonly texts: string[]
  readonly 'text-map': Record<string, string>
  readonly 'optional-count': number | null
  readonly indices: CaseIndex[]
  readonly attachments: Record<string, Attachment>
}
export type Shape = keyof Shapes

/** A Change while it is read. */
export type Draft<Kind> = { -readonly [Name in keyof Kind]: Kind[Name] }

export type Field<Draft> = {
  [Name in Shape]: {
    /** As on the wire: snake_case. */
    readonly name: string
    readonly shape: Name
    /** Absent: the draft's own default stands. */
    readonly required: boolean
    readonly set: (draft: Draft, value: Shapes[Name]) => void
  }
}[Shape]

export type FieldsOf<Kind> = {
  /** Every optional field holds its default. */
  readonly begin: () => Draft<Kind>
  readonly fields: readonly Field<Draft<Kind>>[]
  readonly finish: (draft: Draft<Kind>) => Kind
}
export type RecordShape<Kind> = FieldsOf<Kind> & {
  readonly source: SourceKind
  /** The Avro record's name, without its namespace. */
  readonly recordName: string
}

const UNSET = asMicros(Number.NaN)

export const FORM_SHAPE: RecordShape<FormChange> = {
  source: 'forms',
  recordName: 'FormChange',
  begin: () => ({
    kind: 'form',
    project: projectId(''),
    formId: formId(''),
    xmlns: '',
    appId: null,
    buildId: null,
    receivedOn: UNSET,
    userId: null,
    username: null,
    deviceId: null,
    caseIds: [],
    xml: NO_BYTES,
    editedOn: null,
    duplicate: false,
    attachments: {},
  }),
  fields: [
    { name: 'project', shape: 'id', required: true, set: (draft, value) => (draft.project = projectId(value)) },
    { name: 'form_id', shape: 'id', required: true, set: (draft, value) => (draft.formId = formId(value)) },
    { name: 'xmlns', shape: 'text', required: true, set: (draft, value) => (draft.xmlns = value) },
    { name: 'app_id', shape: 'optional-text', required: false, set: (draft, value) => (draft.appId = value) },
    { name: 'build_id', shape: 'optional-text', required: false, set: (draft, value) => (draft.buildId = value) },
    { name: 'received_on', shape: 'instant', required: true, set: (draft, value) => (draft.receivedOn = value) },
    { name: 'user_id', shape: 'optional-text', required: false, set: (draft, value) => (draft.userId = value) },
    { name: 'username', shape: 'optional-text', required: false, set: (draft, value) => (draft.username = value) },
    { name: 'device_id', shape: 'optional-text', required: false, set: (draft, value) => (draft.deviceId = value) },
    { name: 'case_ids', shape: 'texts', required: false, set: (draft, value) => (draft.caseIds = value.map(caseId)) },
    { name: 'xml', shape: 'document', required: true, set: (draft, value) => (draft.xml = value) },
    { name: 'edited_on', shape: 'optional-instant', required: false, set: (draft, value) => (draft.editedOn = value) },
    { name: 'duplicate', shape: 'flag', required: false, set: (draft, value) => (draft.duplicate = value) },
    { name: 'attachments', shape: 'attachments', required: false, set: (draft, value) => (draft.attachments = value) },
  ],
  finish: (draft) => draft,
}
const NO_BYTES = Buffer.alloc(0)

export const CASE_SHAPE: RecordShape<CaseChange> = {
  source: 'cases',
  recordName: 'CaseChange',
  begin: () => ({
    kind: 'case',
    project: projectId(''),
    caseId: caseId(''),
    caseType: '',
    caseName: '',
    ownerId: '',
    externalId: null,
    userId: '',
    openedOn: UNSET,
    serverOpenedOn: UNSET,
    dateModified: UNSET,
    serverModifiedOn: UNSET,
    closed: false,
    dateClosed: null,
    properties: {},
    indices: [],
    xformIds: [],
    attachments: {},
  }),
  fields: [
    { name: 'project', shape: 'id', required: true, set: (draft, value) => (draft.project = projectId(value)) },
    { name: 'case_id', shape: 'id', required: true, set: (draft, value) => (draft.caseId = caseId(value)) },
    { name: 'case_type', shape: 'text', required: true, set: (draft, value) => (draft.caseType = value) },
    { name: 'case_name', shape: 'text', required: true, set: (draft, value) => (draft.caseName = value) },
    { name: 'owner_id', shape: 'text', required: true, set: (draft, value) => (draft.ownerId = value) },
    { name: 'external_id', shape: 'optional-text', required: false, set: (draft, value) => (draft.externalId = value) },
    { name: 'user_id', shape: 'text', required: true, set: (draft, value) => (draft.userId = value) },
    { name: 'opened_on', shape: 'instant', required: true, set: (draft, value) => (draft.openedOn = value) },
    {
      name: 'server_opened_on',
      shape: 'optional-instant',
      required: false,
      set: (draft, value) => (draft.serverOpenedOn = value ?? UNSET),
    },
    { name: 'date_modified', shape: 'instant', required: true, set: (draft, value) => (draft.dateModified = value) },
    {
      name: 'server_modified_on',
      shape: 'instant',
      required: true,
      set: (draft, value) => (draft.serverModifiedOn = value),
    },
    { name: 'closed', shape: 'flag', required: true, set: (draft, value) => (draft.closed = value) },
    {
      name: 'date_closed',
      shape: 'optional-instant',
      required: false,
      set: (draft, value) => (draft.dateClosed = value),
    },
    { name: 'properties', shape: 'text-map', required: false, set: (draft, value) => (draft.properties = value) },
    { name: 'indices', shape: 'indices', required: false, set: (draft, value) => (draft.indices = value) },
    { name: 'xform_ids', shape: 'texts', required: false, set: (draft, value) => (draft.xformIds = value) },
    { name: 'attachments', shape: 'attachments', required: false, set: (draft, value) => (draft.attachments = value) },
  ],
  finish: (draft) => {
    // The contract's default; the fields come in any order, so it is set once all are read.
    if (Number.isNaN(draft.serverOpenedOn)) draft.serverOpenedOn = draft.openedOn
    return draft
  },
}

export const APP_SHAPE: RecordShape<AppChange> = {
  source: 'apps',
  recordName: 'AppChange',
  begin: () => ({ kind: 'app', project: projectId(''), appId: '', buildId: null, savedOn: UNSET }),
  fields: [
    { name: 'project', shape: 'id', required: true, set: (draft, value) => (draft.project = projectId(value)) },
    { name: 'app_id', shape: 'id', required: true, set: (draft, value) => (draft.appId = value) },
    { name: 'build_id', shape: 'optional-text', required: false, set: (draft, value) => (draft.buildId = value) },
    { name: 'saved_on', shape: 'instant', required: true, set: (draft, value) => (draft.savedOn = value) },
  ],
  finish: (draft) => draft,
}

export const INDEX_SHAPE: FieldsOf<CaseIndex> = {
  begin: () => ({ identifier: '', caseType: '', caseId: caseId(''), relationship: 'child' }),
  fields: [
    { name: 'identifier', shape: 'text', required: true, set: (draft, value) => (draft.identifier = value) },
    { name: 'case_type', shape: 'text', required: true, set: (draft, value) => (draft.caseType = value) },
    // May be empty: so a removed reference is written.
    { name: 'case_id', shape: 'text', required: true, set: (draft, value) => (draft.caseId = caseId(value)) },
    {
      name: 'relationship',
      shape: 'optional-text',
      required: false,
      set: (draft, value) => (draft.relationship = value ?? 'child'),
    },
  ],
  finish: (draft) => draft,
}

export const ATTACHMENT_SHAPE: FieldsOf<Attachment> = {
  begin: () => ({ url: '', contentType: '', length: null }),
  fields: [
    { name: 'url', shape: 'text', required: true, set: (draft, value) => (draft.url = value) },
    { name: 'content_type', shape: 'text', required: true, set: (draft, value) => (draft.contentType = value) },
    { name: 'length', shape: 'optional-count', required: false, set: (draft, value) => (draft.length = value) },
  ],
  finish: (draft) => draft,
}

/** What four digits of a year can say: any other instant could not be written in a header or a payload. */
export const isInstant = (micros: number): micros is Micros => micros >= FIRST_INSTANT && micros < END_OF_INSTANTS
/** The beginning of the year 0. */
const FIRST_INSTANT = -62_167_219_200_000_000
/** The beginning of the year 10000. */
const END_OF_INSTANTS = 253_402_300_800_000_000

/** Sets an entry under any name: an ordinary assignment to `__proto__` would be lost, or change the object's prototype. */
export function setEntry<Value>(entries: Record<string, Value>, name: string, value: Value): void {
  if (name === '__proto__') {
    Object.defineProperty(entries, name, { value, enumerable: true, configurable: true, writable: true })
  } else {
    entries[name] = value
  }
}
