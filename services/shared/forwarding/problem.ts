// A mistake in a forwarding file, as it is told to whoever wrote it.

export type Problem = {
  readonly file: string
  /** Counts from 1. */
  readonly line: number
  /** Counts from 1; a tab is one column. */
  readonly column: number
  /** What is wrong. Never a secret's value. */
  readonly message: string
  /** What to write instead. */
  readonly fix: string
}

/** `file:line:column: what is wrong`, the form editors jump to, then what to write. */
export const renderProblem = ({ file, line, column, message, fix }: Problem): string =>
  `${file}:${line}:${column}: ${message}\n    ${fix}`

export const inOrder = (problems: readonly Problem[]): readonly Problem[] =>
  [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
