// The history checker: what lay on the source topics, what the remotes were asked, what became a dead letter → what is wrong.
// Pure. Enter: records in the order of their logs, requests in the order of their arrival. Leave: violations, and figures.
// For each repeater and lane: first occurrences rise strictly (forms and `supersede: never` leave none out); the last request is
// the newest version that was seen; what was not delivered has a dead letter, or a newer full state that was delivered or has one;
// no request comes while another of its lane waits for its answer.

export type Published = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly caseId: string
  readonly closed: boolean
}

export type Rule = {
  /** `<project>/<id>` */ readonly repeater: string
  readonly topic: string
  /** Whether this change may take the place of older ones that wait. */
  readonly replaces: (published: Published) => boolean
}

export type Place = {
  readonly repeater: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export type Request = Place & {
  readonly caseId: string
  /** What `Onward-Version` said. */
  readonly version: number
  /** Whether it was answered 2xx: the headers were sent, whatever became of the body. */
  readonly accepted: boolean
  /** Milliseconds since the beginning of the run. */
  readonly at: number
  /** When its answer was given, or it was seen to be waited for no more; null for one whose asker may go on beside it, or nobody knows. */
  readonly endedAt: number | null
}

export type Violation = {
  readonly kind: 'missing' | 'order' | 'last' | 'together' | 'unknown'
  readonly repeater: string
  readonly lane: string
  readonly what: string
}

export type Judgement = {
  readonly violations: readonly Violation[]
  readonly figures: {
    /** Changes times the repeaters that want them. */
    readonly expected: number
    readonly delivered: number
    readonly superseded: number
    readonly dead: number
    readonly missing: number
    readonly requests: number
    /** Requests for what had been accepted before. */
    readonly duplicates: number
  }
}

export type History = {
  readonly rules: readonly Rule[]
  readonly published: readonly Published[]
  readonly requests: readonly Request[]
  readonly deadLetters: readonly Place[]
}

export function judgeHistory({ rules, published, requests, deadLetters }: History): Judgement {
  const violations: Violation[] = []
  const figures = { expected: 0, delivered: 0, superseded: 0, dead: 0, missing: 0, requests: 0, duplicates: 0 }
  const known = new Map(published.map((change) => [logOf(change), change]))
  const dead = new Set(deadLetters.map(keyOf))
  const byLane = groupBy(requests, (request) => `${request.repeater} ${laneOf(request, known.get(logOf(request)))}`)
  const byTopic = groupBy(published, ({ topic }) => topic)
  figures.requests = requests.length

  for (const rule of rules) {
    const lanes = groupBy(byTopic.get(rule.topic) ?? [], (change) => laneOf(change, change))
    for (const [lane, changes] of lanes) {
      const asked = byLane.get(`${rule.repeater} ${lane}`) ?? []
      byLane.delete(`${rule.repeater} ${lane}`)
      const tell = (kind: Violation['kind'], what: string) =>
        violations.push({ kind, repeater: rule.repeater, lane, what })
      judgeOrder(asked, tell)
      const accepted = new Set<number>()
      for (const { offset, accepted: was } of asked) {
        if (accepted.has(offset)) figures.duplicates++
        if (was) accepted.add(offset)
      }
      const ended = (change: Published) =>
        accepted.has(change.offset) || dead.has(keyOf({ ...change, repeater: rule.repeater }))
      // From the newest on, so that each older one knows whether a newer state stands for it.
      let isReplaced = false
      for (const change of changes.toReversed()) {
        figures.expected++
        if (accepted.has(change.offset)) figures.delivered++
        else if (ended(change)) figures.dead++
        else if (isReplaced) figures.superseded++
        else {
          figures.missing++
          tell('missing', `version ${change.offset} was neither delivered nor is it a dead letter`)
        }
        if (ended(change) && rule.replaces(change)) isReplaced = true
      }
    }
  }
  for (const [name, [request]] of byLane) {
    const [repeater = '', ...lane] = name.split(' ')
    const what = `version ${request?.offset} was never published for it`
    violations.push({ kind: 'unknown', repeater, lane: lane.join(' '), what })
  }
  return { violations, figures }
}

function judgeOrder(asked: readonly Request[], tell: (kind: Violation['kind'], what: string) => void): void {
  const seen = new Set<number>()
  let newest: Request | undefined
  let before: Request | undefined
  for (const request of asked) {
    if (request.version !== request.offset) tell('unknown', `${request.offset} said it was version ${request.version}`)
    if (!seen.has(request.offset) && newest && request.offset < newest.offset) {
      tell('order', `${show(request)} came for the first time after ${show(newest)}`)
    }
    seen.add(request.offset)
    if (before?.endedAt != null && before.endedAt > request.at) {
      tell('together', `${show(request)} came while ${show(before)} waited for its answer`)
    }
    before = request
    if (!newest || request.offset > newest.offset) newest = request
  }
  const last = asked.at(-1)
  if (last && newest && last.offset !== newest.offset) tell('last', `${show(last)} came last, after ${show(newest)}`)
}

const show = ({ offset, at, accepted }: Request): string =>
  `version ${offset} (at ${(at / 1_000).toFixed(1)} s, ${accepted ? 'accepted' : 'not accepted'})`

const logOf = ({ topic, partition, offset }: Omit<Place, 'repeater'>): string => `${topic}:${partition}:${offset}`
const keyOf = (place: Place): string => `${place.repeater}:${logOf(place)}`

/** What the source says about the record decides, where it is known; then a request that tells of another case is found. */
const laneOf = (
  place: { readonly topic: string; readonly partition: number; readonly caseId: string },
  known?: Published,
) => `${place.topic}:${place.partition}:${known && known.caseId !== place.caseId ? `${place.caseId}!` : place.caseId}`

function groupBy<Item>(items: readonly Item[], name: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(name(item))
    if (group) group.push(item)
    else groups.set(name(item), [item])
  }
  return groups
}
