// When somebody is told, in virtual time: the table of the contract.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOUR, MINUTE, noticeWorld, remote } from '../support/notice-world.ts'

const OPS = 'ops@example.org'
const DAY = 24 * HOUR

/** A world with one connection that fails each second when asked to. */
function openWorld() {
  const connection = remote('registry', OPS)
  const world = noticeWorld([connection])
  world.waits(connection, 3)
  const delivery = {}
  return Object.assign(world, {
    connection,
    failing: (span: number, step = 1_000) => world.pass(span, () => world.fail(connection, { delivery }), step),
    well: (span: number, step = 1_000) => world.pass(span, () => world.succeed(connection), step),
  })
}

test('short trouble is told to nobody', () => {
  const { failing, well, story } = openWorld()
  for (let round = 0; round < 20; round++) {
    failing(30_000)
    well(30_000)
  }
  assert.deepEqual(story(), [])
})

test('one mail when it begins, one when it is over', () => {
  const { failing, well, story, sent } = openWorld()
  well(10_000)
  failing(5 * MINUTE)
  well(HOUR)
  assert.deepEqual(story(), ['0m failing', '7m recovered'])
  const [first, second] = sent
  assert.ok(first && second)
  assert.ok(first.at <= 60_000, `told after ${first.at} ms`)
  assert.equal(first.notices[0]?.incident, second.notices[0]?.incident)
})

test('while it lasts, digests come after a quarter of an hour, an hour, six hours, a day, and each day', () => {
  const { failing, story } = openWorld()
  failing(3 * DAY + HOUR, 20_000)
  // It is told a minute after it began: three steps of twenty seconds each, and company is waited for.
  const minutes = [1, 16, 61, 361, 1441, 2881, 4321]
  assert.deepEqual(
    story(),
    minutes.map((minute, index) => `${minute}m ${index === 0 ? 'failing' : 'digest'}`),
  )
})

test('the breaker that opens is told, and says that the connection fails', () => {
  const { breaker, connection, pass, well, failing, story } = openWorld()
  well(10_000)
  failing(5_000)
  breaker(connection, 'open', 'credentials')
  pass(10 * MINUTE)
  breaker(connection, 'recovering')
  pass(10_000)
  breaker(connection, 'recovered')
  pass(HOUR)
  assert.deepEqual(story(), ['0m open', '12m recovered'])
})

test('a breaker that opens while the connection is failing is told too, once', () => {
  const { breaker, connection, pass, failing, story } = openWorld()
  failing(3 * MINUTE)
  breaker(connection, 'open')
  pass(MINUTE)
  breaker(connection, 'recovering')
  pass(10_000)
  breaker(connection, 'open')
  pass(5 * MINUTE)
  assert.deepEqual(story(), ['0m failing', '3m open'])
})

test('dead letters of a connection that is well are told at once, then in digests as long as more come', () => {
  const { letter, connection, pass, well, story, sent } = openWorld()
  well(10_000)
  letter(connection, 'a')
  pass(10 * MINUTE)
  letter(connection, 'b')
  letter(connection, 'c')
  pass(4 * DAY, undefined, 20_000)
  assert.deepEqual(story(), ['0m dead-letters', '15m digest'])
  assert.deepEqual(
    sent.map(({ notices }) => notices[0]?.facts.deadLetters),
    [1, 3],
  )
})

test('dead letters of a failing connection are told once at once, and their count in every mail', () => {
  const { letter, connection, failing, well, story, sent } = openWorld()
  failing(5 * MINUTE)
  letter(connection, 'a')
  failing(20 * MINUTE)
  letter(connection, 'b')
  failing(MINUTE)
  well(HOUR)
  assert.deepEqual(story(), ['0m failing', '5m dead-letters', '15m digest', '28m recovered'])
  assert.deepEqual(
    sent.map(({ notices }) => notices[0]?.facts.deadLetters),
    [0, 1, 1, 2],
  )
})

test('a connection that flaps is one incident: one mail, digests, and one mail when it is over', () => {
  const { failing, well, story, sent } = openWorld()
  for (let round = 0; round < 30; round++) {
    failing(60_000)
    well(60_000)
  }
  well(HOUR)
  assert.deepEqual(story(), ['0m failing', '16m digest', '61m recovered'])
  assert.equal(new Set(sent.map(({ notices }) => notices[0]?.incident)).size, 1)
  assert.ok((sent.at(-1)?.notices[0]?.facts.flaps ?? 0) >= 25)
})

test('trouble that is back soon after its recovery was told belongs to the same incident, and is told by its digest', () => {
  const { failing, well, story, sent } = openWorld()
  failing(5 * MINUTE)
  well(10 * MINUTE)
  failing(5 * MINUTE)
  well(10 * MINUTE)
  failing(20 * MINUTE)
  well(HOUR)
  assert.deepEqual(story(), ['0m failing', '7m recovered', '45m digest', '52m recovered'])
  assert.equal(new Set(sent.map(({ notices }) => notices[0]?.incident)).size, 1)
})

test('trouble that is back after hours is told anew', () => {
  const { failing, well, story, sent } = openWorld()
  failing(5 * MINUTE)
  well(2 * HOUR)
  failing(5 * MINUTE)
  well(HOUR)
  assert.deepEqual(story(), ['0m failing', '7m recovered', '125m failing', '132m recovered'])
  assert.equal(new Set(sent.map(({ notices }) => notices[0]?.incident)).size, 2)
})

test('a member that is gone leaves nothing open: the first success of another ends it', () => {
  const { connection, fail, pass, succeed, story } = openWorld()
  pass(2 * MINUTE, () => fail(connection, { member: 'old:1' }))
  // The old one is killed: its streak ends with no word. The new one is well from the start.
  assert.deepEqual(story(), ['0m failing'])
  pass(10 * MINUTE, () => succeed(connection, 'new:1'))
  assert.deepEqual(story(), ['0m failing', '4m recovered'])
})

test('50,000 failing deliveries within ten minutes: one mail at once, digests by the table, one at the end, and true figures', () => {
  const world = openWorld()
  const { fail, pass, connection, waits, story, sent } = world
  let failed = 0
  let affected = 0
  const truth: { at: number; failed: number; affected: number }[] = []
  let records = 0
  const remember = () => {
    if (world.records === records) return
    records = world.records
    truth.push({ at: world.recordedAt, ...before })
  }
  let before = { failed, affected }
  pass(
    10 * MINUTE,
    () => {
      remember()
      fail(connection, { id: `case-${failed}` })
      failed++
      affected++
      before = { failed, affected }
    },
    12,
  )
  assert.equal(failed, 50_000)
  waits(connection, 50_000)
  const again = Array.from({ length: 100 }, () => ({}))
  affected += 100
  pass(80 * MINUTE, () => {
    remember()
    const delivery = again[failed % 100]
    if (delivery) fail(connection, { delivery })
    failed++
    before = { failed, affected }
  })
  waits(connection, 0)
  world.pass(HOUR, () => {
    remember()
    world.succeed(connection)
  })
  assert.deepEqual(story(), ['0m failing', '15m digest', '60m digest', '92m recovered'])
  assert.ok(world.records < 110, `${world.records} records`)
  // A mail is as true as the newest record before it, which is a minute old at most.
  for (const { notices } of sent) {
    const [notice] = notices
    const known = truth.findLast(({ at }) => at <= (notice?.at ?? 0))
    assert.ok(notice && known && (notice.facts.until !== null || notice.at - known.at <= 61_000))
    assert.deepEqual([notice.facts.failed, notice.facts.affected], [known.failed, known.affected])
  }
  const [, quarter, hour, end] = sent.map(({ notices: [notice] }) => notice?.facts)
  assert.deepEqual([end?.failed, end?.affected, end?.waiting], [failed, 50_100, 0])
  assert.deepEqual([quarter?.waiting, hour?.waiting], [50_000, 50_000])
})

test('each mail says how many wait: what is parked too, and after the recovery what is left of it', () => {
  const { connection, fail, pass, succeed, waits, sent } = openWorld()
  let held = 0
  pass(20 * MINUTE, () => {
    fail(connection, { delivery: {} })
    waits(connection, ++held)
  })
  pass(10 * MINUTE, () => {
    succeed(connection)
    waits(connection, (held = Math.max(40, held - 20)))
  })
  const [failing, digest, recovered, ...others] = sent.map(({ notices: [notice] }) => notice?.facts)
  assert.equal(others.length, 0)
  assert.ok(failing && failing.waiting >= 30 && failing.waiting <= 60, `${failing?.waiting} at first`)
  assert.ok(digest && digest.waiting >= 870 && digest.waiting <= 940, `${digest?.waiting} after a quarter of an hour`)
  assert.equal(recovered?.waiting, 40)
})

test('why a connection was put on hold is forgotten when it comes back with other trouble', () => {
  const { breaker, connection, pass, failing, well, sent } = openWorld()
  breaker(connection, 'open', 'credentials')
  pass(MINUTE)
  breaker(connection, 'recovered')
  well(5 * MINUTE)
  failing(20 * MINUTE)
  assert.deepEqual(
    sent.map(({ notices: [notice] }) => `${notice?.kinds.join() ?? ''} ${notice?.facts.reason ?? 'none'}`),
    ['open credentials', 'recovered credentials', 'digest none'],
  )
})

test('two members that fail are added up', () => {
  const { connection, fail, pass, succeed, sent } = openWorld()
  const one = {}
  const two = {}
  pass(5 * MINUTE, () => {
    fail(connection, { member: 'a:1', delivery: one })
    fail(connection, { member: 'b:1', delivery: two })
  })
  pass(10 * MINUTE, () => {
    succeed(connection, 'a:1')
    succeed(connection, 'b:1')
  })
  const facts = sent.at(-1)?.notices[0]?.facts
  assert.deepEqual([facts?.failed, facts?.affected, facts?.waiting], [600, 2, 6])
})
