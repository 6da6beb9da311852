// Programs that Go builds from their source, once, each at an exact version. Enter: module and version. Leaves: a binary in the cache
// folder. Never: an install outside of it; a module that go.sum does not know, where there is one.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findGo } from '../../local/go.ts'
import { CACHE } from '../../local/paths.ts'
import { takePidLock } from '../../local/pid-lock.mjs'
import type { Progress } from '../../local/progress.mjs'
import { runInstaller } from '../../local/run-installer.mjs'
import type { Tool } from '../check.ts'
import { CHECK_PYTHON, installCheckPython } from './python-tools.ts'

type GoProgram = {
  readonly name: string
  readonly version: string
  /** The package with its `main`. */
  readonly package: string
  /** What Go calls the binary, where that is not the name. */
  readonly binary?: string
  /** A folder of deploy/check/go with a go.mod of ours: for a module that `go install` refuses, since it has replaces of its own. */
  readonly module?: string
  /** For the linker, beside what makes binaries small. */
  readonly linkerFlags?: string
}

export function goTool(program: GoProgram): Tool {
  const { name, version } = program
  const folder = join(CACHE, 'tools', `${program.module ?? name}-${version}`)
  const command = join(folder, program.binary ?? name)
  return {
    name,
    command,
    install: async (progress, signal) => {
      if (existsSync(command)) return
      mkdirSync(folder, { recursive: true })
      const waits = () => progress.print(`  another process builds ${name}: waiting for it`)
      // One build at a time: each takes all processors, and most share modules.
      const release = await takePidLock(join(CACHE, 'tools', 'build.lock'), waits, signal)
      try {
        if (!existsSync(command)) await build(program, folder, progress, signal)
      } finally {
        release()
      }
    },
  }
}

async function build(program: GoProgram, folder: string, progress: Progress, signal: AbortSignal): Promise<void> {
  const go = await findOrInstallGo(progress, signal)
  const title = `${program.name} ${program.version}, built by Go`
  const flags = ['-ldflags', `-s -w ${program.linkerFlags ?? ''}`.trim()]
  if (program.module === undefined) {
    const env = { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' }
    await runInstaller(progress, title, go, ['install', ...flags, `${program.package}@v${program.version}`], env)
    return
  }
  const module = join(import.meta.dirname, '..', 'go', program.module)
  const env = { ...process.env, GOFLAGS: '-mod=readonly' }
  await runInstaller(progress, title, go, ['-C', module, 'build', ...flags, '-o', `${folder}/`, program.package], env)
}

async function findOrInstallGo(progress: Progress, signal: AbortSignal): Promise<string> {
  // Where the machine's own Go is missing or too old, one is installed by it.
  await installCheckPython(progress, signal)
  return findGo(progress, CHECK_PYTHON.python)
}
