// Thousands of connections that fail at once for one cause: few mails, true figures, and records that a topic takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wantedTopics } from '../../services/shared/kafka/plan-topics.ts'
import { MINUTE, noticeWorld, remote } from '../support/notice-world.ts'

const OPS = 'ops@example.org'
/** Four bytes in UTF-8: the worst that words and ids can hold. */
const WIDE = '😀'

/** What `onward.notices` takes of one record. */
function largestRecord(): number {
  const settings = { topics: { forms: null, cases: null, apps: null }, topicPrefix: 'onward.', retryTiers: [] }
  const topics = wantedTopics(settings, { brokers: [1], sources: false }, new Map())
  return Number(topics.find(({ name }) => name === 'onward.notices')?.settings['max.message.bytes'])
}

test('5,000 connections that fail at once for one cause bring one mail that tells of all', () => {
  const connections = Array.from({ length: 5_000 }, (_, index) => remote(`remote-${index}`, OPS))
  const world = noticeWorld(connections)
  world.pass(
    MINUTE,
    () => {
      for (const each of connections)
        world.fail(each, { status: null, text: `getaddrinfo ENOTFOUND ${each.id}.example`, delivery: each })
    },
    10_000,
  )
  const [mail, ...others] = world.sent
  assert.equal(others.length, 0)
  assert.equal(mail?.subject, '[demo] 5000 connections: 220 failing, 4780 more')
  assert.match(mail.text, /^The same for all that are named here: ENOTFOUND$/m)
  assert.match(mail.text, /^and 4780 connections more$/m)
  assert.ok(mail.text.length < 60_000, `${mail.text.length} characters`)
  assert.ok(world.records <= 5_000, `${world.records} records`)
  assert.equal(world.counts.made, 5_000)
  assert.equal((world.counts.suppressed.get('overflow') ?? 0) + world.counts.told, 5_000)
})

test('whatever remotes say, and however long a mail server hangs, a box fits a record', (t) => {
  const connections = Array.from({ length: 600 }, (_, index) => remote(`remote-${'x'.repeat(50)}-${index}`, OPS))
  let sends = 0
  let failures = 0
  const world = noticeWorld(connections, {
    rules: { domain: `${'d'.repeat(240)}.example` },
    // It hangs, then refuses for now, then takes it: the mail and what came meanwhile lie in the box together.
    smtp: () => {
      sends++
      return sends < 4
        ? { kind: 'unknown', error: 'silence' }
        : sends < 7
          ? { kind: 'not-sent', error: '451' }
          : { kind: 'accepted' }
    },
  })
  for (let round = 0; round < 12; round++) {
    for (const [index, each] of connections.entries()) world.letter(each, `${WIDE.repeat(200)}${index}-${round}`)
    world.pass(
      5 * MINUTE,
      () => {
        for (const each of connections)
          world.fail(each, { id: `${failures++}${WIDE.repeat(200)}`, text: `503: ${WIDE.repeat(256)}`, delivery: {} })
      },
      30_000,
    )
  }
  assert.ok(world.sent.length > 0)
  t.diagnostic(`${world.largest} bytes of ${largestRecord()}`)
  assert.ok(world.largest < largestRecord(), `${world.largest} bytes`)
  const { made, told, suppressed } = world.counts
  const kept = [...suppressed.values()].reduce((sum, count) => sum + count, 0)
  assert.equal(made, told + kept + world.pending)
})
