// docker-compose.yml against what it names: files, settings, versions, and the story of `npm start` that it tells on containers.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import manifest from '../../../package.json' with { type: 'json' }
import { judgeCompose } from '../../../deploy/check/compose/judge-compose.ts'
import { freePorts } from '../../../deploy/local/free-ports.ts'
import { REPOSITORY } from '../../../deploy/local/paths.ts'
import { storyCases, storyRules } from '../../../deploy/local/start/story.ts'
import { readForwardingFile } from '../../../services/shared/forwarding/forwarding-file.ts'
import { SETTINGS, type Setting } from '../../../services/shared/settings-table.ts'
import { until } from '../../support/until.ts'

const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8')
const compose = read('docker-compose.yml')
const settings = new Map(Object.entries<Setting>(SETTINGS).map(([name, { secret }]) => [name, secret === true]))
const judge = (text: string) => judgeCompose(text, { exists: (path) => existsSync(join(REPOSITORY, path)), settings })

test('the compose file has nothing that we do not allow', () => {
  assert.deepEqual(judge(compose), [])
})

/** What somebody may break, and what is said then. */
const BROKEN: readonly (readonly [from: string, to: string, says: string])[] = [
  ['apache/kafka:4.3.1', 'apache/kafka:latest', 'services.kafka: image "apache/kafka:latest" names no version'],
  ['  pull_policy: never\n', '', 'services.receiver: pull_policy is not never'],
  [
    '    build:\n      context: .\n      dockerfile: deploy/Dockerfile\n',
    '',
    'services: one builds onward, and the others take what it built: not none',
  ],
  [
    '  kafka:\n    profiles',
    '  kafka:\n    build: .\n    profiles',
    'services: one builds onward, and the others take what it built: not kafka, topics',
  ],
  ['grafana/grafana:12.4.3', 'grafana/grafana', 'services.grafana: image "grafana/grafana" names no version'],
  [
    'apply: { condition: service_completed_successfully }\n      registry',
    'aply: { condition: service_completed_successfully }\n      registry',
    'services.forwarder: depends_on aply, which is no service',
  ],
  [
    'mailpit: { condition: service_healthy }',
    'mailpit: { condition: service_started }',
    'services.notifier: depends_on mailpit without a condition',
  ],
  [
    'depends_on:\n      topics: { condition: service_completed',
    'depends_on:\n      kafka: { condition: service_completed',
    'services.apply: waits for kafka to end, which starts again',
  ],
  [
    'apply: { condition: service_completed_successfully }\n      mailpit',
    'apply: { condition: service_healthy }\n      mailpit',
    'services.notifier: waits for apply to be healthy, which has no healthcheck',
  ],
  [
    'forwarder: { condition: service_healthy }\n      notifier',
    'prometheus: { condition: service_healthy }\n      notifier',
    'services.publish-samples: depends_on prometheus, which is not in profile core',
  ],
  [
    'profiles: [observability]\n    image: prom',
    'profiles: [metrics]\n    image: prom',
    'services.prometheus: profiles are not some of core, observability',
  ],
  ['ONWARD_MAIL_QUIET', 'ONWARD_MAIL_QUITE', 'services.notifier: ONWARD_MAIL_QUITE is no setting'],
  [
    '${ONWARD_LINK_SECRET:?is not set',
    '${ONWARD_LINK_SECRET:-secret',
    'services.notifier: ONWARD_LINK_SECRET bears a secret and has a default',
  ],
  [
    './deploy/compose/cases.json',
    './deploy/compose/case.json',
    'services.publish-cases: mounts ./deploy/compose/case.json, which is not',
  ],
  ["['./deploy:/app/deploy:ro']", "['./deploy:/app/deploy']", 'services.receiver: mounts ./deploy for writing'],
  ['127.0.0.1:9092:9092', '9092:9092', 'services.kafka: publishes 9092:9092 beyond this machine'],
  ['  read_only: true\n', '', 'services.forwarder: read_only is not true'],
  ["user: '10001:10001'", "user: '0:0'", 'services.notifier: user is not a uid and a gid above 0'],
]

for (const [from, to, says] of BROKEN) {
  test(`a compose file with ${JSON.stringify(to.split('\n')[0])} is refused`, () => {
    assert.equal(compose.split(from).length, 2, `${from} is there once`)
    const problems = judge(compose.replace(from, () => to))
    assert.ok(
      problems.some((problem) => problem.startsWith(says)),
      problems.join('\n'),
    )
  })
}

test('the demonstration on containers has the rules and the changes of npm start', () => {
  const rules = (text: string) => readForwardingFile(text, 'forwarding.yaml')
  const told = rules(storyRules('http://receiver:8090'))
  assert.equal(told.kind, 'read')
  assert.deepEqual(rules(read('deploy/compose/forwarding.yaml')), told)
  assert.deepEqual(JSON.parse(read('deploy/compose/cases.json')), storyCases())
})

test('the compose file names this version of Onward, and the registry that the tests run', () => {
  assert.ok(compose.includes(`image: onward:${manifest.version}\n`))
  const registry = /REGISTRY_VERSION = '([\d.]+)'/.exec(read('deploy/local/jars.ts'))?.[1]
  assert.ok(registry !== undefined && compose.includes(`apicurio-registry:${registry}\n`), registry)
})

test('the receiver of the containers fails, heals, tells what arrived, and ends with 0 on SIGTERM', async (t) => {
  const [port = 0] = await freePorts(1)
  const child = spawn(process.execPath, [join(REPOSITORY, 'deploy', 'compose', 'receiver.ts'), String(port)])
  t.after(() => child.kill('SIGKILL'))
  const said = text(child.stdout)
  const post = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: 'x', headers }).then(
      ({ status }) => status,
      () => null,
    )
  await until('it listens', async () => (await post('/healthy')) === 200)
  assert.equal(await post('/strict', { 'Idempotency-Key': '"demo/strict:cases:0:1"', 'Onward-Attempt': '1' }), 422)
  assert.equal(await post('/shaky'), 503)
  await until('it heals', async () => (await post('/shaky')) === 200)
  child.kill('SIGTERM')
  assert.equal(await said, '← 422  POST  /strict  "demo/strict:cases:0:1"  attempt 1  1 bytes\n')
  assert.equal(child.exitCode ?? (await once(child, 'exit'))[0], 0)
})
