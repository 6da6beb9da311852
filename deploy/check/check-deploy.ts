// `npm run check:deploy`: what deploys Onward, looked at with the real tools of those who made the formats.
// Enter: --only NAME, --mutations. Leaves: a line for each check, what is wrong, an exit code. Never: a check that is left out
// because its tool is missing.
import { parseArgs } from 'node:util'
import { REPOSITORY } from '../local/paths.ts'
import { openProgress, type Progress } from '../local/progress.mjs'
import { untilSignal } from '../local/until-signal.ts'
import type { Check } from './check.ts'
import { CHECKS } from './checks.ts'
import { copyTree, proveMutations } from './prove-mutations.ts'

const HELP = `npm run check:deploy                        looks at all that deploys Onward; installs the tools it needs into .cache
npm run check:deploy -- --only chart-lint   only this check; may be given several times
npm run check:deploy -- --mutations         and then proves that each check notices what is broken, in a copy of the files

Checks:
${CHECKS.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join('\n')}

Exit codes: 0 all is well, 1 something is wrong, 2 the arguments are.
The first run builds tools with Go, which takes some minutes; later ones take seconds.`

async function main(): Promise<number> {
  const wanted = readArguments()
  if (typeof wanted === 'number') return wanted
  const { signal, code } = untilSignal()
  const progress = openProgress()
  try {
    for (const tool of new Set(wanted.checks.flatMap(({ tools }) => tools))) await tool.install(progress, signal)
    const failed: string[] = []
    for (const check of wanted.checks) if (!(await runCheck(check, progress, signal))) failed.push(check.name)
    // What finds fault already can't be shown to find it.
    const sound = wanted.checks.filter(({ name }) => !failed.includes(name))
    if (wanted.mutations && !(await runMutations(sound, progress, signal))) failed.push('mutations')
    if (failed.length === 0) return 0
    progress.print(`  failed: ${failed.join(', ')}`)
    return 1
  } catch (error) {
    if (signal.aborted) return await code
    progress.print(error instanceof Error ? error.message : String(error))
    return 1
  }
}

/** @returns what to do, or the exit code where there is nothing to do */
function readArguments(): number | { readonly checks: readonly Check[]; readonly mutations: boolean } {
  const options = {
    only: { type: 'string', multiple: true },
    mutations: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    const { values } = parseArgs({ options })
    if (values.help) {
      console.log(HELP)
      return 0
    }
    const unknown = (values.only ?? []).filter((name) => !CHECKS.some((check) => check.name === name))
    if (unknown.length > 0) throw new Error(`There is no check ${unknown.join(', ')}.`)
    const checks = values.only ? CHECKS.filter(({ name }) => values.only?.includes(name)) : CHECKS
    return { checks, mutations: values.mutations ?? false }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return 2
  }
}

async function runCheck(check: Check, progress: Progress, signal: AbortSignal): Promise<boolean> {
  const step = progress.step(check.name)
  const { seen, problems } = await check.run(REPOSITORY, signal)
  if (problems.length === 0) step.done(seen)
  else step.failed(seen)
  for (const problem of problems) progress.print(problem.replace(/^/gm, '    '))
  return problems.length === 0
}

async function runMutations(checks: readonly Check[], progress: Progress, signal: AbortSignal): Promise<boolean> {
  using copy = copyTree(REPOSITORY)
  let good = true
  for (const check of checks) {
    const step = progress.step(`${check.name}, broken on purpose`)
    const failures = await proveMutations(check, copy.path, signal)
    if (failures.length === 0) step.done(`${check.mutations.length} mutations noticed`)
    else step.failed()
    for (const failure of failures) progress.print(failure.replace(/^/gm, '    '))
    good &&= failures.length === 0
  }
  return good
}

process.exitCode = await main()
