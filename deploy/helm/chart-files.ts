// What in the chart is made from something else: the schema's settings, the alert rules, the dashboards, the README.
// Enters: a tree of the repository's files. Leave: files as they should be. Never: a write.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { SETTINGS, type Setting, type SettingName } from '../../services/shared/settings-table.ts'

export const CHART = 'deploy/helm/onward'

/** Of the settings, those that a value of their own sets, or a Secret: given twice, one of them would be lost. */
const SET_BY_OTHER_VALUES: readonly SettingName[] = [
  'KAFKA_BROKERS',
  'KAFKA_SSL',
  'KAFKA_SSL_CA_FILE',
  'KAFKA_SSL_CERT_FILE',
  'KAFKA_SSL_KEY_FILE',
  'KAFKA_SASL_MECHANISM',
  'KAFKA_SASL_USERNAME',
  'KAFKA_SASL_PASSWORD',
  'SCHEMA_REGISTRY_URL',
  'SCHEMA_REGISTRY_USERNAME',
  'SCHEMA_REGISTRY_PASSWORD',
  'ONWARD_GROUP_ID',
  'ONWARD_TOPIC_FORMS',
  'ONWARD_TOPIC_CASES',
  'ONWARD_TOPIC_APPS',
  'ONWARD_TOPIC_PREFIX',
  'ONWARD_HTTP_PORT',
  'ONWARD_ALLOW_ADDRESSES',
  'ONWARD_DRAIN_TIMEOUT',
  'ONWARD_RETRY_TIERS',
  'ONWARD_SECRETS_DIR',
  'ONWARD_OUTBOUND_PROXY',
  'NO_PROXY',
  'SMTP_URL',
  'SMTP_CA_FILE',
  'SMTP_OAUTH_CLIENT_SECRET',
  'SMTP_OAUTH_REFRESH_TOKEN',
  'ONWARD_MAIL_FROM',
  'ONWARD_MAIL_TEMPLATES_DIR',
  'ONWARD_NOTIFIER_GROUP_ID',
  'ONWARD_DKIM_KEY',
  'ONWARD_PUBLIC_URL',
  'ONWARD_LINK_SECRET',
]

/** `$defs` of values.schema.json → whose settings may stand there. */
const SETTINGS_OF = {
  settings: ['all', 'services'],
  forwarderSettings: ['all', 'services', 'forwarder'],
  notifierSettings: ['all', 'services', 'notifier'],
} as const satisfies Record<string, readonly Setting['readBy'][]>

/** Path from the tree's root → text. */
export type ChartFiles = ReadonlyMap<string, string>

/** Those that need no tool to be made. */
export const chartFiles = (tree: string): ChartFiles =>
  new Map([...ruleFiles(tree), ...dashboardFiles(tree), [`${CHART}/values.schema.json`, valuesSchema(tree)]])

/** What is in the chart's folders for them now, also what should not be there. */
export const copiedFiles = (tree: string): readonly string[] =>
  globSync(`${CHART}/files/{rules,dashboards}/*`, { cwd: tree })

/** Of deploy/prometheus, the files that have rules: others configure Prometheus, or test the rules. */
function ruleFiles(tree: string): [string, string][] {
  return sources(tree, 'deploy/prometheus/**/*.{yaml,yml}').flatMap((path) => {
    const text = readFileSync(join(tree, path), 'utf8')
    const read = parse(text) as { groups?: unknown } | null
    return read?.groups === undefined ? [] : [[`${CHART}/files/rules/${basename(path).replace(/yml$/, 'yaml')}`, text]]
  })
}

function dashboardFiles(tree: string): [string, string][] {
  return sources(tree, 'deploy/grafana/**/*.json').flatMap((path) => {
    const text = readFileSync(join(tree, path), 'utf8')
    const isDashboard = 'panels' in (JSON.parse(text) as object)
    return isDashboard ? [[`${CHART}/files/dashboards/${basename(path)}`, text]] : []
  })
}

const sources = (tree: string, pattern: string): readonly string[] => globSync(pattern, { cwd: tree }).toSorted()

function valuesSchema(tree: string): string {
  const path = join(tree, CHART, 'values.schema.json')
  if (!existsSync(path)) throw new Error(`${CHART}/values.schema.json is missing: it is written by hand but for $defs`)
  const schema = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  const mailTemplates = sources(tree, 'services/shared/mail/templates/*').map((path) => [basename(path), TEXT] as const)
  const definitions = [
    ...Object.entries(SETTINGS_OF).map(([name, readers]) => [name, settingsSchema(readers)]),
    ['mailTemplates', closedObject(mailTemplates)],
  ]
  return `${JSON.stringify({ ...schema, $defs: Object.fromEntries(definitions) as unknown }, null, 2)}\n`
}

function settingsSchema(readers: readonly Setting['readBy'][]): unknown {
  const properties = Object.entries<Setting>(SETTINGS)
    .filter(([name, { readBy }]) => readers.includes(readBy) && !(SET_BY_OTHER_VALUES as string[]).includes(name))
    .map(([name, { description }]) => [name, { type: ['string', 'integer', 'boolean'], description }] as const)
  return closedObject(properties)
}

const TEXT = { type: 'string' }

/** A name that is not among them is refused. */
const closedObject = (properties: Iterable<readonly [name: string, schema: unknown]>): unknown => ({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(properties) as unknown,
})
