// The rules that live where Kafka is met: each is broken in a copy of the code, and a test against the real broker must notice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyCode } from '../simulator/mutant.ts'
import { MUTATIONS } from '../simulator/mutations.ts'

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
const run = (file: string, title: string): readonly string[] => [
  ...['--test', '--test-reporter=tap', '--test-name-pattern', `^${escaped(title)}$`, file],
]

for (const { rule, title, edits, caughtBy } of MUTATIONS) {
  if (caughtBy.kind !== 'broker-test') continue
  test(`rule ${rule}: it is noticed when ${title}`, async (t) => {
    const copy = copyCode(t)
    const args = run(caughtBy.file, caughtBy.title)
    const whole = await copy.run([], args)
    assert.equal(whole.code, 0, whole.text)
    assert.match(whole.text, /# pass 1\n/)
    const broken = await copy.run(edits, args)
    assert.equal(broken.code, 1, broken.text)
    assert.match(broken.text, caughtBy.complaint)
  })
}
