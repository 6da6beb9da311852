// `npm run check:cluster`: the chart on a real Kubernetes API: installed, upgraded, rolled back, removed, with each optional part.
// Enter: --only TEXT. Leaves: a line for each story, what went wrong, an exit code.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { REPOSITORY } from '../local/paths.ts'
import { openProgress, type Progress } from '../local/progress.mjs'
import { untilSignal } from '../local/until-signal.ts'
import { valuesFiles } from './chart.ts'
import { openGround } from './cluster/ground.ts'
import { openCluster, type Cluster } from './cluster/open-cluster.ts'
import {
  failedInstall,
  installedWith,
  onAndOff,
  oneLife,
  restricted,
  withoutOperators,
  wrongValues,
  type Story,
} from './cluster/stories.ts'
import { HELM } from './tools/chart-tools.ts'
import { API_SERVER, CONTROLLER_MANAGER, ETCD, KWOK, SCHEDULER } from './tools/cluster-tools.ts'
import { until } from './until.ts'

const HELP = `npm run check:cluster                      the chart on a real Kubernetes API server, in namespaces with restricted pod security
npm run check:cluster -- --only rollback   only the stories with this in their title

The first run builds Kubernetes with Go, which takes a quarter of an hour, into .cache; etcd is Debian's. No container runs: kwok
says of each pod that it is ready.

Exit codes: 0 all is well, 1 something is wrong, 2 the arguments are.`

const TOOLS = [HELM, ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER, KWOK]

/** Told before the cluster knows the operators' kinds. */
const BEFORE_OPERATORS = [restricted, oneLife, wrongValues, failedInstall, withoutOperators]

/** Of a topic's resource the topic itself depends. */
const KEPT: Readonly<Record<string, RegExp>> = { strimzi: /kafkatopics?\b/i }

async function main(): Promise<number> {
  const only = readArguments()
  if (typeof only === 'number') return only
  const { signal, code } = untilSignal()
  const progress = openProgress()
  try {
    const ways = valuesFiles(REPOSITORY).map(({ name }) => name.replace('-values.yaml', ''))
    const afterwards = [...ways.map((way) => installedWith(way, KEPT[way])), onAndOff]
    const wanted = (stories: readonly Story[]) => stories.filter(({ title }) => title.includes(only.text))
    if (wanted([...BEFORE_OPERATORS, ...afterwards]).length === 0) {
      console.error(`No story has "${only.text}" in its title.`)
      return 2
    }
    for (const tool of TOOLS) await tool.install(progress, signal)
    await using cluster = await openCluster(progress, signal)
    const failed = await tellAll(wanted(BEFORE_OPERATORS), cluster, progress, signal)
    await addOperatorsKinds(cluster)
    const more = await tellAll(wanted(afterwards), cluster, progress, signal)
    return failed + more === 0 ? 0 : 1
  } catch (error) {
    if (signal.aborted) return await code
    progress.print(error instanceof Error ? error.message : String(error))
    return 1
  }
}

function readArguments(): number | { readonly text: string } {
  try {
    const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
    if (!values.help) return { text: values.only ?? '' }
    console.log(HELP)
    return 0
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return 2
  }
}

/** @returns how many failed */
async function tellAll(
  stories: readonly Story[],
  cluster: Cluster,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  let failed = 0
  for (const story of stories) {
    const step = progress.step(story.title)
    try {
      const name = story.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
      step.done(await story.tell(await openGround(cluster, name.slice(0, 60).replace(/-$/, ''), signal)))
    } catch (error) {
      signal.throwIfAborted()
      failed += 1
      step.failed()
      progress.print((error instanceof Error ? error.message : String(error)).replace(/^/gm, '    '))
    }
  }
  return failed
}

type Definition = { readonly metadata: { readonly name: string }; readonly spec: { readonly group: string } }

/** Those of KEDA, Strimzi and the Prometheus operator; until the API serves them. */
async function addOperatorsKinds({ api }: Cluster): Promise<void> {
  const folder = join(import.meta.dirname, 'schemas', 'crds')
  const definitions = globSync('*.yaml', { cwd: folder }).map(
    (file) => parse(readFileSync(join(folder, file), 'utf8')) as Definition,
  )
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  for (const definition of definitions) await api.create(path, definition)
  const groups = new Set(definitions.map(({ spec }) => spec.group))
  await until('the operators’ kinds', async () => {
    const served = (await api.get('/apis')) as { groups: { name: string }[] }
    return [...groups].every((group) => served.groups.some(({ name }) => name === group))
  })
}

process.exitCode = await main()
