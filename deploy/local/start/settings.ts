// What `npm start` takes from its environment, and the environment it gives its children. The only file here that looks at it.
// Enter: process.env. Leave: where npm was called, whether colours are wanted, settings for Onward's processes.
// Never: a setting of the person's own that would send the story's changes to somebody's cluster or topics.
import type { Environment } from '../../../services/shared/settings.ts'

export type Surroundings = {
  /** Where npm was called: `npm start` itself runs in the repository's folder. */
  readonly calledFrom: string
  readonly coloursRefused: boolean
}

export function surroundings(): Surroundings {
  const { env } = process
  return {
    calledFrom: env['INIT_CWD'] ?? process.cwd(),
    // https://no-color.org: any value but the empty one.
    coloursRefused: (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb',
  }
}

export const startEnvironment = (): Environment => process.env

/** The cluster that the environment names instead of one of ours. */
export function givenBrokers(): readonly string[] | undefined {
  const named = process.env['KAFKA_BROKERS'] ?? ''
  return named === '' ? undefined : named.split(',')
}

export type Cluster = {
  readonly brokers: readonly string[]
  readonly registryUrl: string | null
  /** It was there before us: its topics and groups are somebody's. */
  readonly given: boolean
}

/** The local stack's receivers and most first endpoints listen there. */
const LOOPBACK = '127.0.0.0/8,::1/128'
/** What no person is kept waiting by: the stack goes at once, and what was on the wire is of a trial. */
const DRAIN = '2s'

/**
 * The environment of Onward's processes. Pure.
 * @param mark unique to this run: names topics and group on a cluster that is not ours
 */
export function storyEnvironment(env: Environment, cluster: Cluster, mark: string): Environment {
  return {
    ...without(env, cluster.given ? ['ONWARD_', 'SMTP_'] : ['ONWARD_', 'SMTP_', 'KAFKA_', 'SCHEMA_REGISTRY_']),
    ...addressesOf(cluster),
    ...ownNames(cluster, mark),
    ...(cluster.given
      ? { ONWARD_TOPIC_FORMS: `${mark}.forms`, ONWARD_TOPIC_CASES: `${mark}.cases`, ONWARD_TOPIC_APPS: `${mark}.apps` }
      : {}),
    ONWARD_ALLOW_ADDRESSES: LOOPBACK,
    // The endpoint of the story fails for seconds: in production that would be told to nobody.
    ONWARD_FAILING_AFTER: '1s',
  }
}

/**
 * What the notifier needs beside that: a mail server that is ours, and no patience. Pure.
 * @param port where its page for stopping notices is reached: the links in the mails name it
 * @param secret signs them
 */
export const notifierEnvironment = (
  env: Environment,
  smtpUrl: string,
  port: number,
  secret: string,
  mark: string | undefined,
): Environment => ({
  ...without(env, ['SMTP_']),
  ...(mark === undefined ? {} : { ONWARD_NOTIFIER_GROUP_ID: `${mark}-notifier` }),
  SMTP_URL: smtpUrl,
  ONWARD_MAIL_FROM: 'Onward <onward@example.org>',
  ONWARD_MAIL_QUIET: '2s',
  ONWARD_MAIL_GATHER: '300ms',
  ONWARD_HTTP_PORT: String(port),
  ONWARD_PUBLIC_URL: `http://127.0.0.1:${port}`,
  ONWARD_LINK_SECRET: secret,
})

/** The person's own ONWARD_… settings hold, but what this run cannot do without. Pure. */
export function ownRulesEnvironment(env: Environment, cluster: Cluster, mark: string): Environment {
  const allowed = env['ONWARD_ALLOW_ADDRESSES'] ?? ''
  return {
    ...without(env, cluster.given ? [] : ['KAFKA_', 'SCHEMA_REGISTRY_']),
    ...addressesOf(cluster),
    ...ownNames(cluster, mark),
    ONWARD_ALLOW_ADDRESSES: allowed === '' ? LOOPBACK : `${allowed},${LOOPBACK}`,
    // A cluster that is not ours may hold years of changes, which nobody wants to see sent to a first try.
    ...(cluster.given ? { ONWARD_START_FROM: env['ONWARD_START_FROM'] ?? 'latest' } : {}),
  }
}

function ownNames({ given }: Cluster, mark: string): Environment {
  return {
    ONWARD_HTTP_PORT: '0',
    ONWARD_LOG_LEVEL: 'info',
    ONWARD_DRAIN_TIMEOUT: DRAIN,
    ONWARD_GROUP_ID: given ? mark : undefined,
    ONWARD_TOPIC_PREFIX: given ? `${mark}.onward.` : undefined,
  }
}

const addressesOf = ({ brokers, registryUrl }: Cluster): Environment => ({
  KAFKA_BROKERS: brokers.join(','),
  SCHEMA_REGISTRY_URL: registryUrl ?? undefined,
})

const without = (env: Environment, prefixes: readonly string[]): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix))))
