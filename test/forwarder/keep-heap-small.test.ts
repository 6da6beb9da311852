import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { YOUNG_BYTES } from '../../services/forwarder/keep-heap-small.ts'

/** Makes garbage of which much is alive for a while, as requests are, until the young have been collected often. */
const CHURN = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { setImmediate as turn } from 'node:timers/promises'
  import { keepHeapSmall } from '${new URL('../../services/forwarder/keep-heap-small.ts', import.meta.url).href}'
  if (process.argv[1] === 'small') keepHeapSmall()
  const alive = new Array(4_000)
  let most = 0
  for (let round = 0; round < 4_000; round++) {
    for (let i = 0; i < 100; i++) alive[(round * 100 + i) % alive.length] = new Array(250).fill(round)
    await turn()
    for (const space of getHeapSpaceStatistics()) if (space.space_name === 'new_space') most = Math.max(most, space.space_size)
  }
  process.stdout.write(String(most))
`
const mostYoung = (how: string): number =>
  Number(
    execFileSync(
      process.execPath,
      // As V8 chooses on a machine with much memory.
      ['--max-semi-space-size=64', '--input-type=module', '-e', CHURN, how],
      { encoding: 'utf8' },
    ),
  )

test("V8's young stay within their bound once they are told to, and would not otherwise", () => {
  // One collection may come before we hear of the last: then they have doubled once more.
  assert.ok(mostYoung('small') <= 2 * YOUNG_BYTES)
  assert.ok(mostYoung('as it comes') > 2 * YOUNG_BYTES)
})
