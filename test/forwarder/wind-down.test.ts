import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ConnectionDesk } from '../../services/forwarder/connection-desk.ts'
import { PartitionTask } from '../../services/forwarder/partition-task.ts'
import { drain, windDown } from '../../services/forwarder/wind-down.ts'
import { connectionId } from '../../services/shared/ids.ts'
import { aConnection, aDelivery, aSourceRecord, demo } from '../support/changes.ts'
import { manualClock } from '../support/clock.ts'

const aDesk = (id: string) => {
  const connection = aConnection({ id: connectionId(demo, id) })
  return { connection, desk: new ConnectionDesk(connection, connection.limits, 0), ...aDelivery(aSourceRecord()) }
}
const ANSWERED = { outcome: { kind: 'aborted' }, duration: 0 } as const

function openDesks(t: TestContext) {
  const clock = manualClock(t)
  const [slow, quick] = [aDesk('slow'), aDesk('quick')]
  const state = { isOver: false }
  const begin = ({ desk, lane }: typeof slow) => desk.begin(clock.monotonic(), lane)
  const end = ({ desk, lane, connection }: typeof slow) => desk.end(clock.monotonic(), lane, connection, ANSWERED)
  const windingDown = () =>
    windDown([slow.desk, quick.desk], clock.monotonic() + 17_000, clock, () => undefined).then(() => {
      state.isOver = true
    })
  const offer = ({ desk, lane }: typeof slow) => {
    lane.queuedAt = desk
    desk.ready.push(lane)
    const { kind } = desk.turn(clock.monotonic())
    desk.ready.take()
    return kind
  }
  return { clock, slow, quick, begin, end, windingDown, state, offer }
}

test('a process that ends waits for requests that take long, while other connections go on', async (t) => {
  const { clock, slow, quick, begin, end, windingDown, state, offer } = openDesks(t)
  begin(slow)
  const over = windingDown()
  await clock.advance(2_900)
  assert.equal(offer(slow), 'go', 'it may still be one that answers soon')
  await clock.advance(2_100)
  assert.equal(state.isOver, false)
  assert.equal(offer(quick), 'go')
  assert.equal(offer(slow), 'full', 'it starts no more')
  end(slow)
  await clock.advance(20)
  assert.equal(state.isOver, true)
  await over
})

test('a process that ends waits no longer than it may for a request that hangs', async (t) => {
  const { clock, slow, begin, windingDown, state } = openDesks(t)
  begin(slow)
  const over = windingDown()
  await clock.advance(16_900)
  assert.equal(state.isOver, false)
  await clock.advance(200)
  assert.equal(state.isOver, true)
  await over
})

test('a connection that was slow once goes on, one that is slow again is held until it is done', async (t) => {
  const { clock, slow, quick, begin, end, windingDown, state, offer } = openDesks(t)
  begin(slow)
  begin(quick)
  const over = windingDown()
  await clock.advance(3_100)
  assert.equal(offer(quick), 'full')
  end(quick)
  await clock.advance(20)
  assert.equal(offer(quick), 'go', 'it may have been the machine')
  begin(quick)
  await clock.advance(3_100)
  end(quick)
  await clock.advance(20)
  assert.equal(offer(quick), 'full')
  assert.equal(state.isOver, false)
  end(slow)
  await clock.advance(20)
  await over
})

test('where all answer soon a process that ends stands still once what was on the wire is answered', async (t) => {
  const { clock, quick, slow, begin, end, windingDown, state } = openDesks(t)
  begin(quick)
  begin(slow)
  const over = windingDown()
  await clock.advance(500)
  end(quick)
  begin(quick)
  await clock.advance(300)
  assert.equal(state.isOver, false)
  end(slow)
  await clock.advance(20)
  assert.equal(state.isOver, true)
  await over
})

test('what is on the wire is waited for as long as was said, and then ended', async (t) => {
  const clock = manualClock(t)
  const task = new PartitionTask(0)
  let endedAt: number | undefined
  const exchange = {
    abort() {
      endedAt = clock.monotonic()
      task.running.delete(exchange)
    },
  }
  task.running.add(exchange)
  const startedAt = clock.monotonic()
  const drained = drain([task], 3_000, clock)
  assert.equal(task.open, false)
  await clock.advance(2_900)
  assert.equal(endedAt, undefined)
  await clock.advance(200)
  assert.equal(endedAt, startedAt + 3_000)
  await clock.advance(1)
  await drained
})
