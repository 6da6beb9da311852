// What the receiver of docker-compose.yml wrote, held against what the story publishes. Pure.
// Enter: its lines, how often everything was published. Leave: what differs; nothing: all came, in order, and was accepted once.
import { EXPECTED, type Expected } from '../../local/start/story.ts'

/** `← 200  POST  /guide  "demo/forms:forms:1:0"  attempt 1  1135 bytes` */
const LINE = /^← (\d{3}) {2}\S+ {2}(\S+) {2}"([^":]+):[^":]+:\d+:(\d+)" {2}attempt \d+ {2}\d+ bytes$/
const SHAKY = '/shaky'

type Arrival = { readonly status: number; readonly target: string; readonly repeater: string; readonly version: number }

export function judgeArrivals(log: string, times: number): readonly string[] {
  const lines = log.split('\n').filter((line) => line.startsWith('←'))
  const read = lines.map(readLine)
  const arrivals = read.filter((arrival) => arrival !== undefined)
  const known = EXPECTED.map(({ repeater }) => repeater)
  const newest = Math.max(...arrivals.filter(({ target }) => target === SHAKY).map(({ version }) => version))
  return [
    ...lines.filter((_, index) => read[index] === undefined).map((line) => `cannot be read: ${line}`),
    ...EXPECTED.flatMap((expected) => {
      const own = arrivals.filter(({ repeater }) => repeater === expected.repeater)
      return judgeRepeater(expected, own, times, newest).map((problem) => `${expected.repeater}: ${problem}`)
    }),
    ...arrivals
      .filter(({ repeater }) => !known.includes(repeater))
      .map(({ repeater }) => `${repeater}: is no repeater`),
    ...(arrivals.some(({ status }) => status === 503) ? [] : [`${SHAKY}: never failed`]),
  ]
}

function readLine(line: string): Arrival | undefined {
  const [, status, target = '', repeater = '', version] = LINE.exec(line) ?? []
  return status === undefined ? undefined : { status: Number(status), target, repeater, version: Number(version) }
}

/** @param newest of all that the endpoint that fails was sent */
function judgeRepeater(
  { made, deadLettered, everyState }: Expected,
  arrivals: readonly Arrival[],
  times: number,
  newest: number,
): readonly string[] {
  const accepted = arrivals.filter(({ status }) => status < 300).map(({ version }) => version)
  const refused = arrivals.filter(({ status }) => status >= 400 && status < 500).length
  const wanted = (made - deadLettered) * times
  const problems: string[] = []
  // The cases that share a repeater in the story are one case.
  for (const [index, version] of accepted.entries()) {
    const last = accepted[index - 1] ?? -1
    if (version <= last) problems.push(`version ${version} was accepted after ${last}`)
  }
  if (everyState && accepted.length !== wanted) problems.push(`${accepted.length} accepted, not ${wanted}`)
  if (!everyState && accepted.at(-1) !== newest)
    problems.push(`ends at version ${accepted.at(-1) ?? 'none'}, not at ${newest}`)
  if (refused !== deadLettered * times) problems.push(`refused ${refused} times, not ${deadLettered * times}`)
  return problems
}
