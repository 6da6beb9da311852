// Test files → one run of Node's test runner beside one broker and one registry, which all of them share.
// Enter: paths from the repository's root. Leaves: the runner's exit code.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { REPOSITORY } from './paths.ts'
import { openProgress } from './progress.mjs'
import { startStack } from './stack.ts'

/** A test that takes longer hangs: it fails with its name instead of stopping the run. */
const TEST_HANGS_AFTER_MS = 10 * 60_000
/** Most files wait for the broker more than they compute. */
const FILES_AT_ONCE = Math.max(2, availableParallelism() - 1)

export async function runTestFiles(files: readonly string[], signal: AbortSignal): Promise<number> {
  if (files.length === 0) {
    console.error('There is no such test file.')
    return 1
  }
  const progress = openProgress()
  await using stack = await startStack({ progress, signal })
  progress.print(`  ${files.length} test files`)
  const child = spawn(
    process.execPath,
    [
      '--test',
      '--test-reporter=spec',
      `--test-timeout=${TEST_HANGS_AFTER_MS}`,
      `--test-concurrency=${FILES_AT_ONCE}`,
      ...files,
    ],
    {
      cwd: REPOSITORY,
      stdio: 'inherit',
      env: {
        ...process.env,
        KAFKA_BROKERS: stack.brokers.join(','),
        ...(stack.registryUrl === null ? {} : { SCHEMA_REGISTRY_URL: stack.registryUrl }),
        // Whatever the tests start ends with them, also when the runner is killed. A file URL has no spaces.
        NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${END_WITH_PARENT}`.trim(),
      },
    },
  )
  const end = () => child.kill()
  signal.addEventListener('abort', end)
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exitCode) => resolve(exitCode ?? 1))
  })
  signal.removeEventListener('abort', end)
  return code
}

const END_WITH_PARENT = pathToFileURL(join(import.meta.dirname, 'end-with-parent.mjs')).href
