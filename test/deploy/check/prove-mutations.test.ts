import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Check, Mutation } from '../../../deploy/check/check.ts'
import { proveMutations } from '../../../deploy/check/prove-mutations.ts'

const { signal } = new AbortController()

function aTree(t: TestContext): string {
  const tree = mkdtempSync(join(tmpdir(), 'onward-test-'))
  t.after(() => rmSync(tree, { recursive: true, force: true }))
  writeFileSync(join(tree, 'file'), 'one two\n')
  return tree
}

/** Finds fault with a file that does not say "one", and with one that nobody expects. */
const aCheck = (...mutations: readonly Mutation[]): Check => ({
  name: 'one',
  about: 'the file says one',
  tools: [],
  mutations,
  run: async (tree) => {
    const saysOne = readFileSync(join(tree, 'file'), 'utf8').startsWith('one')
    const problems = [...(saysOne ? [] : ['file does not say one']), ...(existsSync(join(tree, 'new')) ? ['new'] : [])]
    return { seen: '1 file', problems }
  },
})

test('what is broken and noticed for what it is, is proven, and the tree is as before', async (t) => {
  const tree = aTree(t)
  const check = aCheck(
    { file: 'file', from: 'one', to: 'none', says: /does not say one/ },
    { file: 'new', text: 'anything', says: /^new$/ },
  )
  assert.deepEqual(await proveMutations(check, tree, signal), [])
  assert.equal(readFileSync(join(tree, 'file'), 'utf8'), 'one two\n')
  assert.ok(!existsSync(join(tree, 'new')))
})

test('a mutation that goes unnoticed is told with its file', async (t) => {
  const [failure, ...more] = await proveMutations(
    aCheck({ file: 'file', from: 'two', to: '2', says: /./ }),
    aTree(t),
    signal,
  )
  assert.equal(failure, 'one does not notice "two" → "2" in file')
  assert.deepEqual(more, [])
})

test('a mutation that is noticed for another reason is told with what was said', async (t) => {
  const [failure] = await proveMutations(
    aCheck({ file: 'file', from: 'one', to: 'none', says: /never said/ }),
    aTree(t),
    signal,
  )
  assert.match(failure ?? '', /says nothing like \/never said\/:\nfile does not say one/)
})

test('a mutation that fits no more, or twice, is an error and no proof', async (t) => {
  const tree = aTree(t)
  for (const [from, times] of [
    ['three', 0],
    ['o', 2],
  ] as const) {
    const proof = proveMutations(aCheck({ file: 'file', from, to: '', says: /./ }), tree, signal)
    await assert.rejects(proof, new RegExp(`"${from}" → "" in file ${times} times, not once`))
  }
})

test('a check that finds fault with what nobody broke proves nothing', async (t) => {
  const tree = aTree(t)
  writeFileSync(join(tree, 'file'), 'none\n')
  const [failure] = await proveMutations(aCheck({ file: 'file', from: 'none', to: '', says: /./ }), tree, signal)
  assert.match(failure ?? '', /finds fault with a copy of the tree that nobody broke/)
})
