// Environment → settings: typed, and checked all at once. Enter: the environment. Leave: settings, or one error that lists
// every problem. Never: a secret in a message; a silent default for a name somebody mistyped.
import { readFileSync } from 'node:fs'
import type { Millis } from './clock.ts'
import { errorText } from './error-text.ts'
import type { KafkaSettings } from './kafka/kafka.ts'
import type { LogLevel } from './log.ts'
import { didYouMean, editsBetween } from './nearest.ts'
import { assembleMail, type MailSettings } from './mail-settings.ts'
import type { PortRange, Reading } from './setting-readers.ts'
import { SETTINGS, type Setting, type SettingName } from './settings-table.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type RegistrySettings = {
  readonly url: string
  readonly username: string | null
  readonly password: string | null
}

export type OutboundProxy = {
  /** With user name and password, if the proxy wants them: never shown. */
  readonly url: string
  /** Hosts that are reached without it: names, `name:port`, addresses, networks, `*`. */
  readonly except: readonly string[]
}

export type Settings = {
  readonly kafka: KafkaSettings
  /** null: only JSON values. */
  readonly registry: RegistrySettings | null
  readonly groupId: string
  /** null: that kind is not read. */
  readonly topics: { readonly forms: string | null; readonly cases: string | null; readonly apps: string | null }
  readonly topicPrefix: string
  /** null: the service's own. */
  readonly httpPort: number | null
  /** CIDRs, each checked. */
  readonly allowAddresses: readonly string[]
  readonly forbidPorts: readonly PortRange[]
  /** null: remote APIs are reached directly. */
  readonly outboundProxy: OutboundProxy | null
  readonly heldBytesLimit: number
  readonly drainTimeout: Millis
  /** How long a connection fails before it is told of. */
  readonly failingAfter: Millis
  readonly stuckAfter: Millis
  /** Delays of the retry topics. */
  readonly retryTiers: readonly Millis[]
  readonly startFrom: 'earliest' | 'latest'
  /** How long a schema id unknown to the registry is asked for. */
  readonly schemaPatience: Millis
  /** Absolute path; null: no file references. */
  readonly secretsDir: string | null
  readonly mail: MailSettings
  readonly logLevel: LogLevel
  /** Names that Kubernetes put there for its services and that look like ours: worth a line in the log. */
  readonly ignored: readonly string[]
}

export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly code = 'SETTINGS_INVALID'
  /** One sentence each, beginning with the setting's name. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The settings are not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** The environment of this process. Only main files and verbs ask for it. */
export const environment = (): Environment => process.env

/** For what another part of the process reads there by itself; who started the process has the last word. */
export function presetVariable(name: string, value: string): void {
  process.env[name] ??= value
}

/** @throws SettingsError naming every problem */
export function readSettings(env: Environment): Settings {
  const problems: string[] = []
  const { given, ignored } = sift(env, problems)
  const values = readValues(given, problems)
  const settings = assemble(values, ignored, problems)
  if (problems.length > 0) throw new SettingsError(problems)
  return settings
}

/** What each setting is worth now, as text for a person: secrets masked, `origin` says where it comes from. */
export function describeSettings(
  env: Environment,
): readonly { readonly name: SettingName; readonly text: string; readonly origin: 'set' | 'file' | 'default' }[] {
  const { given } = sift(env, [])
  return NAMES.map((name) => {
    const setting: Setting = SETTINGS[name]
    const file = setting.secret ? given.get(`${name}_FILE`) : undefined
    const text = given.get(name)
    if (file !== undefined) return { name, text: `(secret, from ${file})`, origin: 'file' }
    if (text !== undefined) return { name, text: setting.secret ? '(secret)' : text, origin: 'set' }
    return { name, text: setting.default ?? '', origin: 'default' }
  })
}

type Values = { readonly [Name in SettingName]: ValueOf<Name> | null }
type ValueOf<Name extends SettingName> =
  ReturnType<(typeof SETTINGS)[Name]['read']> extends Reading<infer Value> ? Value : never

const NAMES = Object.keys(SETTINGS) as SettingName[]
const SECRET_FILES = NAMES.filter((name) => 'secret' in SETTINGS[name]).map((name) => `${name}_FILE`)
const KNOWN: ReadonlySet<string> = new Set([...NAMES, ...SECRET_FILES])
/** Kubernetes sets these for every service of a namespace; a service named `onward-http` gives ONWARD_HTTP_PORT=tcp://…. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$/
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//

/** Sets apart: ours and set, not ours, mistyped. */
function sift(env: Environment, problems: string[]): { given: Map<string, string>; ignored: string[] } {
  const given = new Map<string, string>()
  const ignored: string[] = []
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined) continue
    const ours = name.startsWith('ONWARD_')
    if (ours && (SERVICE_LINK.test(name) || (name.endsWith('_PORT') && SERVICE_ADDRESS.test(text)))) ignored.push(name)
    else if (KNOWN.has(name)) {
      // A password may begin or end with a space; everything else that does was copied badly.
      if (text.trim() !== '' || emptyCounts(name)) given.set(name, isSecret(name) ? text : text.trim())
    } else if (ours) problems.push(`${name} is not a setting${didYouMean(name, KNOWN)}.`)
    else if (/^(KAFKA|SCHEMA_REGISTRY|SMTP)_/.test(name)) {
      const meant = [...KNOWN].find((known) => editsBetween(name, known) <= MISTYPED_EDITS)
      if (meant !== undefined) problems.push(`${name} is not a setting (did you mean ${meant}?).`)
    }
  }
  return { given, ignored }
}

/** Other programs have KAFKA_… variables too, so only what is this near to one of ours is called a mistake. */
const MISTYPED_EDITS = 2

const emptyCounts = (name: string): boolean => NAMES.some((known) => known === name && 'emptyCounts' in SETTINGS[known])
const isSecret = (name: string): boolean => NAMES.some((known) => known === name && 'secret' in SETTINGS[known])

function readValues(given: ReadonlyMap<string, string>, problems: string[]): Values {
  const read = NAMES.map((name) => {
    const setting: Setting = SETTINGS[name]
    const text = textOf(name, setting, given, problems) ?? setting.default
    if (text === null) return [name, null] as const
    const reading = setting.read(text)
    if ('value' in reading) return [name, reading.value] as const
    problems.push(`${name} ${reading.wrong}.`)
    return [name, null] as const
  })
  // The table's readers give each name its type.
  return Object.fromEntries(read) as Values
}

function textOf(
  name: SettingName,
  setting: Setting,
  given: ReadonlyMap<string, string>,
  problems: string[],
): string | undefined {
  const file = setting.secret ? given.get(`${name}_FILE`) : undefined
  if (file === undefined) return given.get(name)
  if (given.has(name)) problems.push(`${name} and ${name}_FILE are both set: keep one.`)
  return readText(`${name}_FILE`, file, problems)?.replace(/\r?\n$/, '')
}

function readText(name: string, file: string, problems: string[]): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    problems.push(`${name} names a file that cannot be read: ${errorText(error)}.`)
    return undefined
  }
}

/** Puts values together and checks what no single one shows. A null where one is needed has its problem already. */
function assemble(values: Values, ignored: readonly string[], problems: string[]): Settings {
  const kafka: KafkaSettings = {
    brokers: values.KAFKA_BROKERS ?? [],
    ssl: assembleSsl(values, problems),
    sasl: assembleSasl(values, problems),
  }
  if (values.KAFKA_BROKERS === null && !problems.some((problem) => problem.startsWith('KAFKA_BROKERS '))) {
    problems.push('KAFKA_BROKERS is not set: write the brokers to begin with, as in kafka.example:9092.')
  }
  return {
    kafka,
    registry: assembleRegistry(values, problems),
    groupId: values.ONWARD_GROUP_ID ?? '',
    topics: assembleTopics(values, problems),
    topicPrefix: values.ONWARD_TOPIC_PREFIX ?? '',
    httpPort: values.ONWARD_HTTP_PORT,
    allowAddresses: values.ONWARD_ALLOW_ADDRESSES ?? [],
    forbidPorts: values.ONWARD_FORBID_PORTS ?? [],
    outboundProxy:
      values.ONWARD_OUTBOUND_PROXY === null
        ? null
        : { url: values.ONWARD_OUTBOUND_PROXY, except: values.NO_PROXY ?? [] },
    heldBytesLimit: values.ONWARD_HELD_BYTES_LIMIT ?? 0,
    drainTimeout: values.ONWARD_DRAIN_TIMEOUT ?? 0,
    failingAfter: values.ONWARD_FAILING_AFTER ?? 0,
    stuckAfter: values.ONWARD_STUCK_AFTER ?? 0,
    retryTiers: values.ONWARD_RETRY_TIERS ?? [],
    startFrom: values.ONWARD_START_FROM ?? 'earliest',
    schemaPatience: values.ONWARD_SCHEMA_PATIENCE ?? 0,
    secretsDir: values.ONWARD_SECRETS_DIR,
    mail: assembleMail(values, problems, readText),
    logLevel: values.ONWARD_LOG_LEVEL ?? 'info',
    ignored,
  }
}

function assembleSsl(values: Values, problems: string[]): KafkaSettings['ssl'] {
  const files = { ca: 'KAFKA_SSL_CA_FILE', cert: 'KAFKA_SSL_CERT_FILE', key: 'KAFKA_SSL_KEY_FILE' } as const
  const named = Object.values(files).filter((name) => values[name] !== null)
  if (values.KAFKA_SSL !== true) {
    for (const name of named) problems.push(`${name} does nothing unless KAFKA_SSL is true: set KAFKA_SSL=true.`)
    return null
  }
  if ((values.KAFKA_SSL_CERT_FILE === null) !== (values.KAFKA_SSL_KEY_FILE === null)) {
    problems.push('KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE go together: set both or neither.')
  }
  const ssl: { ca?: string; cert?: string; key?: string } = {}
  for (const part of ['ca', 'cert', 'key'] as const) {
    const file = values[files[part]]
    const text = file === null ? undefined : readText(files[part], file, problems)
    if (text !== undefined) ssl[part] = text
  }
  return ssl
}

function assembleSasl(values: Values, problems: string[]): KafkaSettings['sasl'] {
  const mechanism = values.KAFKA_SASL_MECHANISM
  const username = values.KAFKA_SASL_USERNAME
  const password = values.KAFKA_SASL_PASSWORD
  if (mechanism !== null && username !== null && password !== null) return { mechanism, username, password }
  if (mechanism !== null) {
    if (username === null) problems.push('KAFKA_SASL_USERNAME is not set, and KAFKA_SASL_MECHANISM needs it.')
    if (password === null) problems.push('KAFKA_SASL_PASSWORD is not set, and KAFKA_SASL_MECHANISM needs it.')
  } else if (username !== null || password !== null) {
    problems.push('KAFKA_SASL_MECHANISM is not set: user name and password do nothing without it.')
  }
  return null
}

function assembleRegistry(values: Values, problems: string[]): RegistrySettings | null {
  const username = values.SCHEMA_REGISTRY_USERNAME
  const password = values.SCHEMA_REGISTRY_PASSWORD
  const url = values.SCHEMA_REGISTRY_URL
  if (url === null && (username !== null || password !== null)) {
    problems.push('SCHEMA_REGISTRY_URL is not set: user name and password do nothing without it.')
  } else if ((username === null) !== (password === null)) {
    problems.push('SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD go together: set both or neither.')
  }
  return url === null ? null : { url, username, password }
}

function assembleTopics(values: Values, problems: string[]): Settings['topics'] {
  const topics = { forms: values.ONWARD_TOPIC_FORMS, cases: values.ONWARD_TOPIC_CASES, apps: values.ONWARD_TOPIC_APPS }
  const named = Object.values(topics).filter((topic) => topic !== null)
  const broken = problems.some((problem) => problem.startsWith('ONWARD_TOPIC_'))
  if (named.length === 0 && !broken) {
    problems.push(
      'ONWARD_TOPIC_FORMS, ONWARD_TOPIC_CASES and ONWARD_TOPIC_APPS are all empty: there is nothing to read.',
    )
  }
  if (new Set(named).size < named.length) {
    problems.push('ONWARD_TOPIC_FORMS, ONWARD_TOPIC_CASES and ONWARD_TOPIC_APPS must name different topics.')
  }
  return topics
}
