// What the receiver of docker-compose.yml wrote, held against what the demonstration publishes. Pure.
// Enter: its lines, how often everything was published. Leave: what differs; nothing: all came, in order, and was accepted once.

/** Accepted requests of one publishing, by repeater; `newest` may skip what was overtaken, and `strict` is refused. */
const EXPECTED: Readonly<Record<string, number>> = {
  'demo/forms': 1,
  'demo/stubs': 1,
  'demo/cases': 1,
  'demo/apps': 1,
  'demo/steady': 5,
  'demo/in-order': 5,
}
const NEWEST = 'demo/newest'
const IN_ORDER = 'demo/in-order'
const STRICT = 'demo/strict'

/** `← 200  POST  /guide  "demo/forms:forms:1:0"  attempt 1  1135 bytes` */
const LINE = /^← (\d{3}) {2}\S+ {2}\S+ {2}"([^":]+):[^":]+:\d+:(\d+)" {2}attempt \d+ {2}\d+ bytes$/

export function judgeArrivals(log: string, times: number): readonly string[] {
  const problems: string[] = []
  const accepted = new Map<string, number[]>()
  let refused = 0
  for (const line of log.split('\n').filter((one) => one.startsWith('←'))) {
    const [, status, repeater = '', version] = LINE.exec(line) ?? []
    if (status === undefined) {
      problems.push(`cannot be read: ${line}`)
      continue
    }
    if (repeater === STRICT && status === '422') refused++
    if (Number(status) >= 300) continue
    const versions = accepted.get(repeater) ?? []
    const last = versions.at(-1) ?? -1
    // The cases that share a repeater here are one case.
    if (Number(version) <= last) problems.push(`${repeater}: version ${version} was accepted after ${last}`)
    accepted.set(repeater, [...versions, Number(version)])
  }
  for (const [repeater, each] of Object.entries(EXPECTED)) {
    const came = accepted.get(repeater)?.length ?? 0
    if (came !== each * times) problems.push(`${repeater}: ${came} accepted, not ${each * times}`)
  }
  const [newest, last] = [accepted.get(NEWEST)?.at(-1), accepted.get(IN_ORDER)?.at(-1)]
  if (newest !== last) problems.push(`${NEWEST}: ends at version ${newest ?? 'none'}, not at ${last ?? 'none'}`)
  if (refused !== times) problems.push(`${STRICT}: refused ${refused} times, not ${times}`)
  return problems
}
