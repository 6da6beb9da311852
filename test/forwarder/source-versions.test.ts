import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { PartitionTask } from '../../services/forwarder/partition-task.ts'
import { SourceVersions } from '../../services/forwarder/source-versions.ts'
import { SourceWatch } from '../../services/forwarder/source-watch.ts'
import { renderConfigRecord } from '../../services/shared/forwarding/config-record.ts'
import { Directory } from '../../services/shared/forwarding/directory.ts'
import { acceptAdded, type TopicVersions } from '../../services/shared/forwarding/topic-versions.ts'
import { aSource } from '../support/changes.ts'
import { manualClock } from '../support/clock.ts'
import { keptLog } from '../support/kept-log.ts'

function openVersions(t: TestContext) {
  const clock = manualClock(t)
  const directory = new Directory()
  const written: TopicVersions[] = []
  const log = keptLog()
  const apply = (versions: TopicVersions) => {
    const { key, value } = renderConfigRecord({ kind: 'source', versions })
    directory.apply({ key: Buffer.from(key), value: Buffer.from(value ?? '') })
  }
  const versions = new SourceVersions({
    topics: ['cases'],
    directory,
    put: (of) => {
      written.push(of)
      apply(of)
      return Promise.resolve()
    },
    clock,
    log,
    fail: (error) => assert.fail(String(error)),
  })
  const seen = (id: string | null, partitions: number) => versions.meet(new Map([['cases', { id, partitions }]]))
  return { directory, written, events: log.events, versions, seen, apply, clock }
}

test('whoever sees a topic first takes it down, and whoever sees it next finds it as it was', async (t) => {
  const { versions, seen, written } = openVersions(t)
  assert.deepEqual([versions.countOf('cases'), versions.baseOf('cases', 0)], [Infinity, undefined])
  await seen('first', 2)
  await seen('first', 2)
  assert.equal(written.length, 1)
  assert.deepEqual(
    [versions.countOf('cases'), versions.baseOf('cases', 1), versions.baseOf('cases', 2)],
    [2, 0, undefined],
  )
})

test('a topic that was made anew is said loudly, and nothing of the one before is of now', async (t) => {
  const { versions, seen, events } = openVersions(t)
  await seen('first', 2)
  await seen('second', 3)
  assert.ok((versions.baseOf('cases', 1) ?? 0) > 0)
  assert.deepEqual([versions.countOf('cases'), versions.waiting.get('cases')], [2, 0])
  await seen('second', 3)
  assert.equal(versions.waiting.get('cases'), 1, 'what it has more waits')
  assert.ok(events.some(({ event, level }) => event === 'source-made-anew' && level === 'error'))
})

test('what was added waits, is said once, and no more when it is accepted', async (t) => {
  const { versions, seen, events, directory, apply } = openVersions(t)
  await seen('first', 2)
  await seen('first', 4)
  await seen('first', 4)
  assert.deepEqual([versions.waiting.get('cases'), versions.countOf('cases')], [2, 2])
  assert.equal(events.filter(({ event }) => event === 'source-partitions-added').length, 1)
  const known = directory.source('cases')
  assert(known)
  apply(acceptAdded(known, 4))
  await seen('first', 4)
  assert.deepEqual([versions.waiting.get('cases'), versions.countOf('cases')], [0, 4])
})

test('a record that cannot be read is not written over: versions would begin again', async (t) => {
  const { versions, seen, written, directory } = openVersions(t)
  directory.apply({ key: Buffer.from('source/cases'), value: Buffer.from('{}') })
  await seen('first', 2)
  assert.deepEqual(written, [])
  assert.equal(versions.baseOf('cases', 0), undefined)
})

test('the group shares its numbers again when there are others to read, and takes anew what is of a log that is no more', async (t) => {
  const { versions, seen, directory, apply, clock } = openVersions(t)
  const task = new PartitionTask(1)
  const tasks = new Map([[1, task]])
  const joins: (readonly number[])[] = []
  const stop = new AbortController()
  let looks = 0
  const watch = new SourceWatch({ versions, tasks, clock, fail: (error) => assert.fail(String(error)) })
  const group = {
    joinAgain: (numbers: readonly number[]) => void joins.push(numbers),
    meetTopics: async () => {
      looks++
    },
  }
  await seen('first', 2)
  watch.changed('cases')
  watch.start(group, stop.signal)
  task.sources.set('cases', aSource('cases', 'cases', 1))
  watch.changed('cases')
  assert.deepEqual(joins, [], 'every partition was read, and is')

  const known = directory.source('cases')
  assert(known)
  apply(acceptAdded(known, 4))
  watch.changed('cases')
  assert.deepEqual(joins, [[]])
  await seen('second', 4)
  watch.changed('cases')
  watch.changed('forms')
  assert.deepEqual(joins, [[], [1]])
  await clock.advance(2_500)
  assert.equal(looks, 2)
  stop.abort()
})

test('what a late or a lost writer said is put right by whoever knows better', async (t) => {
  const { versions, seen, directory, apply, written } = openVersions(t)
  await seen('first', 2)
  const known = directory.source('cases')
  assert(known)
  apply(acceptAdded(known, 4))
  apply(known)
  assert.equal(versions.countOf('cases'), 4, 'what was accepted is not given back')
  await seen('first', 4)
  assert.deepEqual(written.at(-1), directory.source('cases'))
  assert.equal(directory.isSourceUnsaid('cases'), false)

  directory.apply({ key: Buffer.from('source/cases'), value: Buffer.from('{}') })
  await seen('first', 4)
  assert.equal(written.length, 3, 'and so is one that was damaged')
  await seen('first', 4)
  assert.equal(written.length, 3)
})

test('a broker that names the topic of before is asked again, for a minute', async (t) => {
  const { seen, written, clock, directory } = openVersions(t)
  await seen('first', 2)
  await seen('second', 2)
  await assert.rejects(seen('first', 2), /a broker still names the cases that was there before/)
  await clock.advance(59_000)
  await assert.rejects(seen('first', 2))
  await clock.advance(2_000)
  await seen('first', 2)
  assert.deepEqual(
    written.map(({ id }) => id),
    ['first', 'second', 'first'],
  )
  assert.equal(directory.source('cases')?.id, 'first')
  await seen('first', 2)
})

test('the base of a log that was cut is on record', async (t) => {
  const { versions, seen } = openVersions(t)
  await seen('first', 2)
  await versions.raise('cases', 1, 2 ** 44)
  assert.deepEqual([versions.baseOf('cases', 0), versions.baseOf('cases', 1)], [0, 2 ** 44])
})
