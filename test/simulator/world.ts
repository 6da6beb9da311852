// A small world in virtual time: brokers, a group, forwarder processes, remote APIs, an upstream and an operator.
// Enter: one step after the other. Leave: what the judge found. What must be at an exact instant is a double; the hub and its
// rooms are the real ones. The same promises are proven on real parts by the flow tests and the chaos run.
import { Directory, type Applied } from '../../services/shared/forwarding/directory.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import type { SourceKind } from '../../services/shared/change.ts'
import { renderConfigRecord } from '../../services/shared/forwarding/config-record.ts'
import { assertNever } from '../../services/shared/assert-never.ts'
import { aRecord, put } from '../support/changes.ts'
import { openRandom, type Random } from '../support/random.ts'
import { Broker } from './broker.ts'
import { Coordinator, SESSION } from './coordinator.ts'
import { Judge, type Truth } from './judge.ts'
import { Member } from './member.ts'
import { putBack } from './operator.ts'
import type { Plan, Step, Topic } from './plan.ts'
import { Remotes } from './remotes.ts'
import { configured, isShifting, NUMBERS, shiftingTo, SOURCES, TIERS, two, type Surroundings } from './surroundings.ts'
import { valueOf } from './upstream.ts'
import { BEGAN_AT, VirtualTime } from './virtual-time.ts'
import { Watch } from './watch.ts'

/** Room for a dozen records, which most lives meet, or for all. */
const HELD_BYTES = { narrow: 30_000, wide: 30_000_000 }
const MEMBERS_LIMIT = 3
/** Records of a partition that a fetch brings. */
const FETCH_MOST = 6
/** Each looks once a second which topics there are. */
const SEEN_WITHIN = 1_000
/** A member that goes on hears at its next heartbeat that the group did without it. */
const HEARTBEAT = 300

export class World {
  readonly #time = new VirtualTime()
  readonly #plan: Plan
  readonly #around: Surroundings
  readonly #judge: Judge
  readonly #broker: Broker
  readonly #group: Coordinator
  readonly #remotes: Remotes
  readonly #directory = new Directory()
  readonly #draws = new Map<string, number>()
  #wallIsAhead = 0
  #readsForms: boolean
  #started = 0
  #runs = 0
  #two: Connection = two
  #openWhenHealed: ReadonlyMap<string, number> = new Map()

  /** @param tells hears the story, line by line; null when nobody listens, for it costs half the time */
  constructor(plan: Plan, tells: ((at: number, line: string) => void) | null) {
    const time = this.#time
    this.#plan = plan
    this.#readsForms = plan.scenario === 'operators'
    const retries = TIERS.read.map(({ topic }) => topic)
    this.#broker = new Broker(time, SOURCES, retries, TIERS.requeue.topic, NUMBERS.length)
    this.#judge = new Judge(time, this.#broker)
    this.#group = new Coordinator(() => this.#around)
    this.#remotes = new Remotes(() => this.#around)
    this.#around = {
      scenario: plan.scenario,
      time,
      broker: this.#broker,
      judge: this.#judge,
      watch: new Watch(() => this.#around),
      remotes: this.#remotes,
      group: this.#group,
      directory: this.#directory,
      heldBytesLimit: plan.scenario === 'narrow' ? HELD_BYTES.narrow : HELD_BYTES.wide,
      wallIsAhead: () => this.#wallIsAhead,
      draw: (name) => this.#draw(name),
      fetchRetries: (member) => {
        if (!member.isWell) return
        for (const { topic } of TIERS.read)
          for (const number of member.works) this.#fetchFrom(member, topic, number, FETCH_MOST)
      },
      tells: tells && ((line) => tells(time.now, line())),
    }
    put(this.#directory, ...configured(plan.scenario))
    this.#group.join(this.#start())
    if (plan.scenario === 'members' || plan.scenario === 'anew') this.#group.join(this.#start())
  }

  get broken(): Judge['broken'] {
    return this.#judge.broken
  }

  /** Nothing is open, held or shared anew, and nothing waits in a retry topic: what was delivered before waits there to be sent again. */
  get isQuiet(): boolean {
    const isParked = (topic: string, number: number) =>
      this.#broker.copiesIn(topic, number).some((copy) => this.#broker.counts(copy))
    return (
      this.#judge.open.length === 0 &&
      !this.#group.isSharing &&
      this.#members.every(({ intake }) => intake.heldBytes === 0) &&
      !TIERS.read.some(({ topic }) => NUMBERS.some((number) => isParked(topic, number)))
    )
  }

  get copies(): number {
    return this.#around.watch.copies
  }

  get #members(): readonly Member[] {
    return this.#group.members
  }

  // ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────────

  async take(step: Step): Promise<void> {
    if (step.kind === 'pass') await this.pass(step.by)
    else this.#happens(step)
  }

  #happens(step: Exclude<Step, { kind: 'pass' }>): void {
    switch (step.kind) {
      case 'produce':
        return this.#produce(step)
      case 'fetch':
        return this.#fetch(step.most)
      case 'rebalance':
        this.#tells(() => 'the group shares its numbers anew')
        return this.#group.share(step.turn)
      case 'crash':
        return this.#crash(this.#living(step.who))
      case 'stop':
        return this.#stop(this.#living(step.who), step.for)
      case 'join':
        if (this.#members.length < MEMBERS_LIMIT) this.#group.join(this.#start())
        return
      case 'leave':
        return this.#leave(this.#living(step.who))
      case 'restart':
        this.#readsForms = step.forms
        return this.#restart()
      case 'redirect':
        this.#two = { ...this.#two, headers: { 'X-Way': String(this.#time.now) } }
        return this.#reconfigure(this.#two)
      case 'slots':
        this.#two = { ...this.#two, limits: { ...this.#two.limits, concurrency: step.count } }
        return this.#reconfigure(this.#two)
      case 'shift':
        return this.#shift(step.to)
      case 'requeue':
        return putBack(this.#around, step, `run-${++this.#runs}`)
      case 'anew':
        return this.#makeAnew('cases')
      case 'jump':
        this.#wallIsAhead += step.by
        return this.#tells(() => `the wall clock jumps by ${step.by} ms`)
      case 'die':
        this.#tells(() => 'every remote but the healthy one dies')
        return this.#remotes.become('dead')
      case 'heal':
        return this.heal()
      case 'judge-healed':
        return this.#judge.judgeHealed(this.#openWhenHealed, this.#remotes.since)
      default:
        return assertNever(step)
    }
  }

  heal(): void {
    this.#tells(() => 'every remote is well')
    this.#remotes.become('well')
    this.#openWhenHealed = this.#judge.lanesOwed()
  }

  async pass(by: number): Promise<void> {
    await this.#time.pass(by, () => this.#judge.broken !== null)
    for (const member of this.#members) this.#around.watch.look(member)
  }

  /** Everything has ended: processes, too, and then there is nothing left of anything. */
  async end(): Promise<void> {
    const judge = this.#judge
    const left = judge.open.length > 0 ? judge.open.join(', ') : undefined
    judge.holds(left === undefined, 'all-ends', () => `never ended: ${String(left)}`)
    for (const { name, intake } of this.#members)
      judge.holds(intake.heldBytes === 0, 'all-ends', () => `${name} holds ${intake.heldBytes} bytes for nothing`)
    for (const member of this.#members) this.#leave(member)
    await this.pass(20_000)
    judge.judgeLanes((id) => this.#directory.repeaters().find((repeater) => repeater.id === id))
  }

  // ── records ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #produce({ topic, case: caseNumber, flavour }: Extract<Step, { kind: 'produce' }>): void {
    const partition = caseNumber % NUMBERS.length
    const log = this.#broker.log(topic, partition)
    const version = this.#broker.baseOf(topic) + log.length
    const truth: Truth = { topic, partition, version, case: `c${caseNumber}`, flavour }
    const timestamp = String(BEGAN_AT + Math.round(this.#time.now))
    log.push(aRecord(log.length, valueOf(truth), { key: Buffer.from(truth.case), timestamp }))
    this.#tells(
      () => `${truth.case} changes: ${topic}/${partition}@${truth.version}${flavour === 'open' ? '' : ` (${flavour})`}`,
    )
    const certain = this.#directory.repeaters().filter((each) => !isShifting(each) && each.forward === topic)
    this.#judge.produced(truth, certain)
  }

  /** Once for every partition that is not paused, of every member. */
  #fetch(most: number): void {
    for (const member of this.#members) {
      if (!member.isWell) continue
      const topics = [...member.sources.keys(), ...TIERS.read.map(({ topic }) => topic)]
      for (const topic of topics) for (const number of member.works) this.#fetchFrom(member, topic, number, most)
    }
  }

  #fetchFrom(member: Member, topic: string, partition: number, most: number): void {
    const { ownership, positions, paused, intake } = member
    const name = `${topic}/${partition}`
    const log = this.#broker.log(topic, partition)
    const position = positions.get(name) ?? 0
    const batch = log.slice(position, position + most)
    if (paused.has(name) || batch.length === 0) return
    const source = ownership.tasks.get(partition)?.sources.get(topic)
    // It asks for what lies at its place in a topic that is no more.
    if (source && source.base !== this.#broker.baseOf(topic)) return
    const readTo = source?.position ?? 0
    const heldBefore = intake.heldBytes
    const isFull = heldBefore >= this.#around.heldBytesLimit
    const isRereading = source?.rereading === true
    positions.set(name, position + batch.length)
    ownership.received(topic, partition, batch, log.length)
    ownership.reached(topic, partition, position + batch.length, position + batch.length)
    this.#judge.holds(
      !isFull || isRereading || intake.heldBytes <= heldBefore,
      'memory-bounded',
      () => `${member.name} holds ${heldBefore} bytes and takes more from ${name}`,
    )
    if (!source) return
    if (source.position > readTo) this.#tells(() => `${member.name} reads ${name}@${readTo} to ${source.position - 1}`)
    if (this.#plan.scenario === 'operators')
      for (let offset = readTo; offset < source.position; offset++)
        this.#taken(source.kind, partition, source.base + offset)
  }

  /** What the rules that change all the time made of it. */
  #taken(kind: SourceKind, partition: number, version: number): void {
    for (const topic of SOURCES) {
      if (topic !== kind) continue
      const shifting = this.#directory.repeaters().find(isShifting)
      const repeater = shifting ?? shiftingTo(topic)
      this.#judge.taken(topic, partition, version, repeater, shifting?.forward === topic)
    }
  }

  // ── processes ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #start(): Member {
    const kinds = SOURCES.filter((topic) => topic === 'cases' || this.#readsForms)
    const name =
      String.fromCharCode('a'.charCodeAt(0) + (this.#started % 26)) + (this.#started >= 26 ? String(this.#started) : '')
    this.#started++
    this.#tells(() => `${name} starts`)
    return new Member(name, this.#around, new Map(kinds.map((kind) => [kind, kind])))
  }

  #living(who: number): Member | undefined {
    return this.#members[who % this.#members.length]
  }

  #crash(member: Member | undefined): void {
    if (!member) return
    this.#tells(() => `${member.name} is killed`)
    member.die()
    this.#group.join(this.#start())
  }

  #stop(member: Member | undefined, length: number): void {
    if (!member || member.stopped) return
    this.#tells(() => `${member.name} is stopped`)
    member.stop()
    // Others there may be none, and then one that starts is given all.
    this.#time.after(SESSION, () => {
      if (member.stopped && !member.dead) this.#group.join(...(this.#members.length < 2 ? [this.#start()] : []))
    })
    this.#time.after(length, () => this.#goOn(member))
  }

  #goOn(member: Member): void {
    if (member.dead) return
    this.#tells(() => `${member.name} goes on`)
    member.goOn()
    this.#time.after(HEARTBEAT, () => {
      if (!member.dropped || member.dead || member.stopped) return
      const joined = member.giveUp().then(() => {
        if (member.dead) return
        member.dropped = false
        this.#group.join(member)
      })
      joined.catch((error: unknown) => this.#judge.breaks('no-fault', String(error)))
    })
  }

  #leave(member: Member | undefined): void {
    if (!member || member.stopped || member.dropped || member.leaving) return
    this.#tells(() => `${member.name} is asked to end`)
    const gone = member.leave().then(() => this.#group.join(...(this.#isOver ? [] : this.#substitutes())))
    gone.catch((error: unknown) => this.#judge.breaks('no-fault', String(error)))
  }

  #isOver = false

  #substitutes(): readonly Member[] {
    return this.#members.some(({ dead, leaving }) => !dead && !leaving) ? [] : [this.#start()]
  }

  /** It is ended and started with other settings, once it is well. */
  #restart(): void {
    const member = this.#living(0)
    if (!member || (member.isWell && !member.leaving)) this.#leave(member)
    else this.#time.after(HEARTBEAT, () => this.#restart())
  }

  // ── the operator ────────────────────────────────────────────────────────────────────────────────────────────────────

  #shift(to: Topic | 'gone'): void {
    this.#tells(() => `demo/shifting ${to === 'gone' ? 'is removed' : `forwards ${to}`}`)
    const repeater = shiftingTo(to === 'gone' ? 'cases' : to)
    if (to !== 'gone') return this.#reconfigure(repeater)
    const { key } = renderConfigRecord({ kind: 'repeater', repeater })
    this.#hears(this.#directory.apply({ key: Buffer.from(key), value: null }))
  }

  #reconfigure(definition: Connection | Repeater): void {
    if ('url' in definition) this.#tells(() => `${definition.id} is configured anew`)
    const { key, value } = renderConfigRecord(
      'url' in definition ? { kind: 'connection', connection: definition } : { kind: 'repeater', repeater: definition },
    )
    this.#hears(this.#directory.apply({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }))
  }

  #hears(applied: Applied): void {
    if (applied.kind !== 'changed') return this.#judge.breaks('no-fault', JSON.stringify(applied))
    this.#around.watch.forgetBackoffs()
    for (const member of this.#members) member.reconfigure(applied)
  }

  /** Members hear of it one after the other, and read nothing of it before. */
  #makeAnew(topic: Topic): void {
    this.#tells(() => `${topic} is deleted and made anew`)
    this.#broker.makeAnew(topic)
    this.#judge.gone(topic, this.#directory.repeaters())
    for (const member of this.#members) {
      this.#time.after(this.#draw('anew').between(0, SEEN_WITHIN), () =>
        member.hears(() => {
          if (member.looksForNew()) this.#group.share(0)
        }),
      )
    }
  }

  // ── luck, and the story ─────────────────────────────────────────────────────────────────────────────────────────────

  #draw(name: string): Random {
    const count = this.#draws.get(name) ?? 0
    this.#draws.set(name, count + 1)
    return openRandom(this.#plan.seed, `${name} ${count}`)
  }

  #tells(line: () => string): void {
    this.#around.tells?.(line)
  }
}
