// Forwarding files named on the command line → what they want, or every mistake in all of them.
// Enter: paths, "-" for standard input. Leave: one definition set a project. Never: two files for one project.
import { readFileSync } from 'node:fs'
import { errorText } from '../shared/error-text.ts'
import { readForwardingFile, type ForwardingFile } from '../shared/forwarding/forwarding-file.ts'
import type { Problem } from '../shared/forwarding/problem.ts'
import { UsageError } from './arguments.ts'

export type NamedFile = Extract<ForwardingFile, { kind: 'read' }> & { readonly file: string }
export type ReadFiles =
  | { readonly kind: 'read'; readonly files: readonly NamedFile[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

const STANDARD_INPUT = 0

/** @throws UsageError when a file cannot be read at all */
export function readFiles(paths: readonly string[]): ReadFiles {
  const problems: Problem[] = []
  const files: NamedFile[] = []
  for (const path of paths) {
    const file = path === '-' ? 'standard input' : path
    const read = readForwardingFile(readText(path), file)
    if (read.kind === 'invalid') problems.push(...read.problems)
    else files.push({ ...read, file })
  }
  for (const [index, { file, project }] of files.entries()) {
    const first = files.findIndex((other) => other.project === project)
    if (first === index) continue
    const message = `project ${project} is in ${files[first]?.file ?? 'another file'} too`
    problems.push({ file, line: 1, column: 1, message, fix: 'put all of a project into one file' })
  }
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'read', files }
}

function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? STANDARD_INPUT : path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${errorText(error)}`)
  }
}
