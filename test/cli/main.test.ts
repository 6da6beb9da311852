import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { kafkaGround } from '../support/kafka-ground.ts'
import { runOnward } from '../support/run-onward.ts'

test('every command is listed and has help with examples', async () => {
  const { code, stdout } = await runOnward(['--help'], {})
  assert.equal(code, 0)
  for (const name of ['apply', 'get', 'check', 'topics', 'publish', 'dead-letters', 'plan']) {
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
    const help = await runOnward([name, '--help'], {})
    assert.equal(help.code, 0)
    assert.match(help.stdout, new RegExp(`^Usage: onward ${name}`))
    assert.match(help.stdout, new RegExp(`Examples:\n(  onward ${name}.*\n){2,}`))
  }
})

test('every part of dead-letters has help of its own, with options, exit codes and examples', async () => {
  for (const name of ['list', 'show', 'stats', 'requeue', 'export', 'purge']) {
    const { code, stdout } = await runOnward(['dead-letters', name, '--help'], {})
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^Usage: onward dead-letters ${name}`))
    assert.match(stdout, /\n  --json [\s\S]*\nExit codes: /)
    assert.match(stdout, new RegExp(`Examples:\n(  onward dead-letters .*\n){2,}`))
  }
})

test('the version is the package’s', async () => {
  assert.deepEqual(await runOnward(['--version'], {}), { code: 0, stdout: `onward ${manifest.version}\n`, stderr: '' })
})

test('the launcher hands its arguments over and ends with the code', async () => {
  const launcher = fileURLToPath(new URL('../../services/cli/onward.mjs', import.meta.url))
  const { code, stderr } = await runOnward(['topcs'], {}, undefined, launcher)
  assert.equal(code, 2)
  assert.match(stderr, /did you mean topics\?/)
})

test('missing settings are named, with the exit code of a usage error', async () => {
  const { code, stderr } = await runOnward(['topics'], {})
  assert.equal(code, 2)
  assert.match(stderr, /KAFKA_BROKERS is not set/)
})

test('a cluster that refuses connections is named with the setting to change, within the time limit', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const address = closed.address()
  assert.ok(address !== null && typeof address === 'object')
  closed.close()
  const broker = `127.0.0.1:${address.port}`
  const { code, stderr, stdout } = await runOnward(['topics', '--timeout', '1s'], { KAFKA_BROKERS: broker })
  assert.deepEqual([code, stdout], [3, ''])
  assert.ok(stderr.includes(`no answer from Kafka at ${broker} within 1s`))
  assert.match(stderr, /ECONNREFUSED/)
  assert.match(stderr, /Check KAFKA_BROKERS/)
})

test('a cluster that accepts and says nothing is given up at the time limit', async (t) => {
  const silent = createServer((socket) => {
    t.after(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const address = silent.address()
  assert.ok(address !== null && typeof address === 'object')
  const { code, stderr } = await runOnward(['topics', '--timeout', '1s'], {
    KAFKA_BROKERS: `127.0.0.1:${address.port}`,
  })
  assert.equal(code, 3)
  assert.match(stderr, /no answer from Kafka/)
})

test('Ctrl-C ends a load with 130 after what was sent is told', async (t) => {
  const { brokers, createTopic } = await kafkaGround(t)
  const environment = { KAFKA_BROKERS: brokers.join(','), ONWARD_TOPIC_CASES: await createTopic(2) }
  const args = ['publish', 'cases', '--count', '1000000', '--rate', '5000/s', '--format', 'json']
  const ran = await runOnward(args, environment, (text, interrupt) => {
    if (text.includes('1,000,000 changes')) interrupt()
  })
  assert.equal(ran.code, 130)
  assert.match(ran.stdout, /^\d+ of 1000000 changes published to /)
})
