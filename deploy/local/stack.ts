// The local stack: a real Kafka (one node, or three) and a real schema registry on free loopback ports.
// Enter: how many nodes, and whether a registry. Leave: addresses that answer. Never: a process or file that outlives this
// process, and nothing at all where the environment names a cluster that already runs.
import { join } from 'node:path'
import { rmSync } from 'node:fs'
import { kafkaId, planBroker, type BrokerPorts } from './broker.ts'
import { freePorts } from './free-ports.ts'
import { fetchJars, type Jars } from './jars.ts'
import { PortTakenError, startMember, type Member, type MemberPlan } from './member.ts'
import { openProgress, type Progress } from './progress.mjs'
import { makeRunFolder, sweepRunFolders } from './run-folder.ts'
import { planRegistry, registryUrl } from './schema-registry.ts'

export type StackOptions = {
  /** Three for tests of what a cluster survives. @default 1 */
  readonly nodes?: 1 | 3
  /** @default true */
  readonly registry?: boolean
  /** Starts one also where the environment names a cluster: for tests that kill what they started. @default false */
  readonly own?: boolean
  /** @default on standard error */
  readonly progress?: Progress
  /** Ends a start that is under way; afterwards `stop` is what ends it. */
  readonly signal?: AbortSignal
}

export type Stack = AsyncDisposable & {
  /** `host:port` each. */
  readonly brokers: readonly string[]
  readonly registryUrl: string | null
  /** Ours to kill and start again; empty where the cluster is not ours. */
  readonly kafka: readonly Member[]
  readonly registry: Member | null
  /** True where the environment named the cluster: nothing was started, nothing is stopped. */
  readonly given: boolean
  /** Everything ended and removed. May be called again. */
  stop(): Promise<void>
  /** Lets this process end although the stack runs; the stack ends with it. */
  unref(): void
}

/** Each is a new choice of ports: that all of them fail means something else is wrong. */
const ATTEMPTS = 5

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const given = options.own ? undefined : givenStack()
  if (given) return given
  const progress = options.progress ?? openProgress()
  const jars = await fetchJars(progress, options.signal)
  sweepRunFolders()
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(jars, options, progress)
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === ATTEMPTS) throw error
      progress.print(`  ${error.message}: once more with other ports`)
    }
  }
}

function givenStack(): Stack | undefined {
  const brokers = process.env['KAFKA_BROKERS']
  if (!brokers) return undefined
  const nothing = async () => undefined
  return {
    brokers: brokers.split(',').map((broker) => broker.trim()),
    registryUrl: process.env['SCHEMA_REGISTRY_URL'] || null,
    kafka: [],
    registry: null,
    given: true,
    stop: nothing,
    unref: () => undefined,
    [Symbol.asyncDispose]: nothing,
  }
}

async function startOnce(jars: Jars, options: StackOptions, progress: Progress): Promise<Stack> {
  const { nodes = 1, registry = true } = options
  const ports = await freePorts(2 * nodes + 1)
  const [registryPort = 0, ...rest] = ports
  const brokers = pairs(rest)
  const clusterId = kafkaId()
  const folder = makeRunFolder()

  // One that fails ends the waiting of the others.
  const failed = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal
  const members: Member[] = []
  const start = async (plan: MemberPlan) => {
    const step = progress.step(plan.name)
    try {
      const member = await startMember(plan, signal)
      members.push(member)
      step.done()
      return member
    } catch (error) {
      step.failed()
      failed.abort(error)
      throw error
    }
  }
  const end = async () => {
    await Promise.all(members.map((member) => member.end()))
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  const starting = {
    kafka: brokers.map((_, at) =>
      start(planBroker(jars.kafka, clusterId, brokers, at, join(folder, `broker-${at + 1}`))),
    ),
    registry: registry ? start(planRegistry(jars.registry, registryPort, join(folder, 'registry'))) : null,
  }
  const settled = await Promise.allSettled([...starting.kafka, starting.registry])
  const failure = settled.find((result) => result.status === 'rejected')
  if (failure) {
    await end()
    // The first that failed, not one that was ended because of it.
    throw failed.signal.reason
  }
  return {
    brokers: brokers.map(({ client }) => `127.0.0.1:${client}`),
    registryUrl: registry ? registryUrl(registryPort) : null,
    kafka: await Promise.all(starting.kafka),
    registry: await starting.registry,
    given: false,
    stop: end,
    unref: () => members.forEach((member) => member.unref()),
    [Symbol.asyncDispose]: end,
  }
}

function pairs(ports: readonly number[]): BrokerPorts[] {
  const brokers: BrokerPorts[] = []
  for (let at = 0; at + 1 < ports.length; at += 2)
    brokers.push({ client: ports[at] ?? 0, controller: ports[at + 1] ?? 0 })
  return brokers
}
