// Each rule is broken in a copy of the code, and somebody must notice, for the right reason. Those that need a broker:
// test/mutations/adapters.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyCode, readRan } from './mutant.ts'
import { MUTATIONS } from './mutations.ts'
import { RULES } from './rules.ts'

/** Most are noticed within a dozen. */
const LIVES = 200

const LIVE = [
  ...['test/simulator/simulate.ts', '--jobs', '1', '--brief', '--json'],
  ...['--seed', '1', '--seeds', `${LIVES}`],
]

test('each of the fifteen rules is broken somewhere', () => {
  assert.deepEqual(
    Object.keys(RULES).map(Number),
    Array.from({ length: 15 }, (_, at) => at + 1),
  )
  for (const rule of Object.keys(RULES))
    assert.ok(
      MUTATIONS.some((each) => each.rule === Number(rule)),
      `rule ${rule}`,
    )
})

test('broken rules are noticed', async (t) => {
  const copy = copyCode(t)
  await t.test('an unbroken copy of the code keeps every promise with the same seeds', async () => {
    const said = await copy.run([], LIVE)
    assert.deepEqual(readRan(said).failures, [])
    assert.equal(said.code, 0)
  })
  for (const { rule, title, edits, caughtBy } of MUTATIONS) {
    if (caughtBy.kind === 'simulator') {
      await t.test(`rule ${rule}: it is noticed when ${title}`, async (t) => {
        const said = await copy.run(edits, LIVE)
        const [failure] = readRan(said).failures
        assert.ok(failure, `nobody noticed in ${LIVES} lives`)
        assert.equal(said.code, 1)
        const { promise, seen } = failure.broken
        t.diagnostic(`${promise}, seed ${failure.seed}`)
        assert.ok(caughtBy.promises.includes(promise), `for another reason: ${promise}: ${seen}`)
      })
    } else if (caughtBy.kind === 'test') {
      await t.test(`rule ${rule}: it is noticed when ${title}`, async () => {
        const { code, text } = await copy.run(edits, ['--test', '--test-reporter=tap', caughtBy.file])
        assert.equal(code, 1, text)
        assert.ok(text.includes(`not ok`) && text.includes(`- ${caughtBy.title}\n`), text)
        assert.match(text, caughtBy.complaint)
      })
    }
  }
})
