// What goes into a mail, and when, in virtual time: common causes, outages, caps, refusals; and that the accounts close.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sampleNotices } from '../../services/shared/mail/sample-notices.ts'
import type { SendOutcome } from '../../services/shared/mail/send-outcome.ts'
import { emptyBox } from '../../services/shared/notices/notice.ts'
import { HOUR, MINUTE, noticeWorld, remote } from '../support/notice-world.ts'
import { holdsFor } from '../support/property.ts'

const OPS = 'ops@example.org'
const LEAD = 'lead@example.org'
const NO_SERVER: SendOutcome = { kind: 'not-sent', error: 'connect ECONNREFUSED' }

function accountsClose(world: ReturnType<typeof noticeWorld>): void {
  const { made, told, suppressed } = world.counts
  const kept = [...suppressed.values()].reduce((sum, count) => sum + count, 0)
  assert.equal(made, told + kept + world.pending, JSON.stringify({ made, told, kept, pending: world.pending }))
}

test('connections that fail together for one cause are told in one mail, others in their own', () => {
  const behindProxy = Array.from({ length: 5 }, (_, index) => remote(`proxied-${index}`, OPS))
  const other = remote('other', OPS)
  const world = noticeWorld([...behindProxy, other])
  world.pass(2 * MINUTE, () => {
    for (const each of behindProxy) {
      world.fail(each, { status: null, text: `getaddrinfo ENOTFOUND ${each.id}.example`, delivery: each })
    }
    world.fail(other, { delivery: other })
  })
  assert.deepEqual(
    world.sent.map(({ notices }) => notices.length).toSorted((a, b) => a - b),
    [1, 5],
  )
  const together = world.sent.find(({ notices }) => notices.length === 5)
  assert.match(together?.subject ?? '', /^\[demo\] 5 connections: 5 failing$/)
  assert.match(together?.text ?? '', /The same for all of them: ENOTFOUND/)
  accountsClose(world)
})

test('breakers that open for too many failures have no cause in common but what their remotes said', () => {
  const [one, other] = [remote('one', OPS), remote('other', OPS)]
  const world = noticeWorld([one, other])
  world.fail(one, { text: '503: restarting' })
  world.fail(other, { status: null, text: 'read ECONNRESET' })
  for (const each of [one, other]) world.breaker(each, 'open', 'failures')
  world.pass(MINUTE)
  assert.deepEqual(world.sent.map(({ subject }) => subject).toSorted(), [
    '[demo] Remote one is failing: requests are on hold',
    '[demo] Remote other is failing: requests are on hold',
  ])
})

test('a mail server that is away for an hour: afterwards one mail an address tells the whole', () => {
  const connections = Array.from({ length: 20 }, (_, index) => remote(`r${index}`, OPS, ...(index < 10 ? [LEAD] : [])))
  let down = true
  const world = noticeWorld(connections, { smtp: () => (down ? NO_SERVER : { kind: 'accepted' }) })
  const failAll = () => {
    for (const [index, each] of connections.entries())
      world.fail(each, { text: `503: trouble ${index}`, delivery: each })
  }
  world.pass(20 * MINUTE, failAll)
  world.pass(40 * MINUTE, () => connections.forEach((each) => world.succeed(each)))
  assert.equal(world.sent.length, 0)
  assert.ok(world.overdue > 55 * MINUTE && world.overdue < 60 * MINUTE, `${world.overdue} ms late`)
  down = false
  world.pass(3 * HOUR, () => connections.forEach((each) => world.succeed(each)), 5_000)
  assert.deepEqual(world.sent.map(({ to, notices }) => [to, notices.length]).toSorted(), [
    [LEAD, 10],
    [OPS, 20],
  ])
  const [mail] = world.sent
  assert.ok(mail && mail.at <= 70 * MINUTE, 'within ten minutes of the server’s return')
  assert.match(mail.subject, /^\[demo\] \d+ connections: \d+ back to normal$/)
  for (const { kinds, facts } of mail.notices) {
    assert.deepEqual([kinds[0], kinds.at(-1)], ['failing', 'recovered'])
    assert.equal(facts.failed, 1_200)
    assert.ok(facts.until !== null && facts.until - facts.since >= 20 * MINUTE)
  }
  accountsClose(world)
})

test('a mail of which we do not know whether it was taken goes again, the same, by the same Message-ID', () => {
  const connection = remote('registry', OPS)
  const tried: string[] = []
  const world = noticeWorld([connection], {
    smtp: (mail) => {
      tried.push(mail.messageId)
      return tried.length < 3 ? { kind: 'unknown', error: 'timeout' } : { kind: 'accepted' }
    },
  })
  world.pass(10 * MINUTE, () => world.fail(connection, { delivery: connection }))
  assert.equal(tried.length, 3)
  assert.equal(new Set(tried).size, 1)
  assert.deepEqual(world.story(), ['2m failing'])
})

test('a member that takes over after a crash sends what was written down, by the same Message-ID, and nothing twice', () => {
  const connection = remote('registry', OPS)
  const tried: string[] = []
  let crash = true
  const world = noticeWorld([connection], {
    smtp: (mail) => {
      tried.push(mail.messageId)
      // Sent, and the process dies before it can note it.
      return crash ? { kind: 'unknown', error: 'killed' } : { kind: 'accepted' }
    },
  })
  world.pass(MINUTE, () => world.fail(connection, { delivery: connection }))
  assert.equal(tried.length, 1)
  crash = false
  world.takeOver()
  world.pass(5 * MINUTE, () => world.fail(connection, { delivery: connection }))
  assert.deepEqual([tried.length, new Set(tried).size], [2, 1])
  world.takeOver()
  world.pass(5 * MINUTE, () => world.fail(connection, { delivery: connection }))
  assert.equal(tried.length, 2)
})

test('the cap of a day ends with a mail that says so; what comes after is told the next day, in one', () => {
  const connections = Array.from({ length: 12 }, (_, index) => remote(`r${index}`, OPS))
  const world = noticeWorld(connections, { rules: { cap: 3 } })
  for (const [index, each] of connections.entries()) {
    world.pass(5 * MINUTE, () => world.fail(each, { text: `500: own trouble ${index}`, delivery: each }), 5_000)
  }
  assert.equal(world.sent.length, 3)
  assert.match(world.sent[2]?.text ?? '', /last mail of today for ops@example\.org: no more than 3/)
  assert.doesNotMatch(world.sent[1]?.text ?? '', /last mail of today/)
  world.pass(23 * HOUR, undefined, MINUTE)
  assert.equal(world.sent.length, 4)
  const next = world.sent[3]
  assert.equal(new Date(Date.UTC(2026, 0, 2, 3, 4, 5) + (next?.at ?? 0)).toISOString().slice(0, 10), '2026-01-03')
  assert.equal(next?.notices.length, 12)
  assert.ok((world.counts.suppressed.get('capped') ?? 0) > 0)
  accountsClose(world)
})

test('an address that its server refuses for good gets nothing more, and the others of its project hear of it once', () => {
  const connections = [remote('a', OPS, LEAD), remote('b', OPS), remote('c', 'third@example.org')]
  const world = noticeWorld(connections, {
    smtp: (_mail, to) => (to === OPS ? { kind: 'refused', error: '550 no such user' } : { kind: 'accepted' }),
  })
  const [a, b] = connections
  assert.ok(a && b)
  world.pass(5 * MINUTE, () => world.fail(a, { delivery: a }))
  world.pass(5 * MINUTE, () => world.fail(b, { delivery: b }))
  assert.deepEqual(world.sent.map(({ to, notices }) => `${to} ${notices[0]?.kinds.join() ?? ''}`).toSorted(), [
    'lead@example.org address-refused',
    'lead@example.org failing',
    'third@example.org address-refused',
  ])
  const told = world.sent.find(({ to }) => to === 'third@example.org')
  assert.match(told?.text ?? '', /The mail server of ops@example\.org refuses mail to it:\n {4}550 no such user/)
  assert.ok((world.counts.suppressed.get('refused') ?? 0) >= 2)
  accountsClose(world)
})

test('who stopped the notices of a connection or a project gets none of it, also of what waits; others do', () => {
  const connections = [remote('a', OPS, LEAD), remote('b', OPS, LEAD)]
  const [a, b] = connections
  assert.ok(a && b)
  const world = noticeWorld(connections)
  const scope = { kind: 'connection', connection: a.id } as const
  world.statements({ kind: 'stop', stop: { address: OPS, scope, at: 0, by: 'link', why: '' } })
  world.pass(3 * MINUTE, () => {
    world.fail(a, { delivery: a, text: '500: a' })
    world.fail(b, { delivery: b, text: '500: b' })
  })
  const told = () =>
    world.sent.map(({ to, notices }) => `${to} ${notices.map(({ connection }) => connection).join()}`).toSorted()
  assert.deepEqual(told(), [`${LEAD} demo/a`, `${LEAD} demo/b`, `${OPS} demo/b`])
  world.statements({
    kind: 'stop',
    stop: { address: LEAD, scope: { kind: 'project', project: a.project }, at: 0, by: 'operator', why: '' },
  })
  world.statements({ kind: 'resume', address: OPS, scope })
  world.pass(20 * MINUTE, () => {
    world.fail(a, { delivery: a, text: '500: a' })
    world.fail(b, { delivery: b, text: '500: b' })
  })
  assert.equal(told().filter((line) => line.startsWith(LEAD)).length, 2)
  assert.ok(told().some((line) => line.startsWith(OPS) && line.includes('demo/a')))
  accountsClose(world)
})

test('a mail of which we do not know whether it was taken is not sent again to whoever stopped meanwhile', () => {
  const connection = remote('a', OPS)
  let sends = 0
  const world = noticeWorld([connection], {
    smtp: () => {
      sends++
      return { kind: 'unknown', error: 'silence' }
    },
  })
  world.pass(2 * MINUTE, () => world.fail(connection, { delivery: connection }))
  assert.ok(sends > 0)
  const before = sends
  const scope = { kind: 'connection', connection: connection.id } as const
  world.statements({ kind: 'stop', stop: { address: OPS, scope, at: 0, by: 'link', why: '' } })
  world.pass(HOUR, () => world.fail(connection, { delivery: connection }), 10_000)
  assert.equal(sends, before)
  accountsClose(world)
})

test('a clock that is put back for an hour keeps no mail back, neither one that waits nor one of new trouble', () => {
  const connections = [remote('a', OPS), remote('b', LEAD)]
  const [a, b] = connections
  assert.ok(a && b)
  let down = true
  const world = noticeWorld(connections, { smtp: () => (down ? NO_SERVER : { kind: 'accepted' }) })
  world.pass(20 * MINUTE, () => {
    world.fail(a, { delivery: a })
    world.succeed(b)
  })
  down = false
  world.putBack(HOUR)
  const before = world.elapsed
  world.pass(15 * MINUTE, () => world.fail(b, { delivery: b, text: '500: new' }))
  assert.ok(world.sent.some(({ to }) => to === OPS))
  assert.ok(world.sent.some(({ to, text }) => to === LEAD && text.includes('500: new')))
  for (const { at } of world.sent) assert.ok(at - before <= 15 * MINUTE)
  accountsClose(world)
})

test('whatever the mail server does, no address has two mails for one notice, and the accounts close', (t) => {
  const outcome = fc.constantFrom<SendOutcome['kind']>('accepted', 'accepted', 'accepted', 'not-sent', 'unknown')
  const step = fc.record({
    which: fc.nat(3),
    what: fc.constantFrom('fail', 'succeed', 'letter', 'take-over'),
    span: fc.integer({ min: 1, max: 30 }),
  })
  holdsFor(
    t,
    fc.property(
      fc.array(step, { maxLength: 25 }),
      fc.array(outcome, { minLength: 1, maxLength: 20 }),
      (steps, outcomes) => {
        const connections = Array.from({ length: 4 }, (_, index) => remote(`r${index}`, OPS, LEAD))
        let sends = 0
        const world = noticeWorld(connections, {
          rules: { cap: 6 },
          smtp: () => {
            const kind = outcomes[sends++ % outcomes.length] ?? 'accepted'
            return kind === 'accepted' ? { kind } : { kind, error: 'trouble' }
          },
        })
        for (const { which, what, span } of steps) {
          const each = connections[which]
          if (!each) continue
          if (what === 'take-over') world.takeOver()
          if (what === 'letter') world.letter(each, `letter-${world.elapsed}`)
          world.pass(
            span * MINUTE,
            () => {
              if (what === 'fail') world.fail(each, { delivery: each })
              if (what === 'succeed') world.succeed(each)
            },
            10_000,
          )
          accountsClose(world)
        }
        const seen = new Set<string>()
        for (const { to, notices } of world.sent) {
          for (const { incident, sequence } of notices) {
            const key = `${to} ${incident} ${sequence}`
            assert.ok(!seen.has(key), key)
            seen.add(key)
          }
        }
      },
    ),
    60,
  )
})

test('a stop that is restored before the box that it takes something out of takes it out all the same', () => {
  const [notice] = sampleNotices('failing', Date.UTC(2026, 0, 2, 3, 4, 5))
  assert.ok(notice)
  const world = noticeWorld([remote('a', OPS)])
  const stop = { address: OPS, scope: { kind: 'all' }, at: 0, by: 'operator', why: '' } as const
  world.statements({ kind: 'stop', stop }, { kind: 'box', box: { ...emptyBox(OPS), pending: [notice] } })
  world.pass(5 * MINUTE)
  assert.equal(world.pending, 0)
  assert.deepEqual(world.sent, [])
})
