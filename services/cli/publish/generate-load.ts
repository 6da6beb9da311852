// A load of changes, the same for the same seed. A pure room. Enter: how many changes of how many cases, uniform or Zipf.
// Leave: changes in order; each case's `version` counts 1, 2, 3, … and its instants rise, so that a receiver sees order and gaps
// without knowing offsets. Never: the clock, Math.random, two kinds in one load.
import { asMicros, type CaseChange, type FormChange, type Micros } from '../../shared/change.ts'
import { caseId, formId, projectId, type CaseId, type ProjectId } from '../../shared/ids.ts'
import { renderInstant } from '../../shared/instant.ts'
import { renderWireDocument } from '../../shared/wire/render-document.ts'

export type LoadPlan = {
  readonly kind: 'cases' | 'forms'
  /** Changes in all. */
  readonly count: number
  /** Different cases; a form touches one. */
  readonly cases: number
  /** Case n belongs to project n modulo their number; at least one. */
  readonly projects: readonly string[]
  /** Exponent of a Zipf distribution over the cases (case 0 is the hottest); null for uniform. */
  readonly zipf: number | null
  /** Bytes of a change, about: a case as JSON, a form's XML. What is below the smallest possible counts as that. */
  readonly size: number
  /** A whole number of 32 bits. */
  readonly seed: number
}

export type GeneratedChange = {
  readonly change: CaseChange | FormChange
  /** Counts from 0. */
  readonly caseNumber: number
  readonly caseId: CaseId
  /** Counts from 1 within the case. */
  readonly version: number
}

/** 2025-01-01T00:00:00Z; change n of the load is n milliseconds later. */
const BEGINNING = 1_735_689_600_000_000
const MICROS_BETWEEN_CHANGES = 1_000
/** The server learns of a change this much after the device made it. */
const SERVER_LAG = 250_000

export function* generateLoad(plan: LoadPlan): Generator<GeneratedChange, void, undefined> {
  const random = seededRandom(plan.seed)
  const pick = plan.zipf === null ? () => Math.floor(random() * plan.cases) : zipfPick(plan.cases, plan.zipf, random)
  const projects = plan.projects.map(projectId)
  const versions = new Uint32Array(plan.cases)
  const filler = fillerFor(plan, projects)
  for (let number = 0; number < plan.count; number++) {
    const caseNumber = pick()
    const version = (versions[caseNumber] ?? 0) + 1
    versions[caseNumber] = version
    const place: Place = {
      caseId: caseId(idOf(plan.seed, 'ca5e', caseNumber)),
      project: projects[caseNumber % projects.length] ?? projectId(''),
      version,
      modifiedAt: asMicros(BEGINNING + number * MICROS_BETWEEN_CHANGES),
    }
    const change =
      plan.kind === 'cases'
        ? aCase(place, plan.seed, caseNumber, filler)
        : aForm(place, formId(idOf(plan.seed, 'f043', number)), caseNumber, filler)
    yield { change, caseNumber, caseId: place.caseId, version }
  }
}

type Place = {
  readonly caseId: CaseId
  readonly project: ProjectId
  readonly version: number
  readonly modifiedAt: Micros
}

const WORKER = 'decade00decade00decade00decade00'
const OWNER = 'c0ffee00c0ffee00c0ffee00c0ffee00'
const APP = 'a99a99a99a99a99a99a99a99a99a99a9'
const FORM_XMLNS = 'http://openrosa.org/formdesigner/5EED0000-0000-4000-8000-000000000000'

const aCase = (place: Place, seed: number, caseNumber: number, filler: string): CaseChange => ({
  kind: 'case',
  project: place.project,
  caseId: place.caseId,
  caseType: 'patient',
  caseName: `Patient ${caseNumber}`,
  ownerId: OWNER,
  externalId: null,
  userId: WORKER,
  openedOn: asMicros(BEGINNING),
  serverOpenedOn: asMicros(BEGINNING + SERVER_LAG),
  dateModified: place.modifiedAt,
  serverModifiedOn: asMicros(place.modifiedAt + SERVER_LAG),
  closed: false,
  dateClosed: null,
  properties: { version: String(place.version), note: filler },
  indices: [],
  // One form touched it at first, another since: what the filter `on: create` looks at.
  xformIds: [idOf(seed, 'f1a5', caseNumber), ...(place.version > 1 ? [idOf(seed, 'f1a6', caseNumber)] : [])],
  attachments: {},
})

const aForm = (place: Place, id: FormChange['formId'], caseNumber: number, filler: string): FormChange => ({
  kind: 'form',
  project: place.project,
  formId: id,
  xmlns: FORM_XMLNS,
  appId: APP,
  buildId: null,
  receivedOn: asMicros(place.modifiedAt + SERVER_LAG),
  userId: WORKER,
  username: 'worker',
  deviceId: null,
  caseIds: [place.caseId],
  xml: Buffer.from(formXml(place, id, caseNumber, filler)),
  editedOn: null,
  duplicate: false,
  attachments: {},
})

function formXml(place: Place, id: string, caseNumber: number, filler: string): string {
  const at = renderInstant(place.modifiedAt)
  const created =
    place.version === 1
      ? `<create><case_type>patient</case_type><case_name>Patient ${caseNumber}</case_name><owner_id>${OWNER}</owner_id></create>`
      : ''
  return (
    `<?xml version="1.0"?><data name="Visit" uiVersion="1" version="1" xmlns="${FORM_XMLNS}">` +
    `<version>${place.version}</version><note>${filler}</note>` +
    `<case case_id="${place.caseId}" date_modified="${at}" user_id="${WORKER}" xmlns="http://commcarehq.org/case/transaction/v2">` +
    `${created}<update><version>${place.version}</version></update></case>` +
    `<meta xmlns="http://openrosa.org/jr/xforms"><timeStart>${at}</timeStart><timeEnd>${at}</timeEnd>` +
    `<username>worker</username><userID>${WORKER}</userID><instanceID>${id}</instanceID></meta></data>`
  )
}

/** The shape of a UUID; the seed is in it, so that two loads on one topic have different cases. */
const idOf = (seed: number, group: string, number: number): string =>
  `${(seed >>> 0).toString(16).padStart(8, '0')}-${group}-4000-8000-${number.toString(16).padStart(12, '0')}`

const PROSE = 'what was seen at the visit and what is to be done before the next one, as notes tend to go; '

/** What brings a change to its size. */
function fillerFor(plan: LoadPlan, projects: readonly ProjectId[]): string {
  const place: Place = {
    caseId: caseId(idOf(plan.seed, 'ca5e', 0)),
    project: projects[0] ?? projectId(''),
    version: 1,
    modifiedAt: asMicros(BEGINNING),
  }
  const bare =
    plan.kind === 'cases'
      ? JSON.stringify(renderWireDocument(aCase(place, plan.seed, 0, '')))
      : formXml(place, idOf(plan.seed, 'f043', 0), 0, '')
  const length = Math.max(0, plan.size - bare.length)
  return PROSE.repeat(Math.ceil(length / PROSE.length)).slice(0, length)
}

/** Mulberry32: 32 bits of state, the same on every machine. @returns from 0 to below 1 */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Case n weighs 1 / (n + 1) ** exponent. */
function zipfPick(cases: number, exponent: number, random: () => number): () => number {
  const weightUpTo = new Float64Array(cases)
  let total = 0
  for (let number = 0; number < cases; number++) {
    total += (number + 1) ** -exponent
    weightUpTo[number] = total
  }
  return () => {
    const drawn = random() * total
    let low = 0
    let high = cases - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((weightUpTo[middle] ?? 0) <= drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}
