// CPU profiles as Node writes them (--cpu-prof) → the functions that the time was spent in, as text.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderTable } from './render-report.ts'

type Profile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}
type CallFrame = { readonly functionName: string; readonly url: string; readonly lineNumber: number }

/** Rows printed: what is below costs less than a hundredth. */
const ROWS = 40
/** A sample is taken each millisecond: so long a time belongs to a process that stood still. */
const STOOD_STILL_MICROS = 100_000

/** @param folder where the profiles are; only the one with the most samples is told of */
export function topOfProfile(folder: string): string {
  const profiles = readdirSync(folder)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => ({ file, profile: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile }))
    .sort((one, other) => other.profile.samples.length - one.profile.samples.length)
  const longest = profiles[0]
  if (longest === undefined) return `No profile in ${folder}: did the process end by itself?\n`
  const rows = selfTimes(longest.profile).slice(0, ROWS)
  return `Time by function, of what was not idle (${longest.file}):\n${renderTable([['function', '%'], ...rows])}`
}

function selfTimes({ nodes, samples, timeDeltas }: Profile): string[][] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const times = new Map<string, number>()
  let busy = 0
  samples.forEach((id, place) => {
    const name = frames.get(id) ?? '(unknown)'
    if (name === '(idle)') return
    const time = timeDeltas[place] ?? 0
    if (time > STOOD_STILL_MICROS) return
    busy += time
    times.set(name, (times.get(name) ?? 0) + time)
  })
  return [...times]
    .sort(([, one], [, other]) => other - one)
    .map(([name, time]) => [name, ((time * 100) / busy).toFixed(1)])
}

/** `function file:line`, the file from the repository's root. */
function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  if (url === '') return functionName
  const root = new URL('../../', import.meta.url).href
  const file = url.startsWith(root) ? url.slice(root.length) : url
  return `${functionName === '' ? '(anonymous)' : functionName} ${file}:${lineNumber + 1}`
}
