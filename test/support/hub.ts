// The hub with its real rooms, a clock that the test turns, and in memory what is else a Kafka topic: dead letters, what is told.
// Enter: a configuration. Leave: everything the hub did, in order. Nothing of it outlives the test.
import type { TestContext } from 'node:test'
import { openAddressGuard } from '../../services/shared/address-guard.ts'
import { openRemotes, type Remotes } from '../../services/forwarder/attempt.ts'
import { openCredentials } from '../../services/forwarder/credentials.ts'
import type { DeadLetter, DeadLetters } from '../../services/forwarder/dead-letter.ts'
import { Forwarder } from '../../services/forwarder/forwarder.ts'
import { Intake } from '../../services/forwarder/intake.ts'
import { openPark, type Park } from '../../services/forwarder/park.ts'
import { openTier, PartitionTask, type SourceProgress } from '../../services/forwarder/partition-task.ts'
import { Tiers } from '../../services/forwarder/tiers.ts'
import type { Tell } from '../../services/forwarder/tell.ts'
import type { Clock } from '../../services/shared/clock.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import { Directory } from '../../services/shared/forwarding/directory.ts'
import type { Appended } from '../../services/shared/kafka/appender.ts'
import type { ChangeReader } from '../../services/shared/registry/change-reader.ts'
import type { FetchedRecord } from '../../services/shared/kafka/group.ts'
import {
  readRetryHeader,
  renderRetryHeader,
  RETRY_HEADER,
  type ParkReason,
  type RetryHeader,
} from '../../services/shared/wire/retry-header.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { aRecord, aSource, put } from './changes.ts'
import { manualClock, type ManualClock } from './clock.ts'
import { silentLog } from './kafka-ground.ts'
import { until } from './until.ts'

/** `<repeater>@<version>`, and what became of it. */
export type Told = { readonly what: string; readonly fact: string }

/** Shortest first. */
const TIERS = [60_000, 300_000, 1_800_000]

export type HeldDeadLetters = DeadLetters & {
  /** Acknowledged, in order. */
  readonly letters: readonly DeadLetter[]
  readonly waiting: number
  /** From now on letters wait until `acknowledge`. */
  hold(): void
  acknowledge(): void
}

function heldDeadLetters(): HeldDeadLetters {
  const letters: DeadLetter[] = []
  let waiting: (() => void)[] = []
  let held = false
  return {
    letters,
    get waiting() {
      return waiting.length
    },
    hold() {
      held = true
    },
    acknowledge() {
      held = false
      const ready = waiting
      waiting = []
      for (const resolve of ready) resolve()
    },
    write: (letter) =>
      new Promise((resolve) => {
        const written = () => {
          letters.push(letter)
          resolve()
        }
        if (held) waiting.push(written)
        else written()
      }),
  }
}

/** Keeps what the hub tells. */
export function tellTales(): Tell & { readonly told: readonly Told[] } {
  const told: Told[] = []
  return {
    told,
    consumed: () => undefined,
    keyless: () => undefined,
    made: () => undefined,
    attempted: ({ lane, record }, _connection, { outcome }) => {
      const shown = outcome.kind === 'answered' ? String(outcome.status) : outcome.kind
      told.push({ what: `${lane.repeater}@${record.offset}`, fact: shown })
    },
    settled: ({ lane, record }, verdict) =>
      void told.push({ what: `${lane.repeater}@${record.offset}`, fact: verdict }),
    parked: () => undefined,
    deadLettered: () => undefined,
    held: ({ lane, record }) => void told.push({ what: `${lane.repeater}@${record.offset}`, fact: 'held' }),
    released: ({ lane, record }) => void told.push({ what: `${lane.repeater}@${record.offset}`, fact: 'released' }),
    turned: ({ id }, { kind, reason }) => void told.push({ what: id, fact: `${kind} (${reason})` }),
  }
}

/** @property wait milliseconds from then on */
export type ParkedCopy = {
  readonly what: string
  readonly tier: string
  readonly wait: number
  readonly reason: ParkReason
}

type Options = {
  readonly configured: readonly (Connection | Repeater)[]
  readonly remotes?: Remotes
  /** Hears what is told beside the test. */
  readonly listen?: (tell: Tell, clock: Clock) => Tell
  /** What the retry topics answer instead of taking the records. */
  readonly refusal?: () => Appended | undefined
}

export type Hub = {
  readonly forwarder: Forwarder
  readonly clock: ManualClock
  readonly directory: Directory
  readonly deadLetters: HeldDeadLetters
  readonly intake: Intake
  readonly park: Park
  /** What was written to the retry topics. */
  readonly copies: readonly ParkedCopy[]
  readonly told: readonly Told[]
  /** Facts of the deliveries so far, in order: `demo/all@3 delivered`. */
  readonly facts: () => readonly string[]
  /** Set to false, another process may own the partition. */
  readonly lease: { holds: boolean }
  /** Decoders that the hub knows. */
  readonly readers: Map<number, ChangeReader>
  readonly task: PartitionTask
  readonly cases: SourceProgress
  /** Source values of `cases`, at the next offsets of the one partition. */
  receive(...values: readonly (string | null)[]): void
  /** As a command of an operator does it, at the next offset of the requeue topic; due at once. */
  putBack(
    header: Partial<RetryHeader> & Pick<RetryHeader, 'repeater' | 'offset'>,
    key: string,
    value: string | null,
  ): void
  /** Hands the hub what has lain in the retry topics as long as their tiers say. */
  returnDue(): void
  /** Resolves when the fact was told; the clock stands still meanwhile. */
  tells(fact: string): Promise<void>
}

const realRemotes = (t: TestContext, clock: Clock): Remotes => {
  const remotes = openRemotes(openAddressGuard(['127.0.0.0/8']), clock)
  t.after(() => remotes[Symbol.asyncDispose]())
  return remotes
}

export function openHub(t: TestContext, { configured, remotes, refusal, listen = (tell) => tell }: Options): Hub {
  const clock = manualClock(t)
  const directory = new Directory()
  put(directory, ...configured)
  const deadLetters = heldDeadLetters()
  const intake = new Intake(64 * 1024 * 1024)
  const tell = tellTales()
  const tiers = new Tiers('onward.', TIERS)
  const copies: ParkedCopy[] = []
  /** What lies in the retry topics and was not taken yet. */
  const lying = new Map<string, FetchedRecord[]>(tiers.all.map(({ topic }) => [topic, []]))
  const ends = new Map<string, number>()
  const park = openPark({
    appender: {
      append: async (topic, records) => {
        const refused = refusal?.()
        if (refused) return refused
        for (const { key, value, headers, partition } of records) {
          const offset = ends.get(topic) ?? 0
          ends.set(topic, offset + 1)
          const bytes = (part: Buffer | string | null) => (typeof part === 'string' ? Buffer.from(part) : part)
          const timestamp = String(clock.steady())
          const record = { offset: String(offset), timestamp, key: bytes(key), value: bytes(value) }
          lying.get(topic)?.push(headers ? { ...record, headers } : record)
          const read = readRetryHeader(headers?.[RETRY_HEADER], partition)
          const tier = tiers.all.find((each) => each.topic === topic)?.name ?? ''
          if (read.kind === 'malformed') throw new Error(read.error)
          const { repeater, offset: version, dueAt, reason } = read.header
          copies.push({ what: `${repeater}@${version}`, tier, wait: Math.round(dueAt - clock.steady()), reason })
        }
        return { kind: 'appended', count: records.length, ends: new Map([[0, ends.get(topic) ?? 0]]) }
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    commitFences: async () => {
      for (const { offsets } of task.tiers.values()) offsets.fences.confirm(offsets.fences.epoch)
    },
    clock,
    log: silentLog,
  })
  const readers = new Map<number, ChangeReader>()
  let requests = 0
  const lease = { holds: true }
  const forwarder = new Forwarder({
    clock,
    directory,
    readers,
    credentials: openCredentials({
      variable: (name) => ({ kind: 'absent', why: `${name} is not set` }),
      file: () => ({ kind: 'absent', why: 'there is no such file' }),
    }),
    remotes: remotes ?? realRemotes(t, clock),
    deadLetters,
    park,
    tiers,
    intake,
    tell: listen(tell, clock),
    holdsLease: () => lease.holds,
    random: () => 0,
    newRequestId: () => `request-${++requests}`,
    fail: (error) => {
      throw error
    },
  })
  const task = new PartitionTask(0)
  const cases = aSource('cases', 'cases')
  task.sources.set('cases', cases)
  for (const tier of tiers.read) {
    const start = {
      topic: tier.topic,
      partition: 0,
      base: 0,
      offset: 0,
      end: 0,
      commit: null,
      found: { kind: 'committed' },
    } as const
    task.tiers.set(tier.topic, openTier(start, tier))
  }
  t.after(() => {
    task.closed = true
    forwarder[Symbol.dispose]()
  })

  let next = 0
  const facts = () => tell.told.map(({ what, fact }) => `${what} ${fact}`)
  return {
    forwarder,
    clock,
    directory,
    deadLetters,
    intake,
    park,
    copies,
    told: tell.told,
    facts,
    lease,
    readers,
    task,
    cases,
    receive(...values) {
      for (const value of values) {
        forwarder.receive(task, cases, aRecord(next++, value), false)
        cases.position = next
      }
    },
    putBack(header, key, value) {
      const progress = task.tiers.get(tiers.requeue.topic)
      if (!progress) throw new Error('the requeue topic is not read')
      const whole = renderRetryHeader({
        topic: 'cases',
        partition: 0,
        timestamp: clock.now(),
        attempts: 0,
        tries: 0,
        firstFailedAt: null,
        dueAt: clock.now(),
        reason: 'requeue',
        epoch: 0,
        full: true,
        run: 'a-run',
        ...header,
      })
      const record = aRecord(progress.position++, value, {
        key: Buffer.from(key),
        headers: { [RETRY_HEADER]: Buffer.from(whole) },
      })
      forwarder.receiveDue(task, progress, record)
    },
    returnDue() {
      for (const tier of task.tiers.values()) {
        const records = lying.get(tier.topic) ?? []
        const isDue = ({ timestamp }: FetchedRecord) => Number(timestamp) + tier.tier.delay <= clock.steady()
        while (records[0] && isDue(records[0])) {
          const [record] = records.splice(0, 1)
          if (record) forwarder.receiveDue(task, tier, record)
        }
      }
    },
    tells: (fact) => until(`${fact} (told: ${facts().join(', ')})`, () => facts().includes(fact)),
  }
}
