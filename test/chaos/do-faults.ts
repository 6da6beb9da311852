// Makes the planned faults happen: one track for the members, one for the points, one for the brokers, one for each remote, side by
// side. Each step is undone before the next of its track begins; when the signal aborts, what is going on is undone, and that is the
// end.
import { setTimeout as pause } from 'node:timers/promises'
import type { Member } from '../../deploy/local/member.ts'
import { assertNever } from '../../services/shared/assert-never.ts'
import type { Millis } from '../../services/shared/clock.ts'
import type { Members } from './members.ts'
import type { BrokerFault, MemberFault, Plan, Step } from './plan-faults.ts'
import type { Point, Points } from './points.ts'
import { openRandom } from '../support/random.ts'
import type { Remote } from './remotes.ts'

export type Stage = {
  readonly members: Members
  /** Names of those that run whenever nothing is wrong with them. */
  readonly names: readonly string[]
  /** Names of those that come and go. */
  readonly visitors: readonly string[]
  readonly points: Points
  readonly brokers: readonly Member[]
  readonly remotes: readonly Remote[]
  readonly say: (line: string) => void
  readonly seed: number
  readonly signal: AbortSignal
}

export type Done = { brokerKills: number; handBacks: number }

/** A retry record may be some time in coming, and a forwarder on a busy machine until it has joined. */
const POINT_WITHIN_MS = 30_000
const LOOK_EVERY_MS = 50

export async function doFaults(plan: Plan, stage: Stage): Promise<Done> {
  const done: Done = { brokerKills: 0, handBacks: 0 }
  const doing = new Doing(stage, done)
  await Promise.all([
    doing.track(plan.members, (step) => doing.member(step)),
    doing.track(plan.points, (step) => doing.point(step)),
    doing.track(plan.broker, (step) => doing.broker(step)),
    ...plan.remotes.map((steps, place) =>
      doing.track(steps, async ({ fault, lasts }) => {
        const remote = stage.remotes[place]
        stage.say(`${remote?.name ?? ''} is ${fault} for ${seconds(lasts)}`)
        await remote?.become(fault)
        await doing.wait(lasts)
        await remote?.become('well')
      }),
    ),
  ])
  return done
}

class Doing {
  readonly #stage: Stage
  readonly #done: Done
  #brokersDown = 0
  readonly #brokersAreUp = () => this.#brokersDown === 0

  constructor(stage: Stage, done: Done) {
    this.#stage = stage
    this.#done = done
  }

  async track<Fault>(steps: readonly Step<Fault>[], act: (step: Step<Fault>) => Promise<void>): Promise<void> {
    for (const step of steps) {
      await this.wait(step.rest)
      if (this.#stage.signal.aborted) return
      await act(step)
    }
  }

  async wait(millis: Millis): Promise<void> {
    await pause(millis, undefined, { signal: this.#stage.signal }).catch(() => undefined)
  }

  async broker({ fault, whom, lasts }: Step<BrokerFault>): Promise<void> {
    const { brokers, say } = this.#stage
    const one = brokers[whom % brokers.length]
    const hit = fault === 'kill-all' ? brokers : one ? [one] : []
    say(`${hit.map(({ name }) => name).join(', ')} killed for ${seconds(lasts)}`)
    this.#done.brokerKills += hit.length
    this.#brokersDown += hit.length
    await Promise.all(hit.map((each) => each.kill()))
    await this.wait(lasts)
    await Promise.all(hit.map((each) => each.start()))
    this.#brokersDown -= hit.length
  }

  /** Killed where it is armed for, and started again. */
  async point({ fault, whom, lasts }: Step<Point>): Promise<void> {
    const { members, names, points, say } = this.#stage
    const name = names[whom % names.length] ?? ''
    if (fault === 'mid-restore') {
      await members.kill(name)
      await this.wait(lasts)
    }
    const armed = points.arm(fault, whom % 3, POINT_WITHIN_MS, fault === 'mid-restore' ? name : undefined)
    if (fault === 'mid-restore') members.start(name)
    const killed = await armed
    say(`${fault}: ${killed === undefined ? 'nobody came there' : `${killed} killed`}`)
    if (killed === undefined) return
    await members.kill(killed)
    await this.wait(lasts)
    if (names.includes(killed)) members.start(killed)
  }

  async member({ fault, whom, lasts }: Step<MemberFault>): Promise<void> {
    const { members, names, visitors, say } = this.#stage
    const name = names[whom % names.length] ?? ''
    say(`${fault} ${fault === 'kill' || fault === 'stop' || fault === 'term' ? name : ''} for ${seconds(lasts)}`)
    switch (fault) {
      case 'kill':
        await members.kill(name)
        await this.wait(lasts)
        members.start(name)
        return
      case 'kill-all':
        await Promise.all(names.map((each) => members.kill(each)))
        await this.wait(lasts)
        for (const each of names) members.start(each)
        return
      case 'stop':
        members.signal(name, 'SIGSTOP')
        await this.wait(lasts)
        members.signal(name, 'SIGCONT')
        return
      case 'term':
        await members.term(name, this.#brokersAreUp)
        await this.wait(lasts)
        members.start(name)
        return
      case 'storm':
        return this.#storm(whom, lasts)
      case 'hand-back':
        return this.#handBack(visitors[0] ?? '')
      default:
        return assertNever(fault)
    }
  }

  async #storm(whom: number, lasts: Millis): Promise<void> {
    const { members, visitors, seed, signal } = this.#stage
    const random = openRandom(seed + whom, 'storm')
    const leaving: Promise<void>[] = []
    const endsAt = performance.now() + lasts
    while (performance.now() < endsAt && !signal.aborted) {
      const visitor = visitors[random.whole(visitors.length)] ?? ''
      if (!members.runs(visitor)) members.start(visitor)
      else if (random.chance(0.5)) await members.kill(visitor)
      else leaving.push(members.term(visitor, this.#brokersAreUp))
      await this.wait(random.between(100, 1_500))
    }
    await Promise.all([...leaving, ...visitors.map((each) => members.term(each, this.#brokersAreUp))])
  }

  /** It leaves when it has joined: its owners are giving up what was to be its, with attempts on the wire. */
  async #handBack(visitor: string): Promise<void> {
    const { members } = this.#stage
    const before = members.logged('partitions-assigned', visitor)
    members.start(visitor)
    const giveUpAt = performance.now() + POINT_WITHIN_MS
    while (members.logged('partitions-assigned', visitor) === before && performance.now() < giveUpAt)
      await pause(LOOK_EVERY_MS)
    if (members.logged('partitions-assigned', visitor) > before) this.#done.handBacks++
    await members.term(visitor, this.#brokersAreUp)
  }
}

const seconds = (millis: number): string => `${(millis / 1_000).toFixed(1)} s`
