// The load of a benchmark: case changes, the same for the same seed. Pure.
// Enter: how many changes of how many cases, uniform or Zipf. Leave: documents of the wire shape, in order; each case's
// `version` property counts 1, 2, 3, … so that a receiver can see order and gaps without knowing offsets.

export type ChangePlan = {
  readonly changes: number
  readonly cases: number
  /** The number of the first of them: loads that must not touch each other's cases begin elsewhere. @default 0 */
  readonly firstCase?: number
  /** Case n belongs to project n modulo this. */
  readonly projects: number
  /** Exponent of a Zipf distribution over the cases; null for uniform. */
  readonly zipf: number | null
  /** The size of a document as JSON, about. */
  readonly bytes: number
  readonly seed: number
}

export type GeneratedChange = {
  readonly caseNumber: number
  readonly caseId: string
  readonly document: Readonly<Record<string, unknown>>
}

const FILLER = 'a village, a visit and what was found there, as long as a note tends to be. '
/** What the other fields of a document take. */
const FRAME_BYTES = 470

export function* generateChanges(plan: ChangePlan): Generator<GeneratedChange> {
  const random = createRandom(plan.seed)
  const pick = plan.zipf === null ? () => Math.floor(random() * plan.cases) : createZipf(plan.cases, plan.zipf, random)
  const versions = new Uint32Array(plan.cases)
  const note = FILLER.repeat(Math.ceil(plan.bytes / FILLER.length)).slice(0, Math.max(plan.bytes - FRAME_BYTES, 0))
  for (let count = 0; count < plan.changes; count += 1) {
    const place = pick()
    const version = (versions[place] ?? 0) + 1
    versions[place] = version
    const caseNumber = place + (plan.firstCase ?? 0)
    const caseId = caseIdOf(caseNumber)
    yield { caseNumber, caseId, document: documentOf(plan, caseNumber, caseId, version, note) }
  }
}

export const projectOf = (caseNumber: number, projects: number): string =>
  `p${String(caseNumber % projects).padStart(2, '0')}`

const caseIdOf = (caseNumber: number): string => `5eed0000-0000-4000-8000-${caseNumber.toString(16).padStart(12, '0')}`

/** Modified a second later each time: a case's successive states rise in time as in version. */
const instantOf = (version: number): string => new Date(Date.UTC(2025, 0, 1) + version * 1_000).toISOString()

const documentOf = (plan: ChangePlan, caseNumber: number, caseId: string, version: number, note: string) => ({
  project: projectOf(caseNumber, plan.projects),
  case_id: caseId,
  case_type: 'patient',
  case_name: `Patient ${caseNumber}`,
  owner_id: 'c0ffee00c0ffee00c0ffee00c0ffee00',
  user_id: 'decade00decade00decade00decade00',
  opened_on: '2024-12-31T08:00:00.000000Z',
  date_modified: instantOf(version),
  server_modified_on: instantOf(version),
  closed: false,
  properties: { version: String(version), note },
  indices: [],
  xform_ids: ['f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0'],
  attachments: {},
})

/** Mulberry32: small, fast, and the same on every machine. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** @returns ranks from 0, rank n with a weight of 1 / (n + 1)^exponent */
function createZipf(cases: number, exponent: number, random: () => number): () => number {
  const upTo = new Float64Array(cases)
  let sum = 0
  for (let rank = 0; rank < cases; rank += 1) upTo[rank] = sum += 1 / (rank + 1) ** exponent
  return () => {
    const wanted = random() * sum
    let low = 0
    let high = cases - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((upTo[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}
