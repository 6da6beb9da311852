// `npm test`: the check, then every test that needs no more than Node and Java, against one broker and registry.
// Enter: --only PATTERN, to run some files and no check. Leaves: the test runner's output, its closing lines last, and
// its exit code. Never: a process or file that stays.
import { globSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkAll } from './check-all.ts'
import { REPOSITORY } from './paths.ts'
import { runTestFiles } from './run-test-files.ts'
import { untilSignal } from './until-signal.ts'

const HELP = `npm test                        types, lint, borders, dead code, format, then the tests
npm test -- --only forwarder    only the test files with this in their path, and no check`

/** They install more than Java, or take long: npm run test:servers, test:keycloak, test:browser, check:image, test:mutations. */
const ELSEWHERE = ['test/servers/', 'test/keycloak/', 'test/browser/', 'test/image/', 'test/mutations/']

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const { signal, code } = untilSignal()
  try {
    const result = await runTests(values.only, signal)
    return signal.aborted ? await code : result
  } catch (error) {
    if (signal.aborted) return await code
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}

async function runTests(only: string | undefined, signal: AbortSignal): Promise<number> {
  if (only === undefined && !(await checkAll(signal))) return 1
  const files = globSync('test/**/*.test.ts', { cwd: REPOSITORY })
    .filter((file) => !ELSEWHERE.some((folder) => file.startsWith(folder)))
    .filter((file) => only === undefined || file.includes(only))
    .toSorted()
  return await runTestFiles(files, signal)
}

process.exitCode = await main()
