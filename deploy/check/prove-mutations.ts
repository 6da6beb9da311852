// Proves that a check notices what is broken. Enters: a check with its mutations. Leaves: those it did not notice, or not for the
// right reason. Never: a change in the repository: files are broken in a copy.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Check, Mutation } from './check.ts'

/** Never looked at by a check, and large. */
const LEFT_OUT = ['node_modules', '.cache', '.git']

export type TreeCopy = Disposable & { readonly path: string }

/** A copy of the repository's files that may be broken. */
export function copyTree(repository: string): TreeCopy {
  const path = mkdtempSync(join(tmpdir(), 'onward-check-'))
  cpSync(repository, path, { recursive: true, filter: (from) => !LEFT_OUT.includes(basename(from)) })
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** @returns what went wrong with the proof, one text each; none: each mutation was noticed for what it is */
export async function proveMutations(check: Check, tree: string, signal: AbortSignal): Promise<readonly string[]> {
  const untouched = await check.run(tree, signal)
  if (untouched.problems.length > 0) {
    return [`${check.name} finds fault with a copy of the tree that nobody broke: ${untouched.problems.join('\n')}`]
  }
  const failures: string[] = []
  for (const mutation of check.mutations) {
    const problems = await problemsOf(check, tree, mutation, signal)
    if (problems.length === 0) failures.push(`${check.name} does not notice ${describe(mutation)}`)
    else if (!problems.some((problem) => mutation.says.test(problem))) {
      const said = problems.join('\n')
      failures.push(`${check.name} notices ${describe(mutation)}, and says nothing like ${mutation.says}:\n${said}`)
    }
  }
  return failures
}

/** @returns what the check says while the file is broken @throws Error when the mutation does not fit the file any more */
async function problemsOf(
  check: Check,
  tree: string,
  mutation: Mutation,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const path = join(tree, mutation.file)
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, brokenText(before, mutation))
  try {
    return (await check.run(tree, signal)).problems
  } finally {
    if (before === undefined) rmSync(path, { force: true })
    else writeFileSync(path, before)
  }
}

function brokenText(before: string | undefined, mutation: Mutation): string {
  if ('text' in mutation) return mutation.text
  const parts = before?.split(mutation.from) ?? []
  if (parts.length !== 2) {
    throw new Error(`${mutation.file} has ${describe(mutation)} ${Math.max(0, parts.length - 1)} times, not once`)
  }
  return parts.join(mutation.to)
}

const describe = (mutation: Mutation): string =>
  'text' in mutation ? `another ${mutation.file}` : `"${mutation.from}" → "${mutation.to}" in ${mutation.file}`
