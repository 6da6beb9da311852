// The documents, as the tests of this folder look at them. Enter: the files. Leave: pages with their text, spans, blocks, tables.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from '../../deploy/local/paths.ts'

export type Page = {
  /** From the repository's root: `docs/glossary.md`. */
  readonly path: string
  readonly text: string
}

export const page = (path: string): Page => ({ path, text: readFileSync(join(REPOSITORY, path), 'utf8') })

export const pages = (): readonly Page[] =>
  ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: REPOSITORY }).toSorted()].map(page)

/** Fenced blocks of a language; `''` for those that name none. */
export const blocks = ({ text }: Page, language: string): readonly string[] =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, named, block = '']) =>
    named === language ? [block] : [],
  )

/** Text between single backticks, fenced blocks left out. */
const spans = ({ text }: Page): readonly string[] =>
  [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)

/** What somebody may copy into a shell: lines of unnamed blocks, and spans. */
export const commands = (from: Page): readonly string[] => [
  ...blocks(from, '').flatMap((block) => block.split('\n').map((line) => line.split(/ {2,}| #/)[0] ?? '')),
  ...spans(from),
]

/** The part below a heading, up to the next of the same or a higher level. */
export function section({ path, text }: Page, heading: string): Page {
  const level = /^#+/.exec(heading)?.[0].length ?? 0
  const lines = text.split('\n')
  const start = lines.indexOf(heading)
  if (level === 0 || start === -1) throw new Error(`${path} has no heading "${heading}"`)
  const length = lines.slice(start + 1).findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? 99) <= level)
  return { path, text: lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n') }
}

/** Rows of the tables below their head, cells trimmed. */
export const rows = ({ text }: Page): readonly (readonly string[])[] =>
  text
    .split(/\n(?!\|)/)
    .map((part) => part.split('\n').filter((line) => line.startsWith('|')))
    .flatMap((table) => table.slice(2))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )

/** What a cell has in backticks. */
export const named = (cell: string | undefined): readonly string[] =>
  [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
