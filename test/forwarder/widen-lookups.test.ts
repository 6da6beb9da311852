import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

/** The pool is made by its first work, all of it. */
const WORK = `
  import { pbkdf2 } from 'node:crypto'
  import { readdirSync } from 'node:fs'
  import { promisify } from 'node:util'
  import { widenLookups } from '${new URL('../../services/forwarder/widen-lookups.ts', import.meta.url).href}'
  if (process.argv[1] === 'wide') widenLookups()
  await promisify(pbkdf2)('', '', 1, 1, 'sha1')
  process.stdout.write(String(readdirSync('/proc/self/task').length))
`
const threads = (how: string): number =>
  Number(execFileSync(process.execPath, ['--input-type=module', '-e', WORK, how], { encoding: 'utf8', env: {} }))

test('look-ups have many threads once they are told to, and would not otherwise', () => {
  assert.equal(threads('wide') - threads('as it comes'), 28)
})
