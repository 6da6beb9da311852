// Every metric, driven to a value that is known, in whole services against the real broker.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { named, page, rows, section } from '../docs/documents.ts'
import { caseValue } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import { mailbox } from '../support/mailbox.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { targetServer, type Reply } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const LONG_ENOUGH_MS = 60_000

/** Those that another test drives, which names them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  onward_connection_certificate_expiry_timestamp_seconds: 'test/forwarder/tls.test.ts',
  onward_connection_unverified: 'test/forwarder/tls.test.ts',
  onward_consumer_stuck_partitions: 'test/flows/watchdog.test.ts',
  onward_lanes_held: 'test/flows/held.test.ts',
  onward_notices_suppressed_total: 'test/notifier/notifier.test.ts',
  onward_source_partitions_waiting: 'test/flows/versions.test.ts',
  onward_notice_stops_total: 'test/notifier/notifier.test.ts',
}
const driven = new Set<string>()

/** Samples by `name{labels}`, as Prometheus would read them. */
async function scrape({ port }: ServiceProcess): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

/** Compares the samples that are named, and notes their metrics as driven. */
function compare(samples: ReadonlyMap<string, number>, expected: Readonly<Record<string, number>>): void {
  const seen = Object.fromEntries(Object.keys(expected).map((name) => [name, samples.get(name)]))
  assert.deepEqual(seen, expected)
  for (const name of Object.keys(expected)) driven.add((name.split('{')[0] ?? '').replace(/_(?:count|sum|bucket)$/, ''))
}

test('a forwarder counts what it reads, makes, attempts, settles, parks and condemns', async (t) => {
  const ground = await openGround(t, 1)
  // 422 is for good; 423 is about the one record, and never opens the breaker.
  const remote = await targetServer(t, {
    reply: ({ path }) => (path === '/no' ? 422 : path === '/later' ? 423 : 200),
  })
  await ground.configure(`
project: demo
connections:
  - { id: yes, url: "${remote.url}yes", limits: { concurrency: 4 } }
  - { id: no, url: "${remote.url}no" }
  - { id: later, url: "${remote.url}later", schedule: [1h] }
  - { id: away, url: "http://127.0.0.1:9/", schedule: [1h] }
repeaters:
  - { id: yes, connection: yes, forward: cases, supersede: never }
  - { id: no, connection: no, forward: cases, filters: { caseTypes: [wrong] } }
  - { id: later, connection: later, forward: cases, supersede: never, filters: { caseTypes: [early] } }
  - { id: newest, connection: later, forward: cases, supersede: waiting, filters: { caseTypes: [early] } }
  - { id: away, connection: away, forward: cases, supersede: never, filters: { caseTypes: [gone] } }
`)
  const forwarder = await ground.startForwarder()
  const { cases } = ground.topics
  const change = (caseId: string, caseType: string) => ({ key: caseId, value: caseValue({ caseId, caseType }) })
  await ground.producer.send(cases, [
    change('a', 'patient'),
    change('b', 'wrong'),
    change('c', 'early'),
    { ...change('d', 'patient'), key: null },
    { key: 'e', value: caseValue({ caseId: 'e' }).replace('"demo"', '"elsewhere"') },
    { key: 'f', value: 'no document' },
    { key: 'g', value: null },
  ])
  const parked = () => forwarder.metric('onward_deliveries_parked_total', 'tier="5m"')
  await until('both are parked', async () => (await parked()) === 2, LONG_ENOUGH_MS)
  await ground.producer.send(cases, [change('c', 'early')])
  await until('all but the parked is settled', async () => (await parked()) === 4, LONG_ENOUGH_MS)
  // Ten failures in a row over two lanes open the breaker.
  await ground.producer.send(
    cases,
    Array.from({ length: 12 }, (_, at) => change(`gone-${at}`, 'gone')),
  )
  await forwarder.line(({ event }) => event === 'connection-broken')
  const settled = () => forwarder.metric('onward_deliveries_settled_total', 'verdict="delivered"')
  await until('the rest arrived', async () => (await settled()) === 17, LONG_ENOUGH_MS)
  await until('both letters', async () => (await forwarder.metric('onward_dead_letters_total')) === 2)

  compare(await scrape(forwarder), {
    [`onward_changes_consumed_total{topic="${cases}",result="matched"}`]: 17,
    [`onward_changes_consumed_total{topic="${cases}",result="unmatched"}`]: 1,
    [`onward_changes_consumed_total{topic="${cases}",result="unreadable"}`]: 1,
    [`onward_changes_consumed_total{topic="${cases}",result="tombstone"}`]: 1,
    [`onward_changes_without_key_total{topic="${cases}"}`]: 1,
    'onward_deliveries_made_total{repeater="demo/yes"}': 17,
    'onward_deliveries_made_total{repeater="demo/later"}': 2,
    'onward_delivery_attempts_total{connection="demo/yes",outcome="answered",code_class="2xx"}': 17,
    'onward_delivery_attempts_total{connection="demo/no",outcome="answered",code_class="4xx"}': 1,
    'onward_delivery_attempts_total{connection="demo/later",outcome="answered",code_class="4xx"}': 2,
    'onward_delivery_attempt_duration_seconds_count{connection="demo/yes"}': 17,
    'onward_delivery_attempt_duration_seconds_count{connection="demo/no"}': 1,
    'onward_delivery_end_to_end_seconds_count{kind="case"}': 17,
    'onward_deliveries_settled_total{repeater="demo/yes",verdict="delivered"}': 17,
    'onward_deliveries_settled_total{repeater="demo/no",verdict="dead-letter"}': 1,
    'onward_deliveries_waiting{connection="demo/yes"}': 0,
    'onward_dead_letters_total{connection="demo/no",reason="rejected"}': 1,
    'onward_dead_letters_total{connection="none",reason="unreadable"}': 1,
    'onward_dead_letters_total{connection="demo/yes",reason="rejected"}': 0,
    'onward_dead_letters_total{connection="demo/away",reason="exhausted"}': 0,
    'onward_deliveries_parked_total{connection="demo/later",tier="5m",reason="retry"}': 2,
    'onward_deliveries_parked_total{connection="demo/later",tier="5m",reason="behind"}': 2,
    'onward_lanes_blocked{connection="demo/later"}': 2,
    'onward_retry_overdue_seconds{tier="5m"}': 0,
    'onward_connection_slots{connection="demo/yes"}': 4,
    'onward_connection_in_flight{connection="demo/yes"}': 0,
    'onward_connection_state{connection="demo/yes",state="closed"}': 1,
    'onward_connection_state{connection="demo/away",state="open"}': 1,
    'onward_connection_state{connection="demo/away",state="closed"}': 0,
    onward_partitions: 1,
    onward_partitions_owned: 1,
    onward_ready: 1,
    onward_consumer_rebalances_total: 1,
    onward_consumer_restore_seconds_count: 1,
    onward_config_last_apply_successful: 1,
    onward_held_bytes_limit: 64 * 1024 * 1024,
    [`onward_build_info{version="0.1.0",service="forwarder"}`]: 1,
  })

  await ground.producer.send(`${ground.prefix}config`, [{ key: 'connection/demo/yes', value: '{}' }])
  await forwarder.line(({ event }) => event === 'configuration-record-refused')
  compare(await scrape(forwarder), { onward_config_last_apply_successful: 0 })
})

test('while memory is full the sources stand still, and lag, waiting and what is on the wire add up', async (t) => {
  const CHANGES = 60
  const ground = await openGround(t, 1)
  const answers = Promise.withResolvers<Reply>()
  const remote = await targetServer(t, { reply: () => ({ held: answers.promise }) })
  await ground.configure(`
project: demo
connections:
  - { id: remote, url: "${remote.url}", limits: { concurrency: 100, timeout: 120s } }
repeaters:
  - { id: cases, connection: remote, forward: cases, supersede: never }
`)
  // A source that is paused learns where its log ends when the watchdog looks: six times within this.
  const forwarder = await ground.startForwarder({ ONWARD_HELD_BYTES_LIMIT: '16MiB', ONWARD_STUCK_AFTER: '30s' })
  const large = (at: number) => caseValue({ caseId: `c${at}` }).replace('Somebody', 'x'.repeat(100_000))
  const { cases } = ground.topics
  for (let at = 0; at < CHANGES; at++) await ground.producer.send(cases, [{ key: `c${at}`, value: large(at) }])
  await until('it is full', async () => (await forwarder.metric('onward_sources_paused')) === 1, LONG_ENOUGH_MS)
  await until('all that was read is on the wire', async () => {
    const samples = await scrape(forwarder)
    const made = samples.get('onward_deliveries_made_total{repeater="demo/cases"}') ?? 0
    return samples.get('onward_connection_in_flight{connection="demo/remote"}') === made
  })
  const lagOf = () => forwarder.metric('onward_consumer_lag_records', `topic="${cases}"`)
  const madeOf = () => forwarder.metric('onward_deliveries_made_total')
  await until('its lag is known', async () => (await lagOf()) === CHANGES - (await madeOf()), LONG_ENOUGH_MS)
  const samples = await scrape(forwarder)
  const made = samples.get('onward_deliveries_made_total{repeater="demo/cases"}') ?? 0
  assert.ok(made > 5 && made < CHANGES, `${made} of ${CHANGES} were read`)
  compare(samples, {
    onward_sources_paused: 1,
    'onward_deliveries_waiting{connection="demo/remote"}': made,
    'onward_connection_in_flight{connection="demo/remote"}': made,
  })
  compare(samples, { [`onward_consumer_lag_records{topic="${cases}",partition="0"}`]: CHANGES - made })
  assert.ok((samples.get(`onward_consumer_lag_seconds{topic="${cases}",partition="0"}`) ?? 0) > 0)
  const held = samples.get('onward_held_bytes') ?? 0
  assert.ok(held >= 0.9 * 16 * 1024 * 1024 && held > made * 6 * 100_000, `${held}`)

  answers.resolve(200)
  const settled = () => forwarder.metric('onward_deliveries_settled_total')
  await until('all arrived', async () => (await settled()) === CHANGES, LONG_ENOUGH_MS)
  const committed = () => forwarder.metric('onward_consumer_committed_offset', `topic="${cases}"`)
  await until('all is committed', async () => (await committed()) === CHANGES)
  await until('no lag', async () => (await forwarder.metric('onward_consumer_lag_records')) === 0)
  compare(await scrape(forwarder), {
    onward_sources_paused: 0,
    onward_held_bytes: 0,
    [`onward_consumer_committed_offset{topic="${cases}",partition="0"}`]: CHANGES,
    [`onward_consumer_lag_records{topic="${cases}",partition="0"}`]: 0,
    [`onward_consumer_lag_seconds{topic="${cases}",partition="0"}`]: 0,
    'onward_deliveries_waiting{connection="demo/remote"}': 0,
  })
})

test('10,000 cases leave the number of series as it is', async (t) => {
  const CASES = 10_000
  const ground = await openGround(t, 4)
  const remote = await targetServer(t)
  await ground.configure(`
project: demo
connections:
  - { id: remote, url: "${remote.url}", limits: { concurrency: 100 } }
repeaters:
  - { id: cases, connection: remote, forward: cases, supersede: never }
`)
  const forwarder = await ground.startForwarder()
  const settled = () => forwarder.metric('onward_deliveries_settled_total')
  const publish = async (from: number, to: number) => {
    const records = Array.from({ length: to - from }, (_, at) => `case-${from + at}`)
    for (let at = 0; at < records.length; at += 500)
      await ground.producer.send(
        ground.topics.cases,
        records.slice(at, at + 500).map((caseId) => ({ key: caseId, value: caseValue({ caseId }) })),
      )
    await until(`${to} are settled`, async () => (await settled()) === to, 120_000)
  }
  await publish(0, 200)
  const ours = async () => [...(await scrape(forwarder)).keys()].filter((name) => name.startsWith('onward_')).toSorted()
  const before = await ours()
  await publish(200, CASES)
  assert.deepEqual(await ours(), before)
  t.diagnostic(`${before.length} series`)
})

test('a notifier counts what it hears, tells and cannot read', async (t) => {
  const ground = await openGround(t, 1)
  const box = await mailbox(t)
  let isDown = true
  const remote = await targetServer(t, { reply: () => (isDown ? 503 : 200) })
  await ground.configure(`
project: demo
connections:
  - { id: remote, url: "${remote.url}", notify: [ops@example.org], schedule: [1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s] }
repeaters:
  - { id: cases, connection: remote, forward: cases, supersede: never }
`)
  await ground.producer.send(`${ground.prefix}notices`, [{ key: 'incident/demo/remote', value: 'no document' }])
  await ground.producer.send(`${ground.prefix}failures`, [{ key: 'demo/remote', value: 'no document' }])
  const notifier = await ground.startNotifier({
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: 'Onward <onward@example.org>',
    ONWARD_MAIL_QUIET: '1s',
    ONWARD_MAIL_GATHER: '100ms',
  })
  const startedAt = Date.now()
  await ground.startForwarder({ ONWARD_FAILING_AFTER: '1s' })
  await ground.producer.send(ground.topics.cases, [{ key: 'c', value: caseValue({ caseId: 'c' }) }])
  await box.took(1)
  isDown = false
  await box.took(2)
  await until('both are noted', async () => (await notifier.metric('onward_notices_total', 'way="mail"')) === 2)
  const samples = await scrape(notifier)
  compare(samples, {
    'onward_failure_records_total{result="unreadable"}': 1,
    'onward_notices_made_total{kind="failing"}': 1,
    'onward_notices_made_total{kind="recovered"}': 1,
    'onward_notices_total{kind="failing",way="mail"}': 1,
    'onward_notices_total{kind="recovered",way="mail"}': 1,
    'onward_mails_total{outcome="accepted"}': 2,
    onward_notices_pending: 0,
    onward_notices_overdue_seconds: 0,
    onward_notifier_active: 1,
    onward_notice_records_unreadable_total: 1,
    'onward_build_info{version="0.1.0",service="notifier"}': 1,
  })
  assert.ok((samples.get('onward_failure_records_total{result="read"}') ?? 0) >= 2)
  const last = samples.get('onward_notifier_last_success_timestamp_seconds') ?? 0
  assert.ok(last * 1_000 >= startedAt - 1_000 && last * 1_000 <= Date.now() + 1_000, String(last))
  driven.add('onward_notifier_last_success_timestamp_seconds')
})

test('every metric that the operators’ page lists was driven', () => {
  const listed = rows(section(page('docs/operating.md'), '## Metrics')).flatMap(([name]) => named(name))
  for (const [name, file] of Object.entries(ELSEWHERE)) {
    assert.ok(listed.includes(name), name)
    assert.ok(readFileSync(join(REPOSITORY, file), 'utf8').includes(name), `${file} drives ${name}`)
  }
  const missing = listed.filter((name) => name.startsWith('onward_') && !driven.has(name) && !(name in ELSEWHERE))
  assert.deepEqual(missing, [])
})
