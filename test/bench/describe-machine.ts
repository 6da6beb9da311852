// The machine and the versions a benchmark ran with: figures without them say nothing.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

export type RunOptions = {
  readonly seed: number
  readonly runs: number
  readonly seconds: number
  readonly format: string
}

export function describeMachine({ seed, runs, seconds, format }: RunOptions): Readonly<Record<string, string>> {
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  return {
    machine: `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, ${gigabytes} GiB`,
    load: `${(loadavg()[0] ?? 0).toFixed(2)} over the last minute, this run's own among it`,
    versions: `Node ${process.versions.node}, undici ${versionOf('undici')}, kafkajs ${versionOf('kafkajs')}`,
    run: `seed ${seed}, runs ${runs}, seconds ${seconds}, records as ${format}`,
  }
}

function versionOf(name: string): string {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`)
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}
