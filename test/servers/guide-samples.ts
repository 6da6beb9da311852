// The guide's form, case and app as a publisher of any language writes them down, and what a remote API must get of each.
// Nothing of Onward's own code is in it: these are the contract's bytes, from the guide's own files.
import { readFileSync } from 'node:fs'

const sample = (name: string): Buffer => readFileSync(new URL(`../../services/shared/samples/${name}`, import.meta.url))

export const TREES = 'b0916685-7247-4c44-b712-633d3d64e0c0'
export const APP = 'db9f874f0219444ee7848ddd023e292e'
export const FORM_RECEIVED_ON = '2015-04-17T20:14:34.046462Z'
export const CASE_MODIFIED_ON = '2015-04-17T20:14:34.139959Z'
const FORM = 'afcb3026-c4b3-463f-85ec-0cb9a2737fc5'
const DANNY = 'd0e472a6b36dfd3ee5059222e12b8c1b'

/** The record of the cases topic, as JSON. */
export const caseDocument = {
  project: 'demo',
  case_id: TREES,
  case_type: 'mscase',
  case_name: 'Trees',
  owner_id: DANNY,
  user_id: DANNY,
  opened_on: '2015-04-17T16:04:54.950000Z',
  date_modified: '2015-04-17T16:04:54.950000Z',
  server_modified_on: CASE_MODIFIED_ON,
  closed: false,
  xform_ids: [FORM],
} as const

/** The record of the forms topic, as JSON. */
export const formDocument = {
  project: 'demo',
  form_id: FORM,
  xmlns: 'http://openrosa.org/formdesigner/B9C4EB51-A7CC-49B5-B7D5-10E9F10B450B',
  app_id: APP,
  received_on: FORM_RECEIVED_ON,
  xml: sample('form-trees.xml').toString('utf8'),
} as const

/** The record of the apps topic, as JSON. */
export const appDocument = {
  project: 'demo',
  app_id: APP,
  build_id: '193b28e58f335f165cb3e2bbe02b3ed8',
  saved_on: '2015-04-17T20:14:34Z',
} as const

/** What the remote API gets, by the repeater's id in `rulesFor`. */
export const BODIES: Readonly<Record<string, Buffer>> = {
  'case-xml': sample('case-trees.expected.xml'),
  'case-json': Buffer.from(
    `{"case_id":"${TREES}","closed":false,"date_closed":null,"date_modified":"2015-04-17T16:04:54.950000Z",` +
      `"domain":"demo","indices":{},"properties":{"case_name":"Trees","case_type":"mscase",` +
      `"date_opened":"2015-04-17T16:04:54.950000Z","owner_id":"${DANNY}"},` +
      `"server_date_modified":"${CASE_MODIFIED_ON}","server_date_opened":"2015-04-17T16:04:54.950000Z",` +
      `"user_id":"${DANNY}","version":"2.0","xform_ids":["${FORM}"]}`,
  ),
  form: sample('form-trees.xml'),
  stub: sample('form-stub-trees.expected.json'),
  app: sample('app-schema.expected.txt'),
}

/** A repeater for each payload, each with a path of its own at the receiver. */
export const rulesFor = (host: string): string => `project: demo
connections:
${Object.keys(BODIES)
  .map((id) => `  - { id: ${id}, name: ${id}, url: "http://${host}/${id}?key=a%20b" }`)
  .join('\n')}
repeaters:
  - { id: case-xml, connection: case-xml, forward: cases, supersede: never }
  - { id: case-json, connection: case-json, forward: cases, supersede: never, format: json, method: PUT }
  - { id: form, connection: form, forward: forms }
  - { id: stub, connection: stub, forward: form-stubs }
  - { id: app, connection: app, forward: apps }
`
