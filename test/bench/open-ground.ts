// What all systems of a run stand on: broker, registry, receiver, loads on their topics, Onward's configuration and topics.
// Enter: the loads to publish. Leave: where everything is; disposing of it stops what was started here.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '../../deploy/local/stack.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { connectKafka, type KafkaClient } from '../../services/shared/kafka/kafka.ts'
import { openLog } from '../../services/shared/log.ts'
import { configureOnward } from './configure-onward.ts'
import { generateChanges, type ChangePlan } from './generate-changes.ts'
import { openEncoder, type Encoder } from './open-encoder.ts'
import { openReceiver, type Receiver } from './open-receiver.ts'
import { appendLoad, createTopic, publishLoad, type PublishedLoad } from './publish-load.ts'
import { renderBody } from './render-body.ts'
import { stamp } from './stamp.ts'
import {
  CASES,
  CHANGE_BYTES,
  CONNECTIONS,
  HANG_FOR,
  PARTITIONS,
  RECEIVER_LATENCY,
  type Load,
  type LoadName,
  type Rules,
} from './measurements.ts'

export type Ground = AsyncDisposable & {
  readonly brokers: readonly string[]
  readonly registryUrl: string | null
  readonly receiver: Receiver
  readonly kafka: KafkaClient
  readonly seed: number
  /** A file with bodies as Onward sends them, one a line. */
  readonly bodies: string
  /** @throws Error when it was not among the loads of the plan */
  load(name: LoadName): PublishedLoad
  /** A source topic with nothing in it. */
  openTopic(name: string): Promise<LiveTopic>
  /** More for a load's topic, each change with the instant of its sending. @returns how many */
  append(topic: string, load: Pick<ChangePlan, 'changes' | 'cases' | 'firstCase'>): Promise<void>
  /**
   * Onward's own topics, and in them its configuration: a set for each name, since what one run parks is not another's.
   * @param topic a source topic that exists @param retryTiers milliseconds @param origin of the receiver
   * @returns what the topics' names begin with
   */
  configure(name: string, topic: string, rules: Rules, retryTiers: readonly number[], origin: string): Promise<string>
}
export type LiveTopic = { readonly topic: string; readonly encode: Encoder }
export type GroundPlan = {
  readonly loads: readonly Load[]
  readonly seed: number
  readonly format: 'avro' | 'json'
}

/** Bodies the bare loop sends in turn: enough that no cache is flattered, few enough to render at once. */
const BODIES = 5_000

export async function openGround(plan: GroundPlan, say: (line: string) => void): Promise<Ground> {
  await using started = new AsyncDisposableStack()
  const clock = systemClock
  const folder = mkdtempSync(join(tmpdir(), 'onward-bench-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  started.defer(removeFolder)
  // Ctrl-C ends the process without disposing of anything.
  process.once('exit', removeFolder)
  say('starting broker and receiver')
  const stack = started.use(await startStack({ registry: plan.format === 'avro' }))
  const receiver = started.use(await openReceiver(RECEIVER_LATENCY, HANG_FOR))
  const kafka = connectKafka(
    { brokers: stack.brokers, ssl: null, sasl: null },
    'onward-bench',
    openLog(process.stderr, 'error', 'bench', clock),
  )
  const registryUrl = plan.format === 'avro' ? stack.registryUrl : null
  const mark = `bench-${randomUUID().slice(0, 8)}`
  const bodies = join(folder, 'bodies')
  writeBodies(bodies, changesOf({ changes: BODIES, cases: CASES, zipf: null }, plan.seed))
  const loads = await publishLoads(kafka, mark, plan, registryUrl, say)
  const configured = new Map<string, string>()
  const opened = started.move()
  return {
    brokers: stack.brokers,
    registryUrl,
    receiver,
    kafka,
    seed: plan.seed,
    bodies,
    load(name) {
      const load = loads.get(name)
      if (load === undefined) throw new Error(`The load ${name} was not published`)
      return load
    },
    async openTopic(name) {
      const topic = `${mark}.${name}`
      await createTopic(kafka, topic, PARTITIONS)
      return { topic, encode: await openEncoder(registryUrl, topic) }
    },
    async append(topic, load) {
      const encode = await openEncoder(registryUrl, topic)
      const changes = { ...changesOf({ ...load, zipf: null }, plan.seed), ...load }
      await appendLoad(
        kafka,
        topic,
        changes,
        (document) => encode(stamp(document)),
        () => undefined,
      )
    },
    async configure(name, topic, rules, retryTiers, origin) {
      const known = configured.get(name)
      if (known !== undefined) return known
      const prefix = `${mark}.${name}.`
      await configureOnward(kafka, stack.brokers, prefix, topic, rules, retryTiers, origin)
      configured.set(name, prefix)
      return prefix
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function publishLoads(
  kafka: KafkaClient,
  mark: string,
  { loads, seed }: GroundPlan,
  registryUrl: string | null,
  say: (line: string) => void,
): Promise<ReadonlyMap<LoadName, PublishedLoad>> {
  const published = new Map<LoadName, PublishedLoad>()
  for (const load of loads) {
    const topic = `${mark}.${load.name}`
    const encode = await openEncoder(registryUrl, topic)
    say(`publishing ${load.changes} changes, ${load.name}, ${registryUrl === null ? 'JSON' : 'Avro'}`)
    const done = await publishLoad(kafka, topic, PARTITIONS, changesOf(load, seed), encode, (count) => {
      if (count % 50_000 === 0) say(`  ${count} of ${load.changes}`)
    })
    published.set(load.name, done)
  }
  return published
}

const changesOf = (load: Omit<Load, 'name'>, seed: number): ChangePlan => ({
  changes: load.changes,
  cases: load.cases,
  projects: CONNECTIONS,
  zipf: load.zipf,
  bytes: CHANGE_BYTES,
  seed,
})

function writeBodies(file: string, plan: ChangePlan): void {
  const lines: string[] = []
  for (const { document } of generateChanges(plan)) lines.push(renderBody(document))
  writeFileSync(file, lines.join('\n'))
}
