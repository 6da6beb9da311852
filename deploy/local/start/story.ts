// The story that `npm start` tells: its rules, its changes, and what must come of them. Pure.
// Enter: where the receiver listens. Leave: a forwarding file, case states to publish, and the expected deliveries.

const PROJECT = 'demo'

/** Longer than the first two attempts of the schedule, shorter than the third: two failures are seen, and the wait is short. */
const SHAKY_FAILS_MILLIS = 2_500

/** What the receiver does with a request, by its path. Everything else is accepted. */
export const STORY_BEHAVIOURS = {
  '/shaky': { kind: 'fail-for', status: 503, millis: SHAKY_FAILS_MILLIS, body: 'the database is restarting' },
  '/strict': { kind: 'refuse', status: 422, body: '{"title":"height is not a number"}' },
} as const

/** States of the one case that changes while an endpoint is down. */
const CASE_STATES = 5
const CASE_ID = 'oak'

/** The case type keeps the samples' case away from the endpoints of the second part. */
export const storyRules = (origin: string): string => `project: ${PROJECT}
connections:
  - { id: guide, url: '${origin}/guide' }
  - { id: steady, url: '${origin}/steady' }
  - { id: shaky, name: The shaky endpoint, url: '${origin}/shaky', schedule: [1s, 2s, 4s], notify: [ops@example.org] }
  - { id: strict, url: '${origin}/strict' }
repeaters:
  - { id: forms, connection: guide, forward: forms }
  - { id: cases, connection: guide, forward: cases, filters: { caseTypes: [mscase] } }
  - { id: stubs, connection: guide, forward: form-stubs }
  - { id: apps, connection: guide, forward: apps }
  - { id: steady, connection: steady, forward: cases, supersede: never, filters: { caseTypes: [tree] } }
  - { id: in-order, connection: shaky, forward: cases, supersede: never, filters: { caseTypes: [tree] } }
  - { id: newest, connection: shaky, forward: cases, supersede: waiting, filters: { caseTypes: [tree] } }
  - { id: strict, connection: strict, forward: cases, filters: { caseTypes: [seedling] } }
`

/** Case changes in the wire shape: the states of one case, then one case that an endpoint refuses for good. */
export const storyCases = (): readonly Readonly<Record<string, unknown>>[] => [
  ...Array.from({ length: CASE_STATES }, (_, index) => treeState(index + 1)),
  caseState('seedling-1', 'seedling', 1, { height: 'tall' }),
]

const treeState = (state: number) => caseState(CASE_ID, 'tree', state, { height: String(state) })

function caseState(id: string, type: string, state: number, properties: Readonly<Record<string, string>>) {
  const modified = `2026-05-04T09:0${state}:00.000000Z`
  return {
    project: PROJECT,
    case_id: id,
    case_type: type,
    case_name: id,
    owner_id: 'danny',
    user_id: 'danny',
    opened_on: '2026-05-04T09:01:00.000000Z',
    date_modified: modified,
    server_modified_on: modified,
    closed: false,
    properties,
  }
}

/** Of the endpoint that fails and heals: that it fails, and that it is over. */
export const EXPECTED_MAILS = 2

export type Expected = {
  readonly repeater: string
  readonly made: number
  readonly deadLettered: number
  /** True: each change is delivered for itself. */
  readonly everyState: boolean
  /** Of the one body, where the guide gives its example; else null. */
  readonly bodyLength: number | null
}

/** By repeater, in the order of the rules. The lengths are those of the guide's own examples. */
export const EXPECTED: readonly Expected[] = [
  expected('forms', { bodyLength: 1135 }),
  expected('cases', { bodyLength: 324 }),
  expected('stubs', { bodyLength: 151 }),
  expected('apps', { bodyLength: 32 }),
  expected('steady', { made: CASE_STATES }),
  expected('in-order', { made: CASE_STATES }),
  expected('newest', { made: CASE_STATES, everyState: false }),
  expected('strict', { deadLettered: 1 }),
]

/** Deliveries of the samples, and of everything. */
export const SAMPLE_DELIVERIES = madeOf(EXPECTED.filter(({ bodyLength }) => bodyLength !== null))
export const ALL_DELIVERIES = madeOf(EXPECTED)

function expected(id: string, differs: Partial<Expected>): Expected {
  return { repeater: `${PROJECT}/${id}`, made: 1, deadLettered: 0, everyState: true, bodyLength: null, ...differs }
}

function madeOf(all: readonly Expected[]): number {
  return all.reduce((sum, { made }) => sum + made, 0)
}
