// The guide's own examples as changes: a form, the case it created, and an app that was built. Together they make the four
// payloads of the guide (form, case, form stub, app). Leave: changes whose payloads have the guide's lengths, byte for byte.
import { readFileSync } from 'node:fs'
import { asMicros, type AppChange, type CaseChange, type FormChange, type Micros } from '../../shared/change.ts'
import { caseId, formId, projectId } from '../../shared/ids.ts'
import { readInstant } from '../../shared/instant.ts'

const PROJECT = projectId('demo')
const TREES = caseId('b0916685-7247-4c44-b712-633d3d64e0c0')
const TREES_FORM = formId('afcb3026-c4b3-463f-85ec-0cb9a2737fc5')
const DANNY = 'd0e472a6b36dfd3ee5059222e12b8c1b'
const APP = 'db9f874f0219444ee7848ddd023e292e'

/** In the order in which a server would publish them: a form first, then the case it touched. */
export const sampleChanges = (): readonly [FormChange, CaseChange, AppChange] => [
  {
    kind: 'form',
    project: PROJECT,
    formId: TREES_FORM,
    xmlns: 'http://openrosa.org/formdesigner/B9C4EB51-A7CC-49B5-B7D5-10E9F10B450B',
    appId: APP,
    buildId: null,
    receivedOn: instant('2015-04-17T20:14:34.046462Z'),
    userId: DANNY,
    username: 'danny',
    deviceId: '990005013558458',
    caseIds: [TREES],
    xml: readFileSync(new URL('../../shared/samples/form-trees.xml', import.meta.url)),
    editedOn: null,
    duplicate: false,
    attachments: {},
  },
  {
    kind: 'case',
    project: PROJECT,
    caseId: TREES,
    caseType: 'mscase',
    caseName: 'Trees',
    ownerId: DANNY,
    externalId: null,
    userId: DANNY,
    openedOn: instant('2015-04-17T16:04:54.950000Z'),
    serverOpenedOn: instant('2015-04-17T20:14:34.139959Z'),
    dateModified: instant('2015-04-17T16:04:54.950000Z'),
    serverModifiedOn: instant('2015-04-17T20:14:34.139959Z'),
    closed: false,
    dateClosed: null,
    properties: {},
    indices: [],
    xformIds: [TREES_FORM],
    attachments: {},
  },
  {
    kind: 'app',
    project: PROJECT,
    appId: APP,
    buildId: '193b28e58f335f165cb3e2bbe02b3ed8',
    savedOn: instant('2015-04-17T20:14:34.000000Z'),
  },
]

const instant = (text: string): Micros => readInstant(text) ?? asMicros(0)
