// A service as it runs in production: a process of its own, settings in its environment, a log of JSON lines.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string }

export type ServiceProcess = {
  readonly pid: number
  readonly port: number
  /** Every line it logged so far, except the attempts. */
  readonly lines: readonly LogLine[]
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>
  /** Resolves with the first line, past or to come, that the test accepts. @throws after 60 s, with the last lines */
  line(accept: (line: LogLine) => boolean): Promise<LogLine>
  /** The value of a metric, summed over the label sets that contain `labels`. */
  metric(name: string, labels?: string): Promise<number>
  /** Resolves with the exit code, or the signal's name. */
  stop(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<number | string>
}

export type Service = {
  readonly name: string
  /** The events that say that it is ready, or stands by. */
  readonly ready: readonly string[]
  /** @default its main file of this checkout, with this process's environment */
  readonly launch?: (settings: Readonly<Record<string, string>>) => ServiceChild
}

export type ServiceChild = ChildProcessByStdio<null, Readable, Readable | null>

const LINE_WITHIN_MS = 60_000

/** Resolves once it is ready. @param onText told every line as it is written, the attempts among them */
export async function startService(
  t: TestContext,
  service: Service,
  environment: Readonly<Record<string, string>>,
  onText: (line: string) => void = () => undefined,
): Promise<ServiceProcess> {
  const started = await spawnService(t, service, environment, onText)
  await Promise.race([
    started.line(({ event }) => service.ready.includes(event)),
    started.exited.then((code) => {
      const told = started.lines.map((each) => JSON.stringify(each)).join('\n')
      throw new Error(`the ${service.name} ended with ${String(code)}: ${told}`)
    }),
  ])
  return started
}

/** Resolves when it answers probes: it may own nothing yet, and never. */
export async function spawnService(
  t: TestContext,
  service: Service,
  environment: Readonly<Record<string, string>>,
  onText: (line: string) => void = () => undefined,
): Promise<ServiceProcess> {
  const main = fileURLToPath(new URL(`../../services/${service.name}/main.ts`, import.meta.url))
  const child =
    service.launch?.(environment) ??
    spawn(process.execPath, [main], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })

  const lines: LogLine[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (text) => {
    onText(text)
    // The attempts of a load would fill the memory, and reading them costs as much as the forwarder spent writing them.
    if (text.includes('"event":"attempted"')) return
    lines.push(JSON.parse(text) as LogLine)
    for (const look of [...waiting]) look()
  })
  const line = (accept: (line: LogLine) => boolean) =>
    new Promise<LogLine>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look)
        reject(
          new Error(
            `no such line; the last ones: ${lines
              .slice(-10)
              .map((each) => JSON.stringify(each))
              .join('\n')}`,
          ),
        )
      }, LINE_WITHIN_MS)
      timer.unref()
      const look = () => {
        const found = lines.find(accept)
        if (!found) return
        clearTimeout(timer)
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })

  const started = await line(({ event }) => event === `${service.name}-started`)
  const port = Number(started['port'])
  const ended = exited.then(([code, by]) => code ?? by ?? 'unknown')
  return {
    pid: child.pid ?? 0,
    port,
    lines,
    exited: ended,
    line,
    async metric(name, labels = '') {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
      return text
        .split('\n')
        .filter((each) => (each.startsWith(`${name}{`) || each.startsWith(`${name} `)) && each.includes(labels))
        .reduce((sum, each) => sum + Number(each.slice(each.lastIndexOf(' ') + 1)), 0)
    },
    async stop(signal) {
      child.kill(signal)
      return signal === 'SIGSTOP' || signal === 'SIGCONT' ? signal : await ended
    },
  }
}
