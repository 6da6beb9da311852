// The remote APIs: they answer as they like, slowly, or not at all. Enter: a member's request. Leave: an answer, once the member
// is awake to hear it. What is on the wire when its sender dies may still arrive.
import { Exchange, type Ongoing } from '../../services/forwarder/exchange.ts'
import type { Attempted, Outcome } from '../../services/forwarder/outcome.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import type { ConnectionId } from '../../services/shared/ids.ts'
import type { Random } from '../support/random.ts'
import type { Asked } from './judge.ts'
import type { Member } from './member.ts'
import { healthy, type Surroundings } from './surroundings.ts'

/** `random`: as it likes. `dead`: nobody is there. */
export type Weather = 'random' | 'well' | 'dead'

type Answer =
  /** The remote never saw the request. */
  { readonly kind: 'refused' } | { readonly kind: 'reset' } | { readonly kind: 'answers'; readonly status: number }

const SLOW = 2_000
/** Of the requests, some hang: longer than a rebalance waits, and shorter than a session. */
const HANGING = 0.08
const HANGS = 12_000

type OnTheWire = { readonly asked: Asked; readonly member: Member; readonly cutOff: () => void }

export class Remotes {
  weather: Weather = 'random'
  /** Since when it is as it is. */
  since = 0
  readonly #around: () => Surroundings
  readonly #onTheWire = new Set<OnTheWire>()

  /** @param around asked for later, since it holds this */
  constructor(around: () => Surroundings) {
    this.#around = around
  }

  become(weather: Weather): void {
    this.weather = weather
    this.since = this.#around().time.now
  }

  weatherOf(id: ConnectionId): Weather {
    return id === healthy.id ? 'well' : this.weather
  }

  /** The member is gone: what it had sent may have arrived, or not. */
  cutOff(member: Member): void {
    for (const request of [...this.#onTheWire]) if (request.member === member) request.cutOff()
  }

  attempt(
    member: Member,
    connection: Connection,
    headers: readonly string[],
    running: Set<Ongoing>,
  ): Promise<Attempted> {
    const around = this.#around()
    const { judge, watch, time, tells } = around
    const asked = readAsked(headers, around)
    const luck = around.draw(`attempt ${asked.delivery}`)
    const weather = this.weatherOf(connection.id)
    const answer = answerFor(weather, luck)
    watch.starts(member, connection, asked)
    judge.starts(asked, answer.kind !== 'refused', member.sources.has(asked.delivery.split(':')[1] ?? ''))
    tells?.(() => `${member.name} sends ${asked.delivery}${asked.run === null ? '' : ` (${asked.run})`}`)
    member.countAsking(connection.id, 1)
    return new Promise((resolve) => {
      let isOver = false
      const leave = () => {
        isOver = true
        cancel()
        this.#onTheWire.delete(request)
        running.delete(exchange)
        member.countAsking(connection.id, -1)
        judge.leavesTheWire(asked)
      }
      const exchange = new Exchange(clockOf(member, around), connection, (outcome: Outcome) => {
        // Ended by us: the remote may have taken it all the same.
        if (!isOver && answer.kind === 'answers' && answer.status === 200 && luck.chance(0.5)) judge.accepts(asked)
        if (!isOver) leave()
        tells?.(() => `${asked.delivery} → ${outcome.kind === 'answered' ? outcome.status : outcome.kind}`)
        resolve({ outcome, duration: 1 })
      })
      const request: OnTheWire = {
        asked,
        member,
        cutOff: () => {
          if (answer.kind === 'answers' && answer.status === 200 && luck.chance(0.5)) judge.accepts(asked)
          leave()
        },
      }
      const controller = {
        rawHeaders: null,
        rawTrailers: null,
        aborted: false,
        paused: false,
        reason: null,
        abort: (reason: Error) => exchange.onResponseError(undefined, reason),
        pause: () => undefined,
        resume: () => undefined,
      }
      const longest = weather !== 'random' ? 50 : luck.chance(HANGING) ? HANGS : SLOW
      const cancel = time.after(luck.between(0, longest), () => {
        if (answer.kind === 'answers' && answer.status === 200) judge.accepts(asked)
        leave()
        member.hears(() => {
          if (answer.kind === 'answers') {
            exchange.onResponseStart(controller, answer.status, answer.status === 429 ? { 'retry-after': '3' } : {})
            exchange.onResponseEnd()
          } else {
            const code = answer.kind === 'refused' ? 'ECONNREFUSED' : 'ECONNRESET'
            exchange.onResponseError(undefined, Object.assign(new Error('failed'), { code }))
          }
        })
      })
      this.#onTheWire.add(request)
      running.add(exchange)
      exchange.onRequestStart(controller)
    })
  }
}

function answerFor(weather: Weather, random: Random): Answer {
  if (weather === 'dead') return { kind: 'refused' }
  const luck = weather === 'well' ? 1 : random.between(0, 1)
  if (luck < 0.1) return { kind: 'refused' }
  if (luck < 0.2) return { kind: 'reset' }
  return { kind: 'answers', status: luck < 0.3 ? 503 : luck < 0.35 ? 429 : luck < 0.42 ? 410 : 200 }
}

/** "demo/all:cases:0:7", with the run behind it where there is one. */
function readAsked(headers: readonly string[], { judge }: Surroundings): Asked {
  const key = (headers[headers.indexOf('Idempotency-Key') + 1] ?? '').slice(1, -1)
  const [repeater = '', topic = '', partition = '', version = '', run] = key.split(':')
  const truth = judge.truthOf(topic, Number(partition), Number(version))
  return {
    delivery: `${repeater}:${topic}:${partition}:${version}`,
    lane: `${repeater} ${topic} ${truth?.case ?? '?'}`,
    version: Number(headers[headers.indexOf('Onward-Version') + 1]),
    run: run ?? null,
  }
}

/** The deadline of an exchange is the member's own: one that is stopped lets it pass. */
const clockOf = (member: Member, { time }: Surroundings) => ({
  now: () => time.now,
  steady: () => time.now,
  monotonic: () => time.now,
  sleep: (delay: number) => time.sleep(delay),
  after: (delay: number, wake: () => void) => time.after(delay, () => member.hears(wake)),
})
