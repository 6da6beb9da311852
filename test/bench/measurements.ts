// What can be measured: a system, the load it is given, how the receiver treats it. Pure values; workloads.ts says what their
// figures are held against.

/** Milliseconds the receiver takes to answer, in all of them. */
export const RECEIVER_LATENCY = 5
/** Milliseconds it takes for a connection that hangs. */
export const HANG_FOR = 5_000
export const CONNECTIONS = 100
/** Long beside the switch and an answer, short beside what changes a machine's speed. */
export const SLICE_MS = 250
export const SOCKETS_OF_A_CONNECTION = 4
export const PARTITIONS = 12
export const CASES = 10_000
export const CHANGE_BYTES = 1_024
/** Exponent of the skewed load: the first of 10,000 cases is then 15 % of all changes. */
export const ZIPF_EXPONENT = 1.1
/** Changes a second that loads are cut for: a run of `--seconds` reads about so many. */
const FULL_SPEED = 10_000
/** The same where one case's turn after turn sets the pace. */
const HOT_CASE_SPEED = 1_200
/** Of `--seconds`, how much longer a run lasts in which some connections are in trouble: memory must fill, and probes come. */
const TROUBLED_TIMES = 2
/** Deliveries that are parked before the restart, and their cases: most have one or two changes, some have seven. */
const PARKED = 1_000_000
const PARKED_CASES = 500_000
/** Updates of one case in a second, beside the others. */
export const HOT_CASE_UPDATES = 1_000

export type LoadName = 'uniform' | 'zipf-short' | 'zipf' | 'parked'
export type Load = {
  readonly name: LoadName
  readonly changes: number
  readonly cases: number
  readonly zipf: number | null
}

/** @param changes of each load, whatever its name; null: as many as the seconds need */
export function loadsOf(seconds: number, changes: number | null, parked: number | null = null): Record<LoadName, Load> {
  const full = changes ?? seconds * FULL_SPEED
  return {
    uniform: { name: 'uniform', changes: changes ?? full * TROUBLED_TIMES, cases: CASES, zipf: null },
    zipf: { name: 'zipf', changes: full, cases: CASES, zipf: ZIPF_EXPONENT },
    'zipf-short': {
      name: 'zipf-short',
      changes: Math.min(full, seconds * HOT_CASE_SPEED),
      cases: CASES,
      zipf: ZIPF_EXPONENT,
    },
    parked: { name: 'parked', changes: parked ?? PARKED, cases: PARKED_CASES, zipf: null },
  }
}

/** What Onward is configured with. */
export type Rules = {
  readonly supersede: 'never' | 'waiting'
  readonly auth: 'none' | 'digest' | 'oauth2'
  /** `hang`: 5 % of the connections. `refuse`: 10 %, half of them with 503, half have nobody listening. `refuse-all`: with 503. */
  readonly trouble: 'none' | 'hang' | 'refuse' | 'refuse-all'
  /** `nothing`: its filters let nothing through, so that changes are read and no more. */
  readonly matches: 'all' | 'nothing'
}

/**
 * | how | the load | measured |
 * |---|---|---|
 * | backlog | is there before | what arrives, between 10 % and 90 % of it |
 * | whole | is there before | from the first request to the last answer: one case sets the length |
 * | paced | comes while it is measured, at half of the healthy rate | from produce to request |
 * | paced-hot | the same, and one case's updates | the same, without that case |
 * | reads | is there before | changes read, while none is forwarded |
 * | parks | is there before | deliveries parked, while every connection refuses |
 * | drains | was parked by the measurement before | restart, then what arrives |
 */
export type How = 'backlog' | 'whole' | 'paced' | 'paced-hot' | 'reads' | 'parks' | 'drains'

export type OnwardSubject = { readonly system: 'onward'; readonly load: LoadName | 'live' } & Rules
export type Subject =
  | { readonly system: 'bare'; readonly call: 'request' | 'dispatch'; readonly sockets: 'all' | 'one' }
  | { readonly system: 'plain'; readonly load: LoadName }
  | OnwardSubject

/** What has the machine to itself while it is measured. */
export type Alone = {
  readonly label: string
  readonly subject: Subject
  readonly how: How
  /** Of `--seconds`. @default 1 */
  readonly times?: number
  readonly bySlices?: undefined
}

/** A backlog that is measured with others: each runs for a slice of time while the others stand still, over and over. */
export type Sliced = {
  readonly label: string
  readonly subject: OnwardSubject & { readonly load: LoadName; readonly trouble: 'none' }
  readonly how: 'backlog'
  readonly bySlices: true
}

export type Measurement = Alone | Sliced

/** What is measured after one another: a measurement, or all that share the time with each other. */
export type Step =
  | { readonly kind: 'alone'; readonly measurement: Alone }
  | { readonly kind: 'sliced'; readonly group: readonly Sliced[] }

export const BARE = {
  label: 'bare undici, request',
  subject: { system: 'bare', call: 'request', sockets: 'all' },
  how: 'backlog',
} as const
export const BARE_DISPATCH = {
  label: 'bare undici, dispatch',
  subject: { system: 'bare', call: 'dispatch', sockets: 'all' },
  how: 'backlog',
} as const
export const ONE_AT_A_TIME = {
  label: 'bare undici, one request at a time',
  subject: { system: 'bare', call: 'dispatch', sockets: 'one' },
  how: 'backlog',
} as const
export const PLAIN = {
  label: 'plain kafkajs',
  subject: { system: 'plain', load: 'uniform' },
  how: 'backlog',
} as const
export const PLAIN_ZIPF = {
  label: 'plain kafkajs, Zipf',
  subject: { system: 'plain', load: 'zipf' },
  how: 'backlog',
} as const

const PLAIN_RULES = { supersede: 'never', auth: 'none', trouble: 'none', matches: 'all' } as const

const onward = (load: LoadName | 'live', rules: Partial<Rules> = {}): OnwardSubject => ({
  system: 'onward',
  load,
  ...PLAIN_RULES,
  ...rules,
})

const sliced = (label: string, auth: Rules['auth']): Sliced => ({
  label,
  subject: { system: 'onward', load: 'uniform', ...PLAIN_RULES, auth },
  how: 'backlog',
  bySlices: true,
})

export const ONWARD: Alone = { label: 'Onward', subject: onward('uniform'), how: 'backlog' }
/** They differ by a few hundredths: a machine changes by more between one measurement and the next. */
export const ONWARD_UNPROVEN = sliced('Onward, no proof', 'none')
/** The same twice: what they differ by is the error that is left. */
export const ONWARD_UNPROVEN_AGAIN = sliced('Onward, no proof, again', 'none')
export const ONWARD_DIGEST = sliced('Onward, digest', 'digest')
export const ONWARD_OAUTH2 = sliced('Onward, OAuth 2', 'oauth2')
export const ONWARD_NEVER: Alone = {
  label: 'Onward, Zipf, never',
  subject: onward('zipf-short'),
  how: 'whole',
  times: 5,
}
export const ONWARD_WAITING: Alone = {
  label: 'Onward, Zipf, waiting',
  subject: onward('zipf', { supersede: 'waiting' }),
  how: 'backlog',
}
export const ONWARD_HANG: Alone = {
  label: 'Onward, 5 % hang',
  subject: onward('uniform', { trouble: 'hang' }),
  how: 'backlog',
  times: TROUBLED_TIMES,
}
export const ONWARD_REFUSE: Alone = {
  label: 'Onward, 10 % refuse',
  subject: onward('uniform', { trouble: 'refuse' }),
  how: 'backlog',
  times: TROUBLED_TIMES,
}
export const ONWARD_HALF: Alone = {
  label: 'Onward, half the rate',
  subject: onward('live', { supersede: 'waiting' }),
  how: 'paced',
}
export const ONWARD_HOT: Alone = {
  label: 'Onward, and a hot case',
  subject: onward('live', { supersede: 'waiting' }),
  how: 'paced-hot',
}
export const ONWARD_READS: Alone = {
  label: 'Onward, reads only',
  // A shorter one is read before it is in its steady state.
  subject: onward('parked', { matches: 'nothing' }),
  how: 'reads',
}
export const ONWARD_PARKS: Alone = {
  label: 'Onward, parks',
  subject: onward('parked', { trouble: 'refuse-all' }),
  how: 'parks',
}
export const ONWARD_DRAINS: Alone = {
  label: 'Onward, drains',
  subject: onward('parked', { trouble: 'refuse-all' }),
  how: 'drains',
  times: 2,
}

/**
 * The order of a run: every other one is the other way round, for what machine and broker do to whoever comes later is then done to all
 * alike. What rests on another measurement of its run stays behind it.
 */
export function stepsOf(measurements: readonly Measurement[], run: number): readonly Step[] {
  const turned = run % 2 === 0
  const alone = measurements.filter((each) => !each.bySlices)
  const group = measurements.filter((each) => each.bySlices === true)
  const isFree = ({ how }: Alone) => how === 'backlog' || how === 'whole'
  const stepOf = (measurement: Alone): Step => ({ kind: 'alone', measurement })
  const free = alone.filter(isFree).map(stepOf)
  if (group.length > 0) free.push({ kind: 'sliced', group: turned ? group.toReversed() : group })
  const bound = alone.filter((each) => !isFree(each)).map(stepOf)
  return [...(turned ? free.toReversed() : free), ...bound]
}
