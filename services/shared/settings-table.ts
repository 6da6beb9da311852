// Every setting of this version, once: readers, `onward check` and docs/configuration.md all come from this table.
// Enter: nothing. Leave: names, defaults, descriptions and the reader of each value. Never: a look at the environment.
import { LOG_LEVELS } from './log.ts'
import { MAIL_SETTINGS } from './mail-settings.ts'
import {
  anyText,
  listed,
  matching,
  oneOf,
  readBrokers,
  readBytes,
  readHttpUrl,
  readNetworks,
  readPath,
  readPorts,
  readProxy,
  readSourceTopic,
  readSwitch,
  readTiers,
  readWait,
  readWhole,
  type Reading,
} from './setting-readers.ts'

export type Setting = {
  /** What the services take when it is not set: as somebody would write it; null for nothing. */
  readonly default: string | null
  readonly description: string
  /** Who uses it; `all` takes the command line in. */
  readonly readBy: 'all' | 'forwarder' | 'notifier' | 'services'
  /** Masked wherever settings are shown, and also read from the file that `<name>_FILE` names. */
  readonly secret?: true
  /** An empty text means something; else it is as if the variable was not set. */
  readonly emptyCounts?: true
  readonly read: (text: string) => Reading<unknown>
}

export const SETTINGS = {
  KAFKA_BROKERS: {
    default: null,
    description: 'Brokers to begin with, `host:port`, comma-separated. Required.',
    readBy: 'all',
    read: readBrokers,
  },
  KAFKA_SSL: {
    default: 'false',
    description: 'TLS to the brokers: `true` or `false`.',
    readBy: 'all',
    read: readSwitch,
  },
  KAFKA_SSL_CA_FILE: {
    default: null,
    description:
      "PEM file of the authority that signed the brokers' certificates. The machine's own authorities when not set.",
    readBy: 'all',
    read: anyText,
  },
  KAFKA_SSL_CERT_FILE: {
    default: null,
    description: 'PEM file of the client certificate, for brokers that ask for one. Goes with `KAFKA_SSL_KEY_FILE`.',
    readBy: 'all',
    read: anyText,
  },
  KAFKA_SSL_KEY_FILE: {
    default: null,
    description: "PEM file of the client certificate's key.",
    readBy: 'all',
    read: anyText,
  },
  KAFKA_SASL_MECHANISM: {
    default: null,
    description: '`plain`, `scram-sha-256` or `scram-sha-512`. No SASL when not set.',
    readBy: 'all',
    read: oneOf(['plain', 'scram-sha-256', 'scram-sha-512']),
  },
  KAFKA_SASL_USERNAME: { default: null, description: 'User name for SASL.', readBy: 'all', read: anyText },
  KAFKA_SASL_PASSWORD: { default: null, description: 'Password for SASL.', readBy: 'all', secret: true, read: anyText },
  SCHEMA_REGISTRY_URL: {
    default: null,
    description: "The schema registry (Confluent's API). Without it only JSON values are read and published.",
    readBy: 'all',
    read: readHttpUrl,
  },
  SCHEMA_REGISTRY_USERNAME: {
    default: null,
    description: 'User name for the registry (Basic).',
    readBy: 'all',
    read: anyText,
  },
  SCHEMA_REGISTRY_PASSWORD: {
    default: null,
    description: 'Password for the registry.',
    readBy: 'all',
    secret: true,
    read: anyText,
  },
  ONWARD_GROUP_ID: {
    default: 'onward-forwarder',
    description: 'The consumer group of the forwarders. Those of one group share the work.',
    readBy: 'forwarder',
    read: matching(/^[\x21-\x7e]{1,249}$/, 'must be 1 to 249 printable characters without spaces'),
  },
  ONWARD_TOPIC_FORMS: {
    default: 'forms',
    description: 'The source topic of form changes. Empty: forms are not read.',
    readBy: 'all',
    emptyCounts: true,
    read: readSourceTopic,
  },
  ONWARD_TOPIC_CASES: {
    default: 'cases',
    description: 'The source topic of case changes. Empty: cases are not read.',
    readBy: 'all',
    emptyCounts: true,
    read: readSourceTopic,
  },
  ONWARD_TOPIC_APPS: {
    default: 'apps',
    description: 'The source topic of app changes. Empty: apps are not read.',
    readBy: 'all',
    emptyCounts: true,
    read: readSourceTopic,
  },
  ONWARD_TOPIC_PREFIX: {
    default: 'onward.',
    description: "What the names of Onward's own topics begin with (`onward.config`, `onward.dead-letters`, …).",
    readBy: 'all',
    read: matching(/^[a-zA-Z0-9._-]{1,200}$/, 'must be the beginning of a topic name'),
  },
  ONWARD_HTTP_PORT: {
    default: null,
    description:
      'Port of `/livez`, `/readyz` and `/metrics`, and of the page where people stop notices. 8080 for a forwarder, 8081 for a notifier. 0 takes a free one and logs it.',
    readBy: 'services',
    read: (text: string) => readWhole(text, 0, 65_535),
  },
  ONWARD_ALLOW_ADDRESSES: {
    default: '',
    description:
      'Networks (CIDR, comma-separated) that connections and webhooks may reach although the address guard refuses them: loopback, private, link-local, …',
    readBy: 'services',
    read: readNetworks,
  },
  ONWARD_FORBID_PORTS: {
    default: '',
    description:
      'Ports and ranges of ports (`25,6000-6063`) that no connection and no webhook may reach, wherever it leads.',
    readBy: 'services',
    read: readPorts,
  },
  ONWARD_HELD_BYTES_LIMIT: {
    default: '64 MiB',
    description: 'Memory for deliveries that wait in one process: bytes, or a number with `KiB`, `MiB`, `GiB`.',
    readBy: 'forwarder',
    read: readBytes,
  },
  ONWARD_DRAIN_TIMEOUT: {
    default: '20s',
    description:
      'How long a shutdown waits for requests in flight. What runs longer is ended and sent again by whoever takes over.',
    readBy: 'forwarder',
    read: (text: string) => readWait(text, 600_000),
  },
  ONWARD_FAILING_AFTER: {
    default: '35s',
    description:
      'How long a connection fails without a success, or one of its deliveries has to wait, before it counts as failing and somebody is told. Shorter trouble ends by itself.',
    readBy: 'forwarder',
    read: (text: string) => readWait(text, 86_400_000),
  },
  ONWARD_STUCK_AFTER: {
    default: '3m',
    description:
      'How long a partition that has records may stand still, while nothing is known that keeps it, before the forwarder restarts its consumer. When that does not help, `/livez` says so.',
    readBy: 'forwarder',
    read: (text: string) => readWait(text, 86_400_000),
  },
  ONWARD_RETRY_TIERS: {
    default: '1m,5m,30m,2h,6h',
    description:
      'The waits of the retry topics, one topic each (`onward.retry.1m`, …). What waits longer than a minute waits there. Before one is taken out, let its topic run empty.',
    readBy: 'all',
    read: readTiers,
  },
  ONWARD_START_FROM: {
    default: 'earliest',
    description:
      'Where a consumer group without offsets starts: `earliest` or `latest`. A topic that was made anew, or grown, is read from its beginning.',
    readBy: 'forwarder',
    read: oneOf(['earliest', 'latest']),
  },
  ONWARD_SECRETS_DIR: {
    default: null,
    description: 'The only folder that `${file:…}` references may read. Without it there are no file references.',
    readBy: 'services',
    read: readPath,
  },
  ONWARD_OUTBOUND_PROXY: {
    default: null,
    description:
      'HTTP proxy for all requests to remote APIs and token endpoints: `http://proxy.example:3128`, with user name and password in it if the proxy wants them. Names are still resolved and judged here; the proxy is asked for the address.',
    readBy: 'forwarder',
    secret: true,
    read: readProxy,
  },
  NO_PROXY: {
    default: '',
    description:
      'With `ONWARD_OUTBOUND_PROXY`: hosts that are reached without it, comma-separated: a name (its subdomains too), `name:port`, an address, a network, or `*`.',
    readBy: 'forwarder',
    read: (text: string) => ({ value: listed(text) }),
  },
  ONWARD_SCHEMA_PATIENCE: {
    default: '5m',
    description:
      'How long a schema id that the registry does not know is asked for before its records are unreadable. An outage of the registry is waited for without end.',
    readBy: 'forwarder',
    read: (text: string) => readWait(text, 86_400_000),
  },
  ...MAIL_SETTINGS,
  ONWARD_LOG_LEVEL: {
    default: 'info',
    description: `The least level that is logged: ${LOG_LEVELS.map((level) => `\`${level}\``).join(', ')}.`,
    readBy: 'all',
    read: oneOf(LOG_LEVELS),
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS
