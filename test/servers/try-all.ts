// Connections of one file through `onward test connection`, one after the other. Enter: what is right (its id ends so), and what is
// wrong with the sentence that it must end in. Never: a secret on the terminal; those of the tests begin with `planted`.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { runOnward } from '../support/run-onward.ts'

export const PASSWORD = 'planted größe: "x"'
/** What stands in a header as it is. */
export const PLAIN = 'planted-plain'
const ENVIRONMENT = {
  ONWARD_ALLOW_ADDRESSES: '127.0.0.0/8',
  PASSWORD,
  PLAIN,
  WRONG: 'planted-wrong',
}

export function temporary(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'onward-auth-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** Every way in one file: what is right is called `…-right`. */
export async function tryAll(
  t: TestContext,
  connections: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, RegExp>>,
  environment: Readonly<Record<string, string>> = {},
) {
  const lines = Object.entries(connections).map(([id, rest]) => `  - { id: ${id}, ${rest} }`)
  const folder = temporary(t, { 'forwarding.yaml': `project: demo\nconnections:\n${lines.join('\n')}\n` })
  for (const id of Object.keys(connections)) {
    const right = id.endsWith('right')
    const { code, stdout, stderr } = await runOnward(
      ['test', 'connection', id, '-f', join(folder, 'forwarding.yaml')],
      { ...ENVIRONMENT, ...environment },
    )
    const said = stdout + stderr
    assert.equal(code, right ? 0 : 1, said)
    assert.match(said, right ? /The remote API accepted it with 200\./ : (expected[id] ?? /nothing expected/), said)
    assert.doesNotMatch(said, /planted/)
  }
}
