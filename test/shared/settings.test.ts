// Settings are read whole or refused whole, and nothing mistyped passes.
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describeSettings, readSettings, SettingsError, type Environment } from '../../services/shared/settings.ts'
import { SETTINGS } from '../../services/shared/settings-table.ts'
import { holdsFor } from '../support/property.ts'

const LEAST = { KAFKA_BROKERS: 'kafka.example:9092' }
const LOGIN = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'a' }
/** Any file that can be read. */
const FILE = import.meta.filename

function problemsOf(env: Environment): readonly string[] {
  try {
    readSettings(env)
    return []
  } catch (error) {
    assert.ok(error instanceof SettingsError)
    for (const problem of error.problems) assert.ok(error.message.includes(problem))
    return error.problems
  }
}

function temporaryFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'onward-settings-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'content')
  writeFileSync(file, text)
  return file
}

test('the brokers alone are enough', () => {
  const { schemaPatience, ...settings } = readSettings(LEAST)
  assert.equal(schemaPatience, 300_000)
  assert.deepEqual(settings, {
    kafka: { brokers: ['kafka.example:9092'], ssl: null, sasl: null },
    registry: null,
    groupId: 'onward-forwarder',
    topics: { forms: 'forms', cases: 'cases', apps: 'apps' },
    topicPrefix: 'onward.',
    httpPort: null,
    allowAddresses: [],
    forbidPorts: [],
    outboundProxy: null,
    heldBytesLimit: 67_108_864,
    drainTimeout: 20_000,
    failingAfter: 35_000,
    stuckAfter: 180_000,
    retryTiers: [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000],
    startFrom: 'earliest',
    secretsDir: null,
    mail: {
      smtp: null,
      from: null,
      groupId: 'onward-notifier',
      dailyCap: 50,
      quiet: 120_000,
      gather: 10_000,
      templatesDir: null,
      dkim: null,
      publicUrl: null,
      linkSecrets: [],
    },
    logLevel: 'info',
    ignored: [],
  })
})

test('every setting is read', (t) => {
  const file = temporaryFile(t, 'PEM')
  const settings = readSettings({
    KAFKA_BROKERS: 'a:1, [::1]:2 ,c.example:3',
    KAFKA_SSL: 'true',
    KAFKA_SSL_CA_FILE: file,
    KAFKA_SSL_CERT_FILE: file,
    KAFKA_SSL_KEY_FILE: file,
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    KAFKA_SASL_USERNAME: 'onward',
    KAFKA_SASL_PASSWORD: ' sesame ',
    SCHEMA_REGISTRY_URL: 'https://registry.example/apis/ccompat/v7/',
    SCHEMA_REGISTRY_USERNAME: 'reader',
    SCHEMA_REGISTRY_PASSWORD_FILE: temporaryFile(t, 'open\n'),
    ONWARD_GROUP_ID: 'mine',
    ONWARD_TOPIC_FORMS: 'demo.forms',
    ONWARD_TOPIC_APPS: '',
    ONWARD_TOPIC_PREFIX: 'mine.',
    ONWARD_HTTP_PORT: '0',
    ONWARD_ALLOW_ADDRESSES: '127.0.0.0/8, ::1, 10.1.2.3',
    ONWARD_FORBID_PORTS: '25, 6000-6063',
    ONWARD_HELD_BYTES_LIMIT: '1 GiB',
    ONWARD_DRAIN_TIMEOUT: '500ms',
    ONWARD_START_FROM: 'latest',
    ONWARD_SECRETS_DIR: '/run/secrets',
    ONWARD_OUTBOUND_PROXY: 'http://u:p@proxy.example:3128',
    NO_PROXY: '.internal, 10.0.0.0/8',
    ONWARD_LOG_LEVEL: 'debug',
  })
  assert.deepEqual(settings.kafka, {
    brokers: ['a:1', '[::1]:2', 'c.example:3'],
    ssl: { ca: 'PEM', cert: 'PEM', key: 'PEM' },
    sasl: { mechanism: 'scram-sha-512', username: 'onward', password: ' sesame ' },
  })
  assert.deepEqual(settings.registry, {
    url: 'https://registry.example/apis/ccompat/v7',
    username: 'reader',
    password: 'open',
  })
  assert.deepEqual(settings.topics, { forms: 'demo.forms', cases: 'cases', apps: null })
  assert.deepEqual(settings.allowAddresses, ['127.0.0.0/8', '::1/128', '10.1.2.3/32'])
  assert.deepEqual(
    [settings.groupId, settings.topicPrefix, settings.httpPort, settings.heldBytesLimit, settings.drainTimeout],
    ['mine', 'mine.', 0, 1_073_741_824, 500],
  )
  assert.deepEqual(settings.forbidPorts, [
    [25, 25],
    [6000, 6063],
  ])
  assert.deepEqual(settings.outboundProxy, {
    url: 'http://u:p@proxy.example:3128',
    except: ['.internal', '10.0.0.0/8'],
  })
  assert.deepEqual([settings.startFrom, settings.secretsDir, settings.logLevel], ['latest', '/run/secrets', 'debug'])
})

const MISTAKES: readonly (readonly [what: string, env: Environment, problem: RegExp])[] = [
  ['no brokers', {}, /^KAFKA_BROKERS is not set: write the brokers to begin with, as in kafka\.example:9092\.$/],
  [
    'a broker without a port',
    { KAFKA_BROKERS: 'kafka.example' },
    /^KAFKA_BROKERS must be a list of host:port, and "kafka\.example" is not/,
  ],
  [
    'credentials among the brokers',
    { KAFKA_BROKERS: 'a:hunter2@kafka:9092' },
    /^KAFKA_BROKERS must not hold credentials/,
  ],
  ['a switch that is neither', { ...LEAST, KAFKA_SSL: 'yes' }, /^KAFKA_SSL must be true or false, not "yes"\.$/],
  [
    'a certificate without TLS',
    { ...LEAST, KAFKA_SSL_CA_FILE: '/ca.pem' },
    /^KAFKA_SSL_CA_FILE does nothing unless KAFKA_SSL is true/,
  ],
  [
    'a certificate file that is not there',
    { ...LEAST, KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: '/none.pem' },
    /^KAFKA_SSL_CA_FILE names a file that cannot be read: ENOENT/,
  ],
  ['a user name without a mechanism', { ...LEAST, KAFKA_SASL_USERNAME: 'a' }, /^KAFKA_SASL_MECHANISM is not set/],
  [
    'a mechanism without a password',
    { ...LEAST, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'a' },
    /^KAFKA_SASL_PASSWORD is not set/,
  ],
  ['an unknown mechanism', { ...LEAST, KAFKA_SASL_MECHANISM: 'PLAIN' }, /^KAFKA_SASL_MECHANISM must be one of plain, /],
  [
    'a password given twice',
    { ...LEAST, ...LOGIN, KAFKA_SASL_PASSWORD: 'hunter2', KAFKA_SASL_PASSWORD_FILE: FILE },
    /^KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are both set/,
  ],
  [
    'a registry that is no URL',
    { ...LEAST, SCHEMA_REGISTRY_URL: 'registry:8081' },
    /^SCHEMA_REGISTRY_URL must be a URL that begins with http/,
  ],
  [
    'credentials in the registry URL',
    { ...LEAST, SCHEMA_REGISTRY_URL: 'http://a:hunter2@registry' },
    /^SCHEMA_REGISTRY_URL must not hold credentials/,
  ],
  [
    'half a login for the registry',
    { ...LEAST, SCHEMA_REGISTRY_URL: 'http://r', SCHEMA_REGISTRY_USERNAME: 'a' },
    /go together/,
  ],
  [
    'no source topic at all',
    { ...LEAST, ONWARD_TOPIC_FORMS: '', ONWARD_TOPIC_CASES: '', ONWARD_TOPIC_APPS: '' },
    /there is nothing to read\.$/,
  ],
  ['one topic twice', { ...LEAST, ONWARD_TOPIC_FORMS: 'cases' }, /must name different topics\.$/],
  [
    'a topic name that is none',
    { ...LEAST, ONWARD_TOPIC_FORMS: 'my forms' },
    /^ONWARD_TOPIC_FORMS must be a topic name/,
  ],
  [
    'a port that is none',
    { ...LEAST, ONWARD_HTTP_PORT: '80800' },
    /^ONWARD_HTTP_PORT must be a whole number from 0 to 65535, not "80800"/,
  ],
  [
    'a network that is none',
    { ...LEAST, ONWARD_ALLOW_ADDRESSES: '10.0.0.0/33' },
    /^ONWARD_ALLOW_ADDRESSES .* "10\.0\.0\.0\/33" is not one/,
  ],
  ['a port that is none', { ...LEAST, ONWARD_FORBID_PORTS: '25,65536' }, /^ONWARD_FORBID_PORTS .* "65536" is not one/],
  ['ports from back to front', { ...LEAST, ONWARD_FORBID_PORTS: '30-20' }, /"30-20" is not one/],
  ['a name for a network', { ...LEAST, ONWARD_ALLOW_ADDRESSES: 'localhost' }, /"localhost" is not one/],
  [
    'too little memory',
    { ...LEAST, ONWARD_HELD_BYTES_LIMIT: '1024' },
    /^ONWARD_HELD_BYTES_LIMIT must be at least 16 MiB/,
  ],
  [
    'a duration without a unit',
    { ...LEAST, ONWARD_DRAIN_TIMEOUT: '20' },
    /^ONWARD_DRAIN_TIMEOUT must be a duration such as/,
  ],
  [
    'a proxy that is no URL',
    { ...LEAST, ONWARD_OUTBOUND_PROXY: 'u:hunter2@proxy:1' },
    /^ONWARD_OUTBOUND_PROXY must be a proxy such as/,
  ],
  ['a relative folder', { ...LEAST, ONWARD_SECRETS_DIR: 'secrets' }, /^ONWARD_SECRETS_DIR must be an absolute path/],
  [
    'an unknown place to start',
    { ...LEAST, ONWARD_START_FROM: 'now' },
    /^ONWARD_START_FROM must be one of earliest, latest/,
  ],
  [
    'an unknown setting',
    { ...LEAST, ONWARD_GROUPID: 'a' },
    /^ONWARD_GROUPID is not a setting \(did you mean ONWARD_GROUP_ID\?\)\.$/,
  ],
  ['an unknown setting near to none', { ...LEAST, ONWARD_ZZZZ: 'a' }, /^ONWARD_ZZZZ is not a setting\.$/],
  [
    'a mistyped setting of Kafka',
    { ...LEAST, KAFKA_SASL_USERNAM: 'a' },
    /^KAFKA_SASL_USERNAM is not a setting \(did you mean KAFKA_SASL_USERNAME\?\)\.$/,
  ],
  [
    'a retry tier that is no duration',
    { ...LEAST, ONWARD_RETRY_TIERS: '1m,soon' },
    /^ONWARD_RETRY_TIERS must be a list of different durations/,
  ],
  ['a retry tier twice', { ...LEAST, ONWARD_RETRY_TIERS: '1m,60s' }, /^ONWARD_RETRY_TIERS must be a list of different/],
  ['a mail server that is no URL', { ...LEAST, SMTP_URL: 'mail:hunter2@a' }, /^SMTP_URL must be a URL such as smtp:/],
  [
    'an authority of the mail server that is not there',
    { ...LEAST, SMTP_URL: 'smtp://a', SMTP_CA_FILE: '/none/ca.pem' },
    /^SMTP_CA_FILE names a file that cannot be read: ENOENT/,
  ],
  ['options in the URL', { ...LEAST, SMTP_URL: 'smtp://a/?pool=hunter2' }, /^SMTP_URL must end after the port/],
  [
    'OAuth 2 without a token',
    { ...LEAST, SMTP_URL: 'smtp://u@a', SMTP_AUTH_METHOD: 'oauth2' },
    /^SMTP_AUTH_METHOD oauth2 needs/,
  ],
  [
    'a sender with a line break',
    { ...LEAST, ONWARD_MAIL_FROM: 'a@b.example\r\nBcc: c@d.example' },
    /^ONWARD_MAIL_FROM must be/,
  ],
  [
    'a public URL without a secret',
    { ...LEAST, ONWARD_PUBLIC_URL: 'https://a.example' },
    /^ONWARD_LINK_SECRET is not set/,
  ],
  [
    'a secret that could be guessed',
    { ...LEAST, ONWARD_LINK_SECRET: 'hunter2' },
    /^ONWARD_LINK_SECRET must have at least 32/,
  ],
  ['half of DKIM', { ...LEAST, ONWARD_DKIM_DOMAIN: 'a.example' }, /^ONWARD_DKIM_DOMAIN, ONWARD_DKIM_SELECTOR and/],
]
for (const [what, env, problem] of MISTAKES) {
  test(`settings with ${what} are refused`, () => {
    const problems = problemsOf(env)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', problem)
    assert.doesNotMatch(problems.join(), /hunter2/)
  })
}

test('all problems are told at once', () => {
  const problems = problemsOf({ KAFKA_SSL: 'yes', ONWARD_HTTP_PORT: 'x', ONWARD_START_FORM: 'latest' })
  assert.deepEqual(problems.map((problem) => problem.split(' ')[0]).sort(), [
    'KAFKA_BROKERS',
    'KAFKA_SSL',
    'ONWARD_HTTP_PORT',
    'ONWARD_START_FORM',
  ])
})

test('what Kubernetes sets for its services is passed over and named', () => {
  const links = {
    ONWARD_PORT: 'tcp://10.0.0.1:80',
    ONWARD_HTTP_PORT: 'tcp://10.0.0.2:80',
    ONWARD_SERVICE_HOST: '10.0.0.1',
    ONWARD_SERVICE_PORT: '80',
    ONWARD_SERVICE_PORT_HTTP: '80',
    ONWARD_FORWARDER_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    ONWARD_FORWARDER_PORT_8080_TCP_ADDR: '10.0.0.1',
  }
  const settings = readSettings({ ...LEAST, ...links })
  assert.deepEqual([...settings.ignored].sort(), Object.keys(links).sort())
  assert.equal(settings.httpPort, null)
})

test('variables of other programs are nobody’s mistake', () => {
  const env = { KAFKA_HEAP_OPTS: '-Xmx1g', SCHEMA_VERSION: '1', PATH: '/bin', NO_PROXY: '*', MY_ONWARD_SETTING: 'x' }
  assert.deepEqual(problemsOf({ ...LEAST, ...env }), [])
})

test('an empty variable is as good as none, where empty means nothing', () => {
  assert.equal(readSettings({ ...LEAST, ONWARD_HTTP_PORT: '', SCHEMA_REGISTRY_URL: ' ' }).httpPort, null)
})

test('settings are described without their secrets', (t) => {
  const described = describeSettings({
    ...LEAST,
    KAFKA_SASL_PASSWORD: 'hunter2',
    SCHEMA_REGISTRY_PASSWORD_FILE: temporaryFile(t, 'hunter2'),
  })
  assert.equal(described.length, Object.keys(SETTINGS).length)
  assert.doesNotMatch(JSON.stringify(described), /hunter2/)
  const find = (name: string) => described.find((setting) => setting.name === name)
  assert.deepEqual(find('KAFKA_BROKERS'), { name: 'KAFKA_BROKERS', text: 'kafka.example:9092', origin: 'set' })
  assert.deepEqual(find('KAFKA_SASL_PASSWORD'), { name: 'KAFKA_SASL_PASSWORD', text: '(secret)', origin: 'set' })
  assert.equal(find('SCHEMA_REGISTRY_PASSWORD')?.origin, 'file')
  assert.deepEqual(find('ONWARD_LOG_LEVEL'), { name: 'ONWARD_LOG_LEVEL', text: 'info', origin: 'default' })
})

test('no environment makes the reader throw anything but its own error', (t) => {
  const names = fc.oneof(
    fc.constantFrom(...Object.keys(SETTINGS)),
    fc.string().map((text) => `ONWARD_${text}`),
  )
  holdsFor(
    t,
    fc.property(fc.dictionary(names, fc.string({ unit: 'binary' })), (env) => {
      problemsOf(env)
    }),
  )
})
