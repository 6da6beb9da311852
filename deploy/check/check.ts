// The nouns of `npm run check:deploy`: a check looks at a tree of files with other makers' tools and says what is wrong with it.
// A check carries the ways to break what it looks at, so that it is known to notice them.
import type { Progress } from '../local/progress.mjs'

export type Check = {
  /** For `--only`: kebab-case. */
  readonly name: string
  /** What it holds, as one line of the help. */
  readonly about: string
  readonly tools: readonly Tool[]
  /** @param tree the repository's files, or a copy of them; never changed */
  readonly run: (tree: string, signal: AbortSignal) => Promise<Findings>
  readonly mutations: readonly Mutation[]
}

export type Findings = {
  /** What was looked at, counted: `12 values files`. */
  readonly seen: string
  /** What is wrong, each with what to do about it; none: all is well. */
  readonly problems: readonly string[]
}

/** A program of other makers, installed when it is missing. */
export type Tool = {
  readonly name: string
  /** What to call. */
  readonly command: string
  /** @throws Error with the line to run where it may not install by itself */
  readonly install: (progress: Progress, signal: AbortSignal) => Promise<void>
}

/** A mistake that somebody may make, and what the check must say of it. */
export type Mutation = {
  /** From the tree's root. */
  readonly file: string
  readonly says: RegExp
} & (
  | {
      /** Stands in the file exactly once. */
      readonly from: string
      readonly to: string
    }
  | {
      /** The whole file, whether there was one or not. */
      readonly text: string
    }
)
