// Makes what kubeconform and a cluster are given, from what their makers publish: the schemas of the Kubernetes kinds that the chart
// renders, and the definitions (CRDs) of the operators' kinds. Run it by hand when a version or a kind below changes:
//   node deploy/check/schemas/make-schemas.ts
// Enters: PyPI, Go's module proxy and Maven, by their clients. Leave: kubernetes/*.json and crds/*.yaml beside it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { renderSchema, type Definitions, type Schema } from './render-schema.ts'

const VALIDATE = 'kubernetes-validate==1.37.0'
const KUBERNETES = 'v1.34.0'
const OPERATORS = [
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    folder: 'example/prometheus-operator-crd',
    definitions: ['podmonitors', 'servicemonitors', 'prometheusrules'].map(
      (kind) => `monitoring.coreos.com_${kind}.yaml`,
    ),
  },
  {
    module: 'github.com/kedacore/keda/v2@v2.21.0',
    folder: 'config/crd/bases',
    definitions: ['keda.sh_scaledobjects.yaml', 'keda.sh_triggerauthentications.yaml'],
  },
] as const
/** The last that runs on Java 17. */
const STRIMZI = '0.45.0'
const STRIMZI_KINDS = [
  ['io.strimzi.api.kafka.model.topic.KafkaTopic', 'kafka.strimzi.io_kafkatopics.yaml'],
  ['io.strimzi.api.kafka.model.user.KafkaUser', 'kafka.strimzi.io_kafkausers.yaml'],
] as const

/** As kubeconform looks for them: kind, then the group's first word where there is one, then the version. */
const KINDS = [
  'configmap-v1',
  'pod-v1',
  'secret-v1',
  'service-v1',
  'serviceaccount-v1',
  'deployment-apps-v1',
  'horizontalpodautoscaler-autoscaling-v2',
  'ingress-networking-v1',
  'job-batch-v1',
  'networkpolicy-networking-v1',
  'poddisruptionbudget-policy-v1',
] as const

const HERE = import.meta.dirname
const work = mkdtempSync(join(tmpdir(), 'onward-schemas-'))
try {
  makeKubernetes()
  makeOperators()
  makeStrimzi()
} finally {
  rmSync(work, { recursive: true, force: true })
}

function makeKubernetes(): void {
  run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', work, VALIDATE])
  const folder = join(work, 'kubernetes_validate', 'kubernetes-json-schema', `${KUBERNETES}-local-strict`)
  const { $defs: definitions } = JSON.parse(readFileSync(join(folder, '_definitions.json'), 'utf8')) as {
    $defs: Definitions
  }
  const into = join(HERE, 'kubernetes')
  mkdirSync(into, { recursive: true })
  for (const kind of KINDS) {
    const schema = JSON.parse(readFileSync(join(folder, `${kind}.json`), 'utf8')) as Schema
    writeFileSync(join(into, `${kind}.json`), `${JSON.stringify(renderSchema(schema, definitions))}\n`)
  }
  console.log(`${KINDS.length} kinds of Kubernetes ${KUBERNETES}`)
}

function makeOperators(): void {
  for (const { module, folder, definitions } of OPERATORS) {
    const said = run('go', ['mod', 'download', '-json', module])
    const { Dir: source } = JSON.parse(said) as { Dir: string }
    for (const definition of definitions) copyDefinition(join(source, folder, definition))
    console.log(`${definitions.length} kinds of ${module}`)
  }
}

function makeStrimzi(): void {
  const pom = join(work, 'pom.xml')
  const dependencies = ['api', 'crd-generator'].map(
    (name) =>
      `<dependency><groupId>io.strimzi</groupId><artifactId>${name}</artifactId><version>${STRIMZI}</version></dependency>`,
  )
  writeFileSync(
    pom,
    `<project><modelVersion>4.0.0</modelVersion><groupId>onward</groupId><artifactId>crds</artifactId><version>1</version>
<packaging>pom</packaging><dependencies>${dependencies.join('')}</dependencies></project>`,
  )
  const jars = join(work, 'jars')
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies'
  run('mvn', ['-q', '-B', '-f', pom, copy, `-DoutputDirectory=${jars}`])
  const generator = ['-cp', globSync(join(jars, '*.jar')).join(':'), 'io.strimzi.crdgenerator.CrdGenerator']
  const made = STRIMZI_KINDS.map(([type, file]) => `${type}=${join(work, file)}`)
  run('java', [...generator, '--target-kube', '1.25+', '--crd-api-version', 'v1', '--yaml', ...made])
  for (const [, file] of STRIMZI_KINDS) copyDefinition(join(work, file))
  console.log(`${STRIMZI_KINDS.length} kinds of Strimzi ${STRIMZI}`)
}

/** Go's module cache is read-only, and a copy would be too. */
function copyDefinition(from: string): void {
  const into = join(HERE, 'crds', basename(from))
  mkdirSync(join(HERE, 'crds'), { recursive: true })
  rmSync(into, { force: true })
  copyFileSync(from, into)
  run('chmod', ['0644', into])
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}
