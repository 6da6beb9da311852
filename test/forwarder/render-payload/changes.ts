// Changes and repeaters to render. The defaults are the guide's own examples, so that a test says only what it is about.
import { readFileSync } from 'node:fs'
import {
  asMicros,
  type AppChange,
  type CaseChange,
  type FormChange,
  type Micros,
} from '../../../services/shared/change.ts'
import type { Repeater } from '../../../services/shared/forwarding/repeater.ts'
import { caseId, connectionId, formId, projectId, repeaterId } from '../../../services/shared/ids.ts'
import { readInstant } from '../../../services/shared/instant.ts'

export const sample = (name: string): Buffer =>
  readFileSync(new URL(`../../../services/shared/samples/${name}`, import.meta.url))

export const instant = (text: string): Micros => readInstant(text) ?? asMicros(Number.NaN)

const demo = projectId('demo')

export const aRepeater = (overrides: Partial<Repeater> = {}): Repeater => ({
  id: repeaterId(demo, 'all'),
  project: demo,
  connection: connectionId(demo, 'remote'),
  forward: 'cases',
  format: 'xml',
  method: 'POST',
  supersede: 'waiting',
  onDeadLetter: 'continue',
  filters: { caseTypes: [], excludeUsers: [], formXmlns: [], on: 'any' },
  includeAppId: true,
  closedCase: 'close-only',
  version: '2.0',
  contentType: null,
  ...overrides,
})

export const aCaseChange = (overrides: Partial<CaseChange> = {}): CaseChange => ({
  kind: 'case',
  project: demo,
  caseId: caseId('b0916685-7247-4c44-b712-633d3d64e0c0'),
  caseType: 'mscase',
  caseName: 'Trees',
  ownerId: 'd0e472a6b36dfd3ee5059222e12b8c1b',
  externalId: null,
  userId: 'd0e472a6b36dfd3ee5059222e12b8c1b',
  openedOn: instant('2012-03-13T18:21:52Z'),
  serverOpenedOn: instant('2012-04-05T23:56:41Z'),
  dateModified: instant('2015-04-17T16:04:54.950Z'),
  serverModifiedOn: instant('2012-04-05T23:56:41Z'),
  closed: false,
  dateClosed: null,
  properties: {},
  indices: [],
  xformIds: ['3HQEXR2S0GIRFY2GF40HAR7ZE'],
  attachments: {},
  ...overrides,
})

export const aFormChange = (overrides: Partial<FormChange> = {}): FormChange => ({
  kind: 'form',
  project: demo,
  formId: formId('afcb3026-c4b3-463f-85ec-0cb9a2737fc5'),
  xmlns: 'http://openrosa.org/formdesigner/B9C4EB51-A7CC-49B5-B7D5-10E9F10B450B',
  appId: 'db9f874f0219444ee7848ddd023e292e',
  buildId: null,
  receivedOn: instant('2015-04-17T20:14:34.046462Z'),
  userId: 'd0e472a6b36dfd3ee5059222e12b8c1b',
  username: 'danny',
  deviceId: '990005013558458',
  caseIds: [caseId('b0916685-7247-4c44-b712-633d3d64e0c0')],
  xml: sample('form-trees.xml'),
  editedOn: null,
  duplicate: false,
  attachments: {},
  ...overrides,
})

export const anAppChange = (overrides: Partial<AppChange> = {}): AppChange => ({
  kind: 'app',
  project: demo,
  appId: '193b28e58f335f165cb3e2bbe02b3ed8',
  buildId: null,
  savedOn: instant('2015-04-17T20:14:34Z'),
  ...overrides,
})
