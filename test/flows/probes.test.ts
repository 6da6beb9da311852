// What the probes of a notifier say while its mail server or the brokers are away, and after. Those of a forwarder stand in
// outages.test.ts, beside the outages themselves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startStack } from '../../deploy/local/stack.ts'
import { caseValue } from '../support/changes.ts'
import { openGround, openGroundOn } from '../support/ground.ts'
import { mailbox } from '../support/mailbox.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const LONG_ENOUGH_MS = 60_000
const WELL = { live: 200, ready: 200 }

async function probesOf({ port }: ServiceProcess): Promise<{ readonly live: number; readonly ready: number }> {
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status
  return { live: await ask('/livez'), ready: await ask('/readyz') }
}

test('a mail server that is away keeps a notifier alive and ready, and its mail is sent afterwards', async (t) => {
  const ground = await openGround(t, 1)
  const box = await mailbox(t)
  const remote = await targetServer(t, { reply: () => 503 })
  await ground.configure(`
project: demo
connections:
  - { id: remote, url: "${remote.url}", notify: [ops@example.org], schedule: [1h] }
repeaters:
  - { id: cases, connection: remote, forward: cases }
`)
  await box.close()
  const notifier = await ground.startNotifier({
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: 'Onward <onward@example.org>',
    ONWARD_MAIL_GATHER: '100ms',
  })
  await ground.startForwarder({ ONWARD_FAILING_AFTER: '1s' })
  await ground.producer.send(ground.topics.cases, [{ key: 'c', value: caseValue({ caseId: 'c' }) }])
  await notifier.line(({ event }) => event === 'mail-failed')
  assert.deepEqual(await probesOf(notifier), WELL)
  await box.open()
  await box.took(1)
  assert.deepEqual(await probesOf(notifier), WELL)
})

test('brokers that are away keep a notifier alive and not ready; when they are back it is ready again by itself', async (t) => {
  const stack = await startStack({ registry: false, own: true })
  t.after(() => stack.stop())
  const ground = await openGroundOn(t, stack, 1)
  const box = await mailbox(t)
  const notifier = await ground.startNotifier({ SMTP_URL: box.url, ONWARD_MAIL_FROM: 'Onward <onward@example.org>' })
  assert.deepEqual(await probesOf(notifier), WELL)
  const [broker] = stack.kafka
  assert.ok(broker)
  await broker.kill()
  const reaches = async (wanted: number) => {
    const { live, ready } = await probesOf(notifier)
    assert.equal(live, 200)
    return ready === wanted
  }
  await until('it is not ready', () => reaches(503), LONG_ENOUGH_MS)
  await broker.start()
  await until('it is ready again', () => reaches(200), LONG_ENOUGH_MS)
  assert.equal(await notifier.stop('SIGTERM'), 0)
})
