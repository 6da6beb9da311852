// The types of run-installer.mjs, which is plain JavaScript since it runs before anything is installed.
import type { Progress } from './progress.mjs'
export function runInstaller(
  progress: Progress,
  title: string,
  command: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<void>
