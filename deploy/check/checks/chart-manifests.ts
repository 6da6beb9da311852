// What the chart renders, against the schemas of Kubernetes and of the operators: an unknown or misspelt field is refused.
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Check } from '../check.ts'
import { CHART } from '../../helm/chart-files.ts'
import { KUBERNETES_VERSION, renderChart, valuesFiles } from '../chart.ts'
import { runTool, saidBy } from '../run-tool.ts'
import { strictSchema } from '../schemas/render-schema.ts'
import { HELM, KUBECONFORM } from '../tools/chart-tools.ts'

const SCHEMAS = join(import.meta.dirname, '..', 'schemas')

export const chartManifests: Check = {
  name: 'chart-manifests',
  about:
    'what helm template renders with every values file, against the schemas of Kubernetes and the operators (kubeconform)',
  tools: [HELM, KUBECONFORM],
  run: async (tree, signal) => {
    const operators = mkdtempSync(join(tmpdir(), 'onward-crds-'))
    try {
      writeOperatorSchemas(operators)
      const files = valuesFiles(tree)
      const problems: string[] = []
      let resources = 0
      for (const file of files) {
        const rendering = await renderChart(tree, file, signal)
        if (rendering.kind === 'refused') {
          problems.push(rendering.text)
          continue
        }
        const run = await runTool(KUBECONFORM.command, argumentsFor(operators), { input: rendering.text }, signal)
        resources += Number(/(\d+) resources? found/.exec(run.stdout)?.[1] ?? 0)
        if (run.code !== 0) problems.push(`${file.name}: ${saidBy(run)}`)
      }
      return { seen: `${resources} objects of ${files.length} values files`, problems }
    } finally {
      rmSync(operators, { recursive: true, force: true })
    }
  },
  mutations: [
    {
      file: `${CHART}/templates/forwarder/deployment.yaml`,
      from: 'minReadySeconds:',
      to: 'minReadySecond:',
      says: /minReadySecond/,
    },
    {
      file: `${CHART}/templates/forwarder/pdb.yaml`,
      from: 'unhealthyPodEvictionPolicy: AlwaysAllow',
      to: 'unhealthyPodEvictionPolicy: [AlwaysAllow]',
      says: /unhealthyPodEvictionPolicy/,
    },
    {
      file: `${CHART}/templates/forwarder/scaledobject.yaml`,
      from: 'maxReplicaCount:',
      to: 'maxReplicas:',
      says: /maxReplicas/,
    },
    {
      file: `${CHART}/templates/forwarder/scaledobject.yaml`,
      from: '| int64 | quote }}\n        offset',
      to: '| int64 }}\n        offset',
      says: /lagThreshold/,
    },
    { file: `${CHART}/templates/strimzi/topics.yaml`, from: 'topicName:', to: 'topic:', says: /'topic'/ },
    { file: `${CHART}/templates/monitoring/_scrape.tpl`, from: 'port: http', to: 'portName: http', says: /portName/ },
  ],
}

const argumentsFor = (operators: string): readonly string[] => [
  '-strict',
  '-summary',
  '-kubernetes-version',
  KUBERNETES_VERSION,
  ...[join(SCHEMAS, 'kubernetes'), operators].flatMap((folder) => [
    '-schema-location',
    `${folder}/{{.ResourceKind}}{{.KindSuffix}}.json`,
  ]),
]

type Definition = {
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: unknown } }[]
  }
}

/** From the operators' CRDs, in files that are called as kubeconform looks for them. */
function writeOperatorSchemas(into: string): void {
  mkdirSync(into, { recursive: true })
  for (const file of globSync('crds/*.yaml', { cwd: SCHEMAS })) {
    const { spec } = parse(readFileSync(join(SCHEMAS, file), 'utf8')) as Definition
    for (const { name, schema } of spec.versions) {
      const path = join(into, `${spec.names.kind.toLowerCase()}-${spec.group.split('.')[0] ?? ''}-${name}.json`)
      writeFileSync(path, JSON.stringify(strictSchema(schema.openAPIV3Schema)))
    }
  }
}
