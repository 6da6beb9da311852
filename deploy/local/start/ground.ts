// What both the story and somebody's own rules stand on: a cluster, a folder for files, and verbs run against it.
// Enter: how the children's environment is made. Leave: the ground; disposing of it ends and removes everything made here.
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectKafka, type KafkaClient } from '../../../services/shared/kafka/kafka.ts'
import { ownTopics, sourceTopics } from '../../../services/shared/kafka/plan-topics.ts'
import { openLog } from '../../../services/shared/log.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import { readSettings, type Environment, type Settings } from '../../../services/shared/settings.ts'
import { makeRunFolder } from '../run-folder.ts'
import { startStack } from '../stack.ts'
import { runVerb } from './run-verb.ts'
import type { Screen } from './screen.ts'
import { startEnvironment, type Cluster } from './settings.ts'

export type Ground = AsyncDisposable & {
  readonly cluster: Cluster
  /** For Onward's processes. */
  readonly environment: Environment
  /** The same, read. */
  readonly settings: Settings
  readonly kafka: KafkaClient
  /** @returns the whole path of a file that is gone with the ground */
  writeFile(name: string, content: string): string
  /** Runs `onward` with these arguments. @returns its standard output @throws VerbError */
  verb(args: readonly string[]): Promise<string>
  /** Shows how long the work takes. */
  step<Made>(title: string, work: () => Promise<Made>): Promise<Made>
}

export type MakeEnvironment = (env: Environment, cluster: Cluster, mark: string) => Environment

/** Enough to see that partitions are kept apart, few enough to be made at once. */
export const PARTITIONS = 3

/** @param signal ends a start that is under way */
export async function openGround(
  makeEnvironment: MakeEnvironment,
  screen: Screen,
  signal: AbortSignal,
): Promise<Ground> {
  await using opened = new AsyncDisposableStack()
  const stack = opened.use(await startStack({ progress: screen.progress, signal }))
  const folder = makeRunFolder()
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  opened.defer(removeFolder)
  // A second Ctrl-C ends the process without disposing of anything.
  process.once('exit', removeFolder)
  const mark = `onward-start-${randomBytes(4).toString('hex')}`
  const environment = makeEnvironment(startEnvironment(), stack, mark)
  const settings = readSettings(environment)
  const log = opened.use(openLog(process.stderr, 'error', 'start', systemClock))
  const moved = opened.move()
  return {
    cluster: stack,
    environment,
    settings,
    kafka: connectKafka(settings.kafka, mark, log),
    writeFile: (name, content) => {
      const file = join(folder, name)
      writeFileSync(file, content)
      return file
    },
    verb: (args) => runVerb(args, environment, signal),
    step: async (title, work) => {
      const step = screen.progress.step(title)
      try {
        const made = await work()
        step.done()
        return made
      } catch (error) {
        step.failed()
        throw error
      }
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}

/** On a cluster that is not ours nothing stays behind: group, topics and schemas of these names were made for this run. */
export async function removeTraces({ kafka, settings, cluster }: Ground, withSources: boolean): Promise<void> {
  const sources = withSources ? sourceTopics(settings.topics) : []
  const admin = kafka.admin()
  await admin.connect()
  try {
    const named = [...ownTopics(settings), ...sources]
    const existing = new Set(await admin.listTopics())
    await admin.deleteTopics({ topics: named.filter((topic) => existing.has(topic)) })
    const groups = [settings.groupId, `${settings.groupId}-notifier`]
    const { groups: known } = await admin.listGroups()
    await admin.deleteGroups(groups.filter((group) => known.some(({ groupId }) => groupId === group)))
  } finally {
    await admin.disconnect()
  }
  if (cluster.registryUrl === null) return
  for (const topic of sources) await fetch(`${cluster.registryUrl}/subjects/${topic}-value`, { method: 'DELETE' })
}
