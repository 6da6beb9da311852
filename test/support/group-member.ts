// A member of a consumer group that notes what it is given, and reads from a real broker until the test ends.
import type { TestContext } from 'node:test'
import { systemClock } from '../../services/shared/clock.ts'
import { joinGroup, type FetchedRecord, type Group } from '../../services/shared/kafka/group.ts'
import { connectKafka } from '../../services/shared/kafka/kafka.ts'
import type { StartPosition } from '../../services/shared/kafka/start-position.ts'
import type { Log } from '../../services/shared/log.ts'
import { silentLog, type KafkaGround } from './kafka-ground.ts'

type Received = { readonly topic: string; readonly partition: number; readonly offset: number; readonly value: string }
export type Member = {
  readonly group: Group
  /** Where what it owns began. */
  readonly positions: readonly StartPosition[]
  readonly numbers: number
  readonly received: readonly Received[]
  /** Records that were handed over while nothing was owned: nobody would take them. */
  readonly unowned: readonly Received[]
  readonly revocations: number
  /** How often it was told what it owns. */
  readonly assignments: number
  /** Events of its log. */
  readonly logged: readonly string[]
  /** Awaited by the next revocation. */
  onRevoked: () => Promise<void>
  leave(): Promise<void>
}

const WITHIN_MS = 30_000
/** Brokers answer when they like, so the machine is left alone between looks. */
export async function untilBrokersDo(what: string, holds: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + WITHIN_MS
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`still not: ${what}`)
    await systemClock.sleep(20)
  }
}

type Join = {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly startFrom?: 'earliest' | 'latest'
  readonly fail?: (error: unknown) => void
}

const throwIt = (error: unknown) => {
  throw error
}

export async function join(
  t: TestContext,
  ground: KafkaGround,
  { groupId, topics, startFrom = 'earliest', fail = throwIt }: Join,
): Promise<Member> {
  const received: Received[] = []
  const unowned: Received[] = []
  const logged: string[] = []
  const note = (event: string, fields?: object) => {
    logged.push(`${event} ${JSON.stringify(fields ?? {})}`)
  }
  const log: Log = { ...silentLog, info: note, warn: note, error: note }
  const state = { positions: [] as readonly StartPosition[], numbers: 0, revocations: 0, assignments: 0, left: false }
  const group = await joinGroup({
    fail,
    // kafkajs keeps the committed offsets of a group for each client: members that shared one would clear each other's.
    kafka: connectKafka({ brokers: ground.brokers, ssl: null, sasl: null }, 'onward-member', silentLog),
    groupId,
    topics,
    startFrom: () => startFrom,
    log,
    clock: systemClock,
    work: {
      assigned: (positions, numbers) => {
        state.positions = [...state.positions, ...positions]
        state.numbers = numbers
        state.assignments++
      },
      revoked: async (numbers) => {
        state.revocations++
        await member.onRevoked()
        state.positions = state.positions.filter(({ partition }) => !numbers.includes(partition))
      },
      positionOf: (topic, partition) => {
        const last = received.findLast((record) => record.topic === topic && record.partition === partition)
        const start = state.positions.find((owned) => owned.topic === topic && owned.partition === partition)
        return Math.max(start?.offset ?? 0, (last?.offset ?? -1) + 1)
      },
      received: (topic, partition, records: readonly FetchedRecord[]) => {
        for (const { offset, value } of records) {
          const record = { topic, partition, offset: Number(offset), value: value?.toString() ?? '' }
          const isOwned = state.positions.some((owned) => owned.topic === topic && owned.partition === partition)
          ;(isOwned ? received : unowned).push(record)
        }
      },
      reached: () => undefined,
    },
  })
  const member: Member = {
    group,
    get positions() {
      return state.positions
    },
    get numbers() {
      return state.numbers
    },
    get assignments() {
      return state.assignments
    },
    get revocations() {
      return state.revocations
    },
    received,
    unowned,
    logged,
    onRevoked: async () => undefined,
    async leave() {
      if (state.left) return
      state.left = true
      await group[Symbol.asyncDispose]()
    },
  }
  t.after(() => member.leave())
  return member
}

export const numbersOf = (member: Member, topic: string) =>
  member.positions.filter((position) => position.topic === topic).map(({ partition }) => partition)
export const valuesOf = ({ received }: Member) => received.map(({ value }) => value)
