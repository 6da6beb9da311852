// A helper process of a benchmark that answers line by line. Enter: a script. Leave: its first line, and its answer to each line.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export type ToldProcess = AsyncDisposable & {
  readonly first: string
  ask(line: string): Promise<string>
}

/** @param file a script that ends when its standard input does */
export async function openToldProcess(file: string, args: readonly string[] = []): Promise<ToldProcess> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const next = async () => {
    const [line] = (await Promise.race([
      once(lines, 'line'),
      exited.then(() => Promise.reject(new Error(`${file} ended`))),
    ])) as [string]
    return line
  }
  return {
    first: await next(),
    ask(line) {
      const answer = next()
      child.stdin.write(`${line}\n`)
      return answer
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await exited
    },
  }
}
