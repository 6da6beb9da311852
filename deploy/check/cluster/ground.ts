// A namespace of a cluster and Helm in it: what a story is told on. Enter: a cluster, a name. Leave: Helm's answers, what lies in the
// namespace. Never: a namespace that takes other than restricted pods.
import { join } from 'node:path'
import { REPOSITORY } from '../../local/paths.ts'
import { CHART } from '../../helm/chart-files.ts'
import { runTool, saidBy } from '../run-tool.ts'
import { HELM } from '../tools/chart-tools.ts'
import { until } from '../until.ts'
import type { KubernetesObject } from './api.ts'
import type { Cluster } from './open-cluster.ts'

export const RELEASE = 'onward'

export type Ground = {
  readonly namespace: string
  readonly cluster: Cluster
  readonly signal: AbortSignal
  /** Helm with these words, in the namespace. @returns what it said @throws Error where it fails */
  readonly helm: (...args: readonly string[]) => Promise<string>
  /** The same for what must fail. @returns what it said @throws Error where it does not */
  readonly refused: (...args: readonly string[]) => Promise<string>
  /** Everything in the namespace that was not there at first and is no event: `Deployment onward-forwarder`. */
  readonly contents: () => Promise<ReadonlyMap<string, KubernetesObject>>
}

/** How long Helm waits for pods and jobs that need a second. */
const HELM_WAITS = '120s'

export async function openGround(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<Ground> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await cluster.api.create('/api/v1/namespaces', { metadata: { name: namespace, labels } })
  const run = (args: readonly string[]) =>
    runTool(HELM.command, [...args, '--namespace', namespace], { env: helmEnvironment(cluster) }, signal)
  const path = `/api/v1/namespaces/${namespace}`
  // Whoever installs at once finds no default service account, and pods are refused.
  await until('the default service account', async () => (await cluster.api.list(`${path}/serviceaccounts`)).length > 0)
  await until('the cluster’s certificate', async () => (await cluster.api.list(`${path}/configmaps`)).length > 0)
  const first = new Set((await contentsOf(cluster, namespace)).keys())
  return {
    namespace,
    cluster,
    signal,
    helm: async (...args) => {
      const ran = await run(args)
      if (ran.code !== 0) throw new Error(`helm ${args.join(' ')}: ${saidBy(ran)}`)
      return ran.stdout
    },
    refused: async (...args) => {
      const ran = await run(args)
      if (ran.code === 0) throw new Error(`helm ${args.join(' ')} was to fail, and did not`)
      return saidBy(ran)
    },
    contents: async () => {
      const now = await contentsOf(cluster, namespace)
      return new Map([...now].filter(([name]) => !first.has(name)))
    },
  }
}

/** Install or upgrade, and until all of it is ready. */
export const upgrade = (values: string, ...more: readonly string[]): readonly string[] => [
  ...['upgrade', '--install', RELEASE, join(REPOSITORY, CHART), '--wait', '--timeout', HELM_WAITS],
  ...['--values', values, ...more],
]

/** A file of the chart's `ci/`. */
export const valuesOf = (name: string): string => join(REPOSITORY, CHART, 'ci', `${name}-values.yaml`)

/** Of Helm's own, nothing outside the cluster's folder. */
const helmEnvironment = ({ kubeconfig, folder }: Cluster): NodeJS.ProcessEnv => ({
  ...process.env,
  KUBECONFIG: kubeconfig,
  HELM_CACHE_HOME: join(folder, 'helm-cache'),
  HELM_CONFIG_HOME: join(folder, 'helm-config'),
  HELM_DATA_HOME: join(folder, 'helm-data'),
})

type Resource = {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

/** All that can be listed there, whatever kinds the cluster has. */
async function contentsOf({ api }: Cluster, namespace: string): Promise<ReadonlyMap<string, KubernetesObject>> {
  const groups = (await api.get('/apis')) as { groups: { preferredVersion: { groupVersion: string } }[] }
  const bases = ['/api/v1', ...groups.groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)]
  const found = new Map<string, KubernetesObject>()
  for (const base of bases) {
    const { resources } = (await api.get(base)) as { resources: Resource[] }
    for (const { name, kind, namespaced, verbs } of resources) {
      if (!namespaced || !verbs.includes('list') || kind === 'Event') continue
      for (const object of await api.list(`${base}/namespaces/${namespace}/${name}`)) {
        found.set(`${kind} ${object.metadata.name}`, object)
      }
    }
  }
  return found
}
