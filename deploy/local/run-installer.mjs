// Runs an installer as a step, its output held back: shown as the moving line's end, and printed only when it fails.
// Enter: a title and a command. Leaves: nothing, once it succeeded. Never: a prompt, for it has no input.
import { spawn } from 'node:child_process'

const OUTPUT_LINES_SHOWN = 20

/**
 * @param {import('./progress.mjs').Progress} progress
 * @param {string} title
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function runInstaller(progress, title, command, args, env = process.env) {
  const step = progress.step(title)
  const said = []
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      const lines = text.split('\n').filter((line) => line.trim() !== '')
      said.push(...lines)
      step.says(lines.at(-1) ?? '')
    })
  }
  let code
  try {
    code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  } catch (error) {
    step.failed()
    throw error
  }
  if (code === 0) return step.done()
  step.failed()
  throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${said.slice(-OUTPUT_LINES_SHOWN).join('\n')}`)
}
