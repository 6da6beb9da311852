// The five checks of `npm run check`, two at a time, each told as a step; what a failing one said is printed whole.
// Enters: a signal that ends them. Leaves: whether all passed.
import { spawn } from 'node:child_process'
import { REPOSITORY } from './paths.ts'
import { openProgress, type Progress } from './progress.mjs'

/** npm scripts; the slowest first, so that the rest passes beside it. */
const CHECKS = ['check:lint', 'check:types', 'check:dead', 'check:borders', 'check:format']

export async function checkAll(signal: AbortSignal): Promise<boolean> {
  const progress = openProgress()
  const waiting = [...CHECKS]
  const failed: string[] = []
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined && !signal.aborted; name = waiting.shift()) {
      if (!(await check(name, progress, signal))) failed.push(name)
    }
  }
  await Promise.all([worker(), worker()])
  return failed.length === 0 && !signal.aborted
}

async function check(name: string, progress: Progress, signal: AbortSignal): Promise<boolean> {
  const step = progress.step(name)
  const child = spawn('npm', ['run', '--silent', name], { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'pipe'] })
  const end = () => child.kill()
  signal.addEventListener('abort', end)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  signal.removeEventListener('abort', end)
  if (code === 0) step.done()
  else {
    step.failed()
    progress.print(said.trimEnd())
  }
  return code === 0
}
