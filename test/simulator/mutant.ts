// A copy of the code in which a rule is broken on purpose, and who looks at it. Enter: a mutation. Leave: what they saw.
// Never: a change to the code itself. The copy is the test's, and goes with it.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import type { Edit } from './rules.ts'
import type { Ran } from './run-seeds.ts'

const REPOSITORY = resolve(import.meta.dirname, '..', '..')
const COPIED = ['services', 'schemas', 'deploy', 'test', 'package.json', 'tsconfig.json']

export type Said = { readonly code: number | null; readonly text: string }

export type Copy = {
  /** Runs a script in the copy with the edits made, each of which must apply exactly once; they are taken back after it. */
  run(edits: readonly Edit[], args: readonly string[]): Promise<Said>
}

export function copyCode(t: TestContext): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'onward-mutant-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const part of COPIED) cpSync(join(REPOSITORY, part), join(folder, part), { recursive: true })
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'))
  return {
    async run(edits, args) {
      const before = new Map(edits.map(({ file }) => [file, readFileSync(join(folder, 'services', file), 'utf8')]))
      try {
        for (const edit of edits) apply(folder, edit)
        return await runNode(folder, args)
      } finally {
        for (const [file, text] of before) writeFileSync(join(folder, 'services', file), text)
      }
    },
  }
}

/** What `simulate --json` found. */
export function readRan({ text }: Said): Ran {
  const line = text.split('\n').find((each) => each.startsWith('{'))
  if (line === undefined) throw new Error(text)
  return JSON.parse(line) as Ran
}

function apply(folder: string, { file, from, to }: Edit): void {
  const path = join(folder, 'services', file)
  const text = readFileSync(path, 'utf8')
  const times = text.split(from).length - 1
  if (times !== 1) throw new Error(`${file} holds ${times} times, and should once: ${from}`)
  writeFileSync(
    path,
    text.replace(from, () => to),
  )
}

function runNode(folder: string, args: readonly string[]): Promise<Said> {
  // Without it each copy would be stripped of its types anew.
  const cache = join(folder, '.compiled')
  // The test runner's marks would make a test file that is run here tell our own runner of its tests.
  const environment: NodeJS.ProcessEnv = { ...process.env, NODE_COMPILE_CACHE: cache }
  delete environment['NODE_TEST_CONTEXT']
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (text += part))
  return new Promise((resolveSaid, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolveSaid({ code, text }))
  })
}
