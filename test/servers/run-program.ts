// A program of another maker, run to its end: kcat, or a Python script that lies beside this file.
// Enter: arguments, and what it reads on standard input. Leaves: what it printed. Never: a failure that a test does not see.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { PYTHON } from '../../deploy/local/foreign-clients.ts'

/** One that takes longer hangs: its test says so with the program's name. */
const HANGS_AFTER_MS = 60_000

/** @throws Error with what it said on standard error, when it ends with another code than 0 */
export async function runProgram(command: string, args: readonly string[], input: string): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(HANGS_AFTER_MS),
    killSignal: 'SIGKILL',
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  // It may end without having read all: its exit code tells.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}:\n${errors}`)
  return output
}

/** @param script beside this file @param job what it reads as JSON */
export const runPython = (script: string, job: object): Promise<string> =>
  runProgram(PYTHON, [join(import.meta.dirname, script)], JSON.stringify(job))

/**
 * kcat as the contract has publishers call it: keyed, with the partitioner that all publishers share.
 * @param options beside those
 */
export async function kcatProduces(
  { brokers, topic }: { readonly brokers: readonly string[]; readonly topic: string },
  records: readonly (readonly [key: string, value: string])[],
  ...options: readonly string[]
): Promise<void> {
  const lines = records.map(([key, value]) => `${key}|${value}\n`).join('')
  const args = ['-P', '-b', brokers.join(','), '-t', topic, '-K', '|', '-X', 'partitioner=murmur2_random', ...options]
  await runProgram('kcat', args, lines)
}
