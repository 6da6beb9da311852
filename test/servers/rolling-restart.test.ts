// An upgrade at noon: two forwarders under load, restarted one after the other by SIGTERM as a rolling update does it, while a real
// Prometheus watches with our rules. Nothing comes twice, nobody is called, and nothing stands still for five seconds.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts } from '../../deploy/local/free-ports.ts'
import { openGround } from '../support/ground.ts'
import { mailbox } from '../support/mailbox.ts'
import { startPrometheus, type Prometheus } from '../support/prometheus.ts'
import {
  allArrived,
  assertPauses,
  judgeNothingTwice,
  judgeOrder,
  openBook,
  owns,
  PARTITIONS,
  publishTo,
  rulesFor,
} from '../support/rebalance-room.ts'
import { until } from '../support/until.ts'

/** In which everything goes its usual way, before, between and after. */
const QUIET_MS = 10_000
const LOOK_EVERY_MS = 1_000
const MINUTE = 60_000

test('two forwarders are restarted one after the other under load: nothing twice, no alert, no pause over 5 s', async (t) => {
  const book = await openBook(t)
  const ground = await openGround(t, PARTITIONS)
  await ground.configure(rulesFor(book))
  const box = await mailbox(t)
  const [notifierPort = 0, ...ports] = await freePorts(3)
  const prometheus = await startPrometheus(t, [notifierPort, ...ports])
  const notifier = await ground.startNotifier({
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: 'Onward <onward@example.org>',
    ONWARD_HTTP_PORT: String(notifierPort),
  })
  const startAt = (port: number) => ground.startForwarder({ ONWARD_HTTP_PORT: String(port) })
  const forwarders = [await startAt(ports[0] ?? 0), await startAt(ports[1] ?? 0)]
  for (const forwarder of forwarders) await owns(forwarder, PARTITIONS / 2)
  await until('both are scraped', async () => (await prometheus.ask('onward_partitions > 0')).length === 2, MINUTE)

  const over = new AbortController()
  const alerts = watchAlerts(prometheus, over.signal)
  const publishing = publishTo(ground, over.signal)
  await pause(QUIET_MS)
  for (const [place, port] of ports.entries()) {
    assert.equal(await forwarders[place]?.stop('SIGTERM'), 0)
    const successor = await startAt(port)
    await owns(successor, PARTITIONS / 2)
    forwarders.push(successor)
    await pause(QUIET_MS)
  }
  over.abort()
  const published = await publishing
  await allArrived(book, published)

  judgeOrder(book, published)
  judgeNothingTwice(book)
  assertPauses(t, book, published, 5_000)
  const { firing, pending, looks } = await alerts
  t.diagnostic(
    `${published.flat().length} changes, ${looks} looks at the alerts; pending for a while: ${pending.join(', ')}`,
  )
  assert.deepEqual(firing, [])
  assert.deepEqual(box.mails, [])
  const left = (await prometheus.rules()).filter(({ state }) => state !== 'inactive')
  assert.deepEqual(
    left.map(({ name, state }) => `${name} is ${state}`),
    [],
    'what stays pending would fire',
  )
  for (const service of [...forwarders.slice(-2), notifier]) assert.equal(await service.stop('SIGTERM'), 0)
})

/** Whatever fires, or begins to, until the signal aborts. */
async function watchAlerts(prometheus: Prometheus, signal: AbortSignal) {
  const [firing, pending] = [new Set<string>(), new Set<string>()]
  let looks = 0
  for (; !signal.aborted; looks++) {
    for (const { name, state } of await prometheus.rules()) {
      if (state === 'firing') firing.add(name)
      if (state === 'pending') pending.add(name)
    }
    await pause(LOOK_EVERY_MS)
  }
  return { firing: [...firing], pending: [...pending], looks }
}
