// The chart as the checks see it. Enter: a tree. Leave: its values files, and what they render to.
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { CHART } from '../helm/chart-files.ts'
import { runTool, saidBy } from './run-tool.ts'
import { HELM } from './tools/chart-tools.ts'

/** Of Kubernetes, by which the chart is judged. */
export const KUBERNETES_VERSION = '1.34.0'

export type ValuesFile = { readonly name: string; readonly path: string }

/** One for each way to install it: what each adds to the smallest is its name. @throws Error when there is none */
export function valuesFiles(tree: string): readonly ValuesFile[] {
  const folder = join(tree, CHART)
  const files = globSync('ci/*-values.yaml', { cwd: folder }).toSorted()
  if (files.length === 0) throw new Error(`${CHART}/ci has no values files: nothing was checked`)
  return files.map((file) => ({ name: basename(file), path: join(folder, file) }))
}

export type Rendering =
  | { readonly kind: 'rendered'; readonly text: string }
  /** What Helm says of it. */
  | { readonly kind: 'refused'; readonly text: string }

/** `helm template` with a values file. */
export async function renderChart(tree: string, values: ValuesFile, signal: AbortSignal): Promise<Rendering> {
  const args = ['template', 'onward', join(tree, CHART), '--namespace', 'forwarding', '--values', values.path]
  const run = await runTool(HELM.command, [...args, '--kube-version', KUBERNETES_VERSION], {}, signal)
  return run.code === 0
    ? { kind: 'rendered', text: run.stdout }
    : { kind: 'refused', text: `${values.name}: ${saidBy(run)}` }
}

/** The parts of an object of Kubernetes that the checks look at. */
export type Manifest = {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec?: unknown
  readonly data?: Readonly<Record<string, string>>
}

/** @param text what `helm template` printed */
export const readManifests = (text: string): readonly Manifest[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null)

export type Container = {
  readonly name: string
  readonly command?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
}

type PodSpec = { readonly initContainers?: readonly Container[]; readonly containers?: readonly Container[] }

/** Of a pod, or of what makes pods; else none. */
export function containersOf({ kind, spec }: Manifest): readonly Container[] {
  const pod = (kind === 'Pod' ? spec : (spec as { template?: { spec?: unknown } } | undefined)?.template?.spec) as
    PodSpec | undefined
  return [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])]
}
