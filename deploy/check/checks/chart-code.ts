// The chart against Onward's own code: it sets settings that there are, to values that they take; its topics are those that
// `onward topics` would make; it runs files and verbs that there are, as the image's user; alert rules arrive in it as they were written.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { verb as apply } from '../../../services/cli/apply.ts'
import { verb as check } from '../../../services/cli/check.ts'
import { verb as topics } from '../../../services/cli/topics.ts'
import { wantedTopics } from '../../../services/shared/kafka/plan-topics.ts'
import { SETTINGS, type Setting } from '../../../services/shared/settings-table.ts'
import { CHART } from '../../helm/chart-files.ts'
import type { Check } from '../check.ts'
import { containersOf, readManifests, renderChart, valuesFiles, type Container, type Manifest } from '../chart.ts'
import { readDockerfile } from '../image/read-dockerfile.ts'
import { openSettingsJudge } from '../judge-settings.ts'
import { HELM } from '../tools/chart-tools.ts'

export const chartCode: Check = {
  name: 'chart-code',
  about: "settings, topics, commands and rules in the chart are those of Onward's code",
  tools: [HELM],
  run: async (tree, signal) => {
    const problems: string[] = []
    using judge = openSettingsJudge()
    const set = new Set<string>(settingsOfSchema(tree))
    let containers = 0
    for (const file of valuesFiles(tree)) {
      const rendering = await renderChart(tree, file, signal)
      if (rendering.kind === 'refused') {
        problems.push(rendering.text)
        continue
      }
      const manifests = readManifests(rendering.text)
      const found = manifests.flatMap(containersOf)
      containers += found.length
      const faults = [
        ...found.flatMap((container) => [...settingFaults(container, set), ...commandFaults(container, tree)]),
        ...found.flatMap((container) => judge.problems(container).map((problem) => `${container.name}: ${problem}`)),
        ...topicFaults(manifests),
        ...ruleFaults(manifests, tree),
      ]
      problems.push(...faults.map((fault) => `${file.name}: ${fault}`))
    }
    problems.push(...imageFaults(tree))
    const missing = Object.keys(SETTINGS).filter((name) => !set.has(name))
    if (missing.length > 0) problems.push(`no values file sets, and no value takes: ${missing.join(', ')}`)
    return {
      seen: `${containers} containers, ${Object.keys(SETTINGS).length} settings`,
      problems: [...new Set(problems)],
    }
  },
  mutations: [
    {
      file: `${CHART}/templates/_settings.tpl`,
      from: 'name: ONWARD_GROUP_ID',
      to: 'name: ONWARD_GROUP',
      says: /no setting ONWARD_GROUP\b/,
    },
    {
      file: `${CHART}/templates/_settings.tpl`,
      from: '{ name: KAFKA_SSL, value: "true" }',
      to: '{ name: KAFKA_SSL, value: "yes" }',
      says: /KAFKA_SSL/,
    },
    {
      file: `${CHART}/templates/_settings.tpl`,
      from: 'name: KAFKA_SSL_CERT_FILE',
      to: 'name: KAFKA_SSL_CA_FILE',
      says: /takes: KAFKA_SSL_CERT_FILE/,
    },
    {
      file: `${CHART}/templates/_settings.tpl`,
      from: '- { name: KAFKA_SSL_KEY_FILE, value: /etc/onward/kafka-tls/tls.key }',
      to: '',
      says: /KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE go together/,
    },
    {
      file: `${CHART}/templates/_settings.tpl`,
      from: '- { name: ONWARD_MAIL_FROM, value: {{ .mailFrom | quote }} }',
      to: '- { name: ONWARD_MAIL_FROM, value: nobody }',
      says: /ONWARD_MAIL_FROM must be an address/,
    },
    {
      file: `${CHART}/templates/notifier/deployment.yaml`,
      from: 'services/notifier/main.ts',
      to: 'services/notifier.ts',
      says: /services\/notifier\.ts/,
    },
    {
      file: `${CHART}/templates/prepare/job.yaml`,
      from: '"--allow-differences"',
      to: '"--differences"',
      says: /--differences/,
    },
    {
      file: `${CHART}/templates/strimzi/topics.yaml`,
      from: '(mul 30 $days)',
      to: '(mul 3 $days)',
      says: /onward\.dead-letters/,
    },
    {
      file: `${CHART}/templates/strimzi/topics.yaml`,
      from: '"requeue" (dict',
      to: '"requeues" (dict',
      says: /onward\.requeue is missing/,
    },
    { file: 'deploy/Dockerfile', from: 'USER 10001:10001', to: 'USER 1000:1000', says: /user is 1000:1000/ },
    { file: 'deploy/Dockerfile', from: 'EXPOSE 8080 8081', to: 'EXPOSE 8080', says: /ports are 8080,/ },
    {
      file: `${CHART}/templates/monitoring/prometheusrule.yaml`,
      from: '"files/rules/*.yaml"',
      to: '"files/rules/*.yml"',
      says: /alert rules do not arrive/,
    },
  ],
}

const settings: Readonly<Record<string, Setting>> = SETTINGS

/** Names that are Onward's: those of others are others' business. */
const isOurs = (name: string): boolean => /^(?:ONWARD|KAFKA|SCHEMA_REGISTRY|SMTP)_/.test(name) || name in settings

/** @param set gets the names that were set */
function settingFaults(container: Container, set: Set<string>): readonly string[] {
  return (container.env ?? []).flatMap(({ name }) => {
    if (!isOurs(name)) return []
    const ofFile = name.replace(/_FILE$/, '')
    const setting = settings[name] ?? (settings[ofFile]?.secret ? settings[ofFile] : undefined)
    if (setting === undefined) return [`there is no setting ${name}, which ${container.name} is given`]
    set.add(name in settings ? name : ofFile)
    return []
  })
}

type ValuesSchema = { readonly $defs: Readonly<Record<string, { readonly properties: object }>> }

/** What can be given by its name. */
function settingsOfSchema(tree: string): readonly string[] {
  const { $defs } = JSON.parse(readFileSync(join(tree, CHART, 'values.schema.json'), 'utf8')) as ValuesSchema
  return Object.values($defs).flatMap(({ properties }) => Object.keys(properties))
}

const VERBS = [apply, check, topics]

function commandFaults({ name, command = [] }: Container, tree: string): readonly string[] {
  const [program, file = '', word, ...rest] = command
  if (program !== 'node' || !existsSync(join(tree, file)))
    return [`${name} runs ${command.join(' ')}: there is no ${file}`]
  if (word === undefined) return []
  const verb = VERBS.find((known) => known.name === word)
  const unknown = rest.filter((option) => option.startsWith('-') && !new RegExp(`${option}[ ,]`).test(verb?.help ?? ''))
  return unknown.map((option) => `${name} runs onward ${word} with ${option}, which it does not know`)
}

type KafkaTopic = {
  readonly topicName: string
  readonly partitions: number
  readonly replicas: number
  readonly config: Readonly<Record<string, string>>
}

const RETRY_TIERS = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000]

/** Of the values file for Strimzi: 12 partitions, three copies, the names of the defaults. */
function topicFaults(manifests: readonly Manifest[]): readonly string[] {
  const made = manifests.filter(({ kind }) => kind === 'KafkaTopic').map(({ spec }) => spec as KafkaTopic)
  if (made.length === 0) return []
  const names = {
    topics: { forms: 'forms', cases: 'cases', apps: 'apps' },
    topicPrefix: 'onward.',
    retryTiers: RETRY_TIERS,
  }
  const wishes = { brokers: [1, 2, 3], partitions: 12, replication: 3, sources: false }
  const wanted = wantedTopics(names, wishes, new Map()).map(({ name, partitions, replication, settings: config }) => ({
    topicName: name,
    partitions,
    replicas: replication,
    config,
  }))
  return wanted.flatMap((topic) => {
    const found = made.find(({ topicName }) => topicName === topic.topicName)
    if (found === undefined) return [`the KafkaTopic ${topic.topicName} is missing`]
    if (isDeepStrictEqual(found, topic)) return []
    return [`the KafkaTopic ${topic.topicName} is ${JSON.stringify(found)}, and should be ${JSON.stringify(topic)}`]
  })
}

/** All rule files' groups, one after the other, as the operator reads them. */
function ruleFaults(manifests: readonly Manifest[], tree: string): readonly string[] {
  const rule = manifests.find(({ kind }) => kind === 'PrometheusRule')
  if (rule === undefined) return []
  const written = globSync(`${CHART}/files/rules/*.yaml`, { cwd: tree })
    .toSorted()
    .flatMap((path) => (parse(readFileSync(join(tree, path), 'utf8')) as { groups: unknown[] }).groups)
  const { groups } = rule.spec as { groups: unknown }
  return isDeepStrictEqual(groups, written)
    ? []
    : ['the alert rules do not arrive in the PrometheusRule as they are in files/rules']
}

type ImageValues = {
  readonly podSecurityContext: { readonly runAsUser: number; readonly runAsGroup: number }
  readonly forwarder: { readonly port: number }
  readonly notifier: { readonly port: number }
}

/** The user and the ports of the values are the image's. */
function imageFaults(tree: string): readonly string[] {
  const steps = readDockerfile(readFileSync(join(tree, 'deploy/Dockerfile'), 'utf8')).at(-1)?.steps ?? []
  const values = parse(readFileSync(join(tree, CHART, 'values.yaml'), 'utf8')) as ImageValues
  const { runAsUser, runAsGroup } = values.podSecurityContext
  const user = `${runAsUser}:${runAsGroup}`
  const ports = [values.forwarder.port, values.notifier.port].map(String)
  return steps.flatMap((step) => {
    if (step.kind === 'user' && step.user !== user) return [`the image's user is ${step.user}, and the chart's ${user}`]
    if (step.kind !== 'expose' || isDeepStrictEqual(step.ports, ports)) return []
    return [`the image's ports are ${step.ports.join(', ')}, and the chart's ${ports.join(', ')}`]
  })
}
