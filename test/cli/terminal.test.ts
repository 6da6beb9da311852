import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openProgress } from '../../services/cli/progress.ts'
import { openTerminal, styled } from '../../services/cli/terminal.ts'
import { capturedTerminal } from '../support/captured-terminal.ts'
import { manualClock } from '../support/clock.ts'

const stream = (isTTY: boolean) => ({ write: () => true, isTTY, columns: 100 })

test('colours are shown where a person looks at both streams', () => {
  const terminal = openTerminal(stream(true), stream(true), {})
  assert.deepEqual([terminal.isTTY, terminal.colours, terminal.width], [true, true, 100])
  assert.equal(openTerminal({ ...stream(true), columns: 0 }, stream(true), {}).width, 80)
  assert.match(styled(terminal, 'red', 'text'), /^\x1b\[31mtext\x1b\[39m$/)
})

test('nobody sees colours in a pipe', () => {
  for (const [stdout, stderr] of [
    [false, true],
    [true, false],
  ] as const) {
    const terminal = openTerminal(stream(stdout), stream(stderr), {})
    assert.equal(terminal.isTTY, false)
    assert.equal(styled(terminal, 'red', 'text'), 'text')
  }
})

test('NO_COLOR turns colours off unless it is empty', () => {
  assert.equal(openTerminal(stream(true), stream(true), { NO_COLOR: '1' }).colours, false)
  assert.equal(openTerminal(stream(true), stream(true), { NO_COLOR: '' }).colours, true)
})

test('progress is a bar that stays one line on a terminal', async (t) => {
  const terminal = capturedTerminal({ isTTY: true })
  const clock = manualClock(t, { settle: 0 })
  const progress = openProgress(terminal, clock, 'changes', 1_000)
  for (let done = 0; done < 1_000; done += 10) {
    progress.advance(done)
    await clock.advance(10)
  }
  progress.finish(1_000)
  const { stderr } = terminal.written
  assert.equal(stderr.split('\n').length, 2)
  assert.ok(stderr.split('\r').length - 1 <= 11, 'at most ten redraws a second')
  assert.match(stderr, /1,000 of 1,000 changes, 1,000\/s\x1b\[K\n$/)
})

test('progress is a line now and then where there is no terminal', async (t) => {
  const terminal = capturedTerminal()
  const clock = manualClock(t, { settle: 0 })
  const progress = openProgress(terminal, clock, 'changes', 10_000)
  for (let done = 0; done < 10_000; done += 200) {
    progress.advance(done)
    await clock.advance(100)
  }
  progress.finish(10_000)
  assert.deepEqual(terminal.written.stderr.split('\n'), [
    '4,000 of 10,000 changes, 2,000/s',
    '8,000 of 10,000 changes, 2,000/s',
    '10,000 of 10,000 changes, 2,000/s',
    '',
  ])
})
