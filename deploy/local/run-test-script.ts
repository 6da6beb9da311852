// What the npm scripts that run some test files share: their options, what is installed first, the run, its end.
// Enter: a help text, files, what they need. Leaves: an exit code: the runner's, 1 when something cannot be had, 2 for the arguments.
import { globSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { REPOSITORY } from './paths.ts'
import { openProgress, type Progress } from './progress.mjs'
import { runTestFiles } from './run-test-files.ts'
import { untilSignal } from './until-signal.ts'

type TestScript = {
  /** With the exit codes, where they are more than 0 and 1. */
  readonly help: string
  /** A pattern from the repository's root. */
  readonly files: string
  /** @throws Error with the line to run where it may not install by itself */
  readonly install?: (progress: Progress, signal: AbortSignal) => Promise<void>
}

export async function runTestScript({ help, files, install }: TestScript): Promise<number> {
  let only = ''
  try {
    const { values } = parseArgs({
      options: { only: { type: 'string', default: '' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help) {
      console.log(help)
      return 0
    }
    only = values.only
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    return 2
  }
  const { signal, code } = untilSignal()
  try {
    await install?.(openProgress(), signal)
    const chosen = globSync(files, { cwd: REPOSITORY }).filter((file) => file.includes(only))
    const result = await runTestFiles(chosen.toSorted(), signal)
    return signal.aborted ? await code : result
  } catch (error) {
    if (signal.aborted) return await code
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}
