// `onward dead-letters requeue` as a process, on a real broker: what is put back, in which order, what is not, and what a kill
// leaves to be done.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { sampleChanges } from '../../services/cli/publish/sample-changes.ts'
import { ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import { readOffsets, type TopicRecord } from '../../services/shared/kafka/reader.ts'
import { renderWireDocument } from '../../services/shared/wire/render-document.ts'
import { readRetryHeader, type RetryHeader } from '../../services/shared/wire/retry-header.ts'
import { caseValue } from '../support/changes.ts'
import { deadLetterGround, jsonLines, type DeadLetterGround, type Death } from '../support/dead-letter-ground.ts'

function headerOf(record: TopicRecord | undefined): RetryHeader {
  const read = readRetryHeader(record?.headers['onward'], record?.partition ?? -1)
  if (read.kind === 'malformed') throw new Error(read.error)
  return read.header
}

const placesOf = (records: readonly TopicRecord[]): readonly string[] =>
  records.map((record) => {
    const { repeater, partition, offset } = headerOf(record)
    return `${repeater} ${partition}:${offset}`
  })

const receiptOf = (stdout: string): Readonly<Record<string, unknown>> => {
  const [receipt] = jsonLines(stdout)
  if (!receipt) throw new Error('no receipt was printed')
  return receipt
}

async function aFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onward-requeue-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

/** Versions 0, 1, … of one case on the source topic. */
const versions = (caseId: string, count: number, overrides: { readonly closedAt?: number } = {}) =>
  Array.from({ length: count }, (_, version) => ({
    key: caseId,
    value: caseValue({ caseId, version, closed: version === overrides.closedAt }),
  }))

test('a dry run writes nothing, says what it would, and with --yes that is done', async (t) => {
  const { die, run, requeued } = await deadLetterGround(t)
  await die([
    { offset: 5 },
    { offset: 6, caseId: 'case-2', partition: 1 },
    { offset: 7, repeater: 'others', reason: 'exhausted' },
  ])
  const dry = await run('requeue', '--reason', 'rejected')
  assert.equal(dry.code, 10, dry.stderr)
  assert.match(dry.stdout, /^2 dead letters fit; run \S+\n2 {2}would be put back\n\nA dry run: nothing was written\./)
  assert.deepEqual(await requeued(), [])

  const done = await run('requeue', '--reason', 'rejected', '--yes')
  assert.equal(done.code, 0, done.stderr)
  assert.match(done.stdout, /\n2 {2}put back\n\nDone\.\n$/)
  assert.deepEqual(placesOf(await requeued()).toSorted(), ['demo/patients 0:5', 'demo/patients 1:6'])
})

test('what is put back is the source value untouched, at its partition, with the header that its owner reads', async (t) => {
  const { die, run, requeued, topics } = await deadLetterGround(t)
  const value = caseValue({ caseId: 'case-1', version: 4 })
  const [form] = sampleChanges()
  await die([
    { offset: 4, partition: 1, value },
    { offset: 5, partition: 1, caseId: 'the-body', key: 'the-key' },
    { offset: 6, partition: 1, key: null },
    {
      offset: 3,
      topic: topics.forms,
      repeater: 'visits',
      caseId: 'a-key',
      value: JSON.stringify(renderWireDocument(form)),
    },
    { offset: 7, caseId: 'closed', value: caseValue({ caseId: 'closed', closed: true }) },
  ])
  const ran = await run('requeue', '--all', '--yes', '--run', 'r-1')
  assert.equal(ran.code, 0, ran.stderr)
  const records = await requeued()
  const at = (partition: number, offset: number) =>
    records.find((record) => record.partition === partition && headerOf(record).offset === offset)
  const first = at(1, 4)
  assert.deepEqual([String(first?.key), String(first?.value)], ['case-1', value])
  const { dueAt, ...header } = headerOf(first)
  assert.deepEqual([header.key, header.forced], [undefined, undefined])
  assert.partialDeepStrictEqual(header, {
    repeater: 'demo/patients',
    topic: topics.cases,
    partition: 1,
    offset: 4,
    timestamp: 1_767_323_045_000,
    attempts: 0,
    tries: 0,
    firstFailedAt: null,
    reason: 'requeue',
    epoch: 0,
    full: true,
    run: 'r-1',
  })
  assert.ok(dueAt <= (first?.timestamp ?? 0))
  // The key says the case; the source's own key is told where it was another, or none.
  assert.deepEqual(
    [String(at(1, 5)?.key), headerOf(at(1, 5)).key],
    ['the-body', Buffer.from('the-key').toString('base64')],
  )
  assert.deepEqual([String(at(1, 6)?.key), headerOf(at(1, 6)).key], ['case-1', null])
  // A form is never a full state, nor is a close block; a form's case is the first that it touches.
  assert.deepEqual([String(at(0, 3)?.key), headerOf(at(0, 3)).full], [form.caseIds[0], false])
  assert.equal(headerOf(at(0, 7)).full, false)
})

test('within a repeater and case the order is the source’s, whatever the order of death', async (t) => {
  const { die, run, requeued } = await deadLetterGround(t)
  const died = [7, 3, 5, 1]
  await die(died.map((offset) => ({ offset, caseId: 'hot' })))
  await die([{ offset: 2, caseId: 'other' }])
  await die([{ offset: 1, repeater: 'others', caseId: 'hot' }])
  assert.equal((await run('requeue', '--all', '--force', '--yes')).code, 0)
  const records = (await requeued()).filter((record) => String(record.key) === 'hot')
  assert.deepEqual(placesOf(records), [
    'demo/patients 0:1',
    'demo/patients 0:3',
    'demo/patients 0:5',
    'demo/patients 0:7',
    'demo/others 0:1',
  ])
  assert.ok(records.every((record) => headerOf(record).forced))
})

test('a case state that has a newer version is skipped and named, unless forced', async (t) => {
  const { publish, die, run, requeued } = await deadLetterGround(t)
  await publish(versions('old', 3))
  await publish(versions('newest', 2))
  await die([
    { offset: 0, caseId: 'old' },
    { offset: 4, caseId: 'newest' },
  ])
  const { code, stdout } = await run('requeue', '--all', '--yes')
  assert.equal(code, 0)
  assert.match(stdout, /\n1 {2}put back\n1 {2}superseded: /)
  assert.match(stdout, /\n {2}0:0 {2}demo\/patients {2}case old {2}superseded by offset 2\n/)
  assert.deepEqual(placesOf(await requeued()), ['demo/patients 0:4'])

  const forced = receiptOf((await run('requeue', '--case', 'old', '--force', '--yes', '--json')).stdout)
  assert.partialDeepStrictEqual(forced, { forced: true, appended: 1, superseded: [] })
})

test('a form is never superseded, and a deleted case’s states still go', async (t) => {
  const { publish, die, run, topics, producer } = await deadLetterGround(t)
  await publish(versions('deleted', 1))
  await producer.send(topics.cases, [{ partition: 0, key: 'deleted', value: null }])
  await die([
    { offset: 0, caseId: 'deleted' },
    {
      offset: 0,
      repeater: 'visits',
      topic: topics.forms,
      value: JSON.stringify(renderWireDocument(sampleChanges()[0])),
    },
  ])
  const receipt = receiptOf((await run('requeue', '--all', '--json')).stdout)
  assert.partialDeepStrictEqual(receipt, { planned: 2, superseded: [] })
})

test('a state before a close goes when the close is put back behind it, and is skipped when the close went already', async (t) => {
  const { publish, die, run } = await deadLetterGround(t)
  await publish(versions('closing', 2, { closedAt: 1 }))
  const closed = { offset: 1, caseId: 'closing', value: caseValue({ caseId: 'closing', closed: true }) }
  await die([{ offset: 0, caseId: 'closing' }])
  const alone = receiptOf((await run('requeue', '--all', '--json')).stdout)
  assert.partialDeepStrictEqual(alone, { planned: 0, superseded: [{ letter: '0:0', offset: 0, by: 1 }] })
  await die([closed])
  const both = receiptOf((await run('requeue', '--all', '--json')).stdout)
  assert.partialDeepStrictEqual(both, { planned: 2, superseded: [] })
})

const REFUSED: readonly (readonly [title: string, death: Death, why: RegExp])[] = [
  ['a record that could not be read', { offset: 1, repeater: null, value: 'X' }, /it has no repeater/],
  ['a repeater that is gone', { offset: 1, repeater: 'gone' }, /demo\/gone is not configured/],
  ['a topic that is no source of these settings', { offset: 1, topic: 'elsewhere' }, /elsewhere is no source topic/],
  ['a value that was left out', { offset: 1, value: null }, /its value was left out/],
  ['a value without key that cannot be read', { offset: 1, key: null, value: 'X' }, /it has no key/],
]

test('what cannot be put back is refused with one sentence each, and the rest goes', async (t) => {
  const { die, run, requeued } = await deadLetterGround(t)
  await die(REFUSED.map(([, death]) => death))
  const refused = await run('requeue', '--all', '--yes')
  assert.equal(refused.code, 1)
  for (const [title, , why] of REFUSED) assert.match(refused.stdout, why, title)
  await die([{ offset: 9, caseId: 'well' }])
  assert.equal((await run('requeue', '--all', '--yes')).code, 0)
  assert.deepEqual(placesOf(await requeued()), ['demo/patients 0:9'])
})

test('a letter that a run put back is not put back by another, until it dies again', async (t) => {
  const { die, run, requeued } = await deadLetterGround(t)
  await die([{ offset: 1 }, { offset: 2, caseId: 'case-2' }])
  assert.equal((await run('requeue', '--all', '--yes', '--run', 'first')).code, 0)
  const second = await run('requeue', '--all', '--yes', '--run', 'second')
  assert.equal(second.code, 0)
  assert.match(second.stdout, /\n2 {2}put back by another run before/)
  await die([{ offset: 2, caseId: 'case-2' }])
  const third = receiptOf((await run('requeue', '--all', '--yes', '--run', 'third', '--json')).stdout)
  assert.partialDeepStrictEqual(third, {
    appended: 1,
    olderLetters: 1,
    putBackBefore: [{ letter: '0:0', run: 'first' }],
  })
  assert.equal((await run('requeue', '--letter', '0:0', '--again', '--yes')).code, 0)
  assert.equal((await requeued()).length, 4)
})

test('a receipt says all of it in a file', async (t) => {
  const { die, run } = await deadLetterGround(t)
  await die([{ offset: 1 }, { offset: 2, repeater: 'gone' }])
  const file = join(await aFolder(t), 'receipt.json')
  assert.equal((await run('requeue', '--all', '--yes', '--run', 'r-9', '--receipt', file)).code, 0)
  const receipt = JSON.parse(await readFile(file, 'utf8')) as unknown
  assert.partialDeepStrictEqual(receipt, {
    run: 'r-9',
    complete: true,
    found: 2,
    planned: 1,
    appended: 1,
    left: 0,
    copies: 0,
    refused: [{ count: 1, examples: ['0:1'] }],
  })
  const nowhere = await run('requeue', '--all', '--yes', '--again', '--receipt', join(file, 'x'))
  assert.equal(nowhere.code, 1)
  assert.match(nowhere.stderr, /the receipt .* cannot be written/)
})

test('all letters are asked for by name, and a run has a name that a header can carry', async (t) => {
  const { run } = await deadLetterGround(t)
  for (const [args, said] of [
    [['--yes'], /which letters\? .*--all/],
    [['--all', '--case', 'c'], /choose one/],
    [['--all', '--run', 'a"b'], /--run takes up to 64/],
    [['--all', '--rate', 'fast'], /--rate takes a rate/],
    [['3:1'], /requeue --letter 3:1/],
  ] as const) {
    const { code, stderr } = await run('requeue', ...args)
    assert.equal(code, 2)
    assert.match(stderr, said)
  }
})

/** Enough that a kill finds it at work. */
const MANY = 1_200
/** Slow enough for that, and fast enough for a test. */
const RATE = '200/s'

/** Cases with three letters each, in both partitions. */
const manyDeaths = (): readonly Death[] =>
  Array.from({ length: MANY }, (_, number) => {
    const lane = Math.floor(number / 3)
    return { partition: lane % 2, offset: number, caseId: `case-${lane}` }
  })

async function countRequeued({ kafka, prefix }: DeadLetterGround): Promise<number> {
  const topic = ownTopic(prefix, 'requeue')
  const ends = await readOffsets(kafka, { topic, signal: AbortSignal.timeout(30_000) }, 'latest')
  return [...ends.values()].reduce((sum, end) => sum + end, 0)
}

async function untilRequeued(ground: DeadLetterGround, count: number): Promise<void> {
  const deadline = AbortSignal.timeout(60_000)
  while ((await countRequeued(ground)) < count) {
    deadline.throwIfAborted()
    await nextTurn()
  }
}

test('a run that is killed twice and taken up again puts back every letter once, in order', async (t) => {
  const ground = await deadLetterGround(t)
  const deaths = manyDeaths()
  await ground.die(deaths)
  const file = join(await aFolder(t), 'receipt.json')
  const args = ['requeue', '--all', '--force', '--yes', '--run', 'killed', '--rate', RATE, '--receipt', file]
  for (const share of [0.2, 0.5]) {
    const running = ground.start(...args)
    await untilRequeued(ground, MANY * share)
    running.kill('SIGKILL')
    assert.equal((await running.ended).code, null)
    assert.ok((await countRequeued(ground)) < MANY, 'it was killed half-way')
    assert.partialDeepStrictEqual(JSON.parse(await readFile(file, 'utf8')), { run: 'killed', complete: false })
  }
  const last = await ground.run(...args.filter((arg) => arg !== '--rate' && arg !== RATE), '--json')
  assert.equal(last.code, 0, last.stderr)
  const receipt = receiptOf(last.stdout)
  assert.equal(Number(receipt['appended']) + Number(receipt['alreadyThere']), MANY)
  assert.ok(Number(receipt['alreadyThere']) >= MANY / 2)
  assert.partialDeepStrictEqual(receipt, { complete: true, left: 0, copies: 0 })

  const records = await ground.requeued()
  const everyPlace = deaths.map(({ partition, offset }) => `demo/patients ${partition}:${offset}`)
  assert.deepEqual(placesOf(records).toSorted(), everyPlace.toSorted())
  for (const [caseId, ofCase] of Map.groupBy(records, (record) => String(record.key))) {
    const offsets = ofCase.map((record) => headerOf(record).offset)
    assert.deepEqual(
      offsets,
      offsets.toSorted((one, other) => one - other),
      caseId,
    )
  }
})

test('Ctrl-C ends a run between two sends, with a receipt and the line that goes on', async (t) => {
  const ground = await deadLetterGround(t)
  await ground.die(manyDeaths())
  const running = ground.start('requeue', '--all', '--force', '--yes', '--run', 'ended', '--rate', RATE)
  await untilRequeued(ground, 100)
  running.kill('SIGINT')
  const { code, stdout } = await running.ended
  assert.equal(code, 130)
  const [, appended] = /\n *([\d,]+) {2}put back\n/.exec(stdout) ?? []
  assert.equal(Number(appended?.replace(',', '')), await countRequeued(ground))
  assert.match(stdout, /Not done: the same again with --run ended goes on/)
})
