// `onward test connection ID`: one sample delivery, step by step, with what to change in words. Enter: a connection in force, or
// of a file. Leave: what each step found. Never: a secret on the terminal; a change of the configuration.
import type { Connection } from '../shared/forwarding/connection.ts'
import type { Tried } from '../shared/connection-try.ts'
import { localPart } from '../shared/forwarding/render-definition.ts'
import { renderProblem } from '../shared/forwarding/problem.ts'
import type { Repeater } from '../shared/forwarding/repeater.ts'
import { ownTopic } from '../shared/kafka/plan-topics.ts'
import { nearest } from '../shared/nearest.ts'
import { environment, readSettings } from '../shared/settings.ts'
import { readArguments, readTimeout, UsageError } from './arguments.ts'
import { CLUSTER_TIMEOUT, openBoundedCluster } from './cluster.ts'
import { readDirectory } from './read-directory.ts'
import { readFiles } from './read-files.ts'
import { jobOf, sampleRepeater } from './test/try-jobs.ts'
import { styled, type Terminal } from './terminal.ts'
import { tryConnections } from './try-connections.ts'
import { EXIT, type Verb } from './verb.ts'

const HELP = `Usage: onward test connection ID [options]

Sends one sample payload to a connection's remote API, as the forwarder would, and shows each step with its time: secrets,
payload, address, connection, token, the request as it was sent (secrets masked), the answer, and what to change. It runs with
the environment of this shell: its variables, ONWARD_SECRETS_DIR, ONWARD_ALLOW_ADDRESSES, ONWARD_OUTBOUND_PROXY.

Options:
  -f, --file FILE    take the connection from a forwarding file, before it is applied; no cluster is asked
  --repeater ID      the repeater whose payload is sent (default: the connection's first)
  --dry-run          show the request; nothing leaves this machine
  --json             print the steps as JSON
  --timeout T        how long to wait for the cluster (default 10s)

Exit codes: 0 accepted, or shown; 1 refused, or there is no such connection; 2 usage or settings; 3 the cluster does not answer.

Examples:
  onward test connection demo/registry
  onward test connection registry -f forwarding.yaml --dry-run
`

type Definitions = { readonly connections: readonly Connection[]; readonly repeaters: readonly Repeater[] }

export const verb: Verb = {
  name: 'test',
  summary: 'send a sample to a connection, and say what to change',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      file: { type: 'string', short: 'f', multiple: true },
      repeater: { type: 'string' },
      'dry-run': { type: 'boolean' },
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    const [what, id, surplus] = positionals
    if (what !== 'connection' || id === undefined || surplus !== undefined)
      throw new UsageError('name one connection: onward test connection demo/registry')
    const timeout = readTimeout(values.timeout, CLUSTER_TIMEOUT)
    const definitions = values.file ? fromFiles(values.file, terminal) : await fromCluster(timeout, signal)
    if (!definitions) return EXIT.failed
    const connection = find(definitions.connections, id)
    if (!connection) return missing(terminal, 'connection', id, definitions.connections)
    const own = definitions.repeaters.filter((repeater) => repeater.connection === connection.id)
    const repeater = values.repeater === undefined ? (own[0] ?? sampleRepeater(connection)) : find(own, values.repeater)
    if (!repeater) return missing(terminal, 'repeater of that connection', values.repeater ?? '', definitions.repeaters)
    const [tried] = await tryConnections([jobOf(connection, repeater, values['dry-run'] ? 'render' : 'send')], signal)
    if (!tried) return EXIT.failed
    if (values.json) terminal.stdout(`${JSON.stringify(tried)}\n`)
    else print(tried, terminal)
    return tried.ok ? EXIT.done : EXIT.failed
  },
}

function fromFiles(paths: readonly string[], terminal: Terminal): Definitions | undefined {
  const read = readFiles(paths)
  if (read.kind === 'read') {
    const { files } = read
    return {
      connections: files.flatMap(({ connections }) => connections),
      repeaters: files.flatMap(({ repeaters }) => repeaters),
    }
  }
  for (const problem of read.problems) terminal.stderr(`${renderProblem(problem)}\n`)
  return undefined
}

async function fromCluster(timeout: number, signal: AbortSignal): Promise<Definitions> {
  const settings = readSettings(environment())
  const { kafka, within } = openBoundedCluster(settings.kafka, timeout)
  const directory = await within(readDirectory(kafka, ownTopic(settings.topicPrefix, 'config'), signal), signal)
  return { connections: directory.connections(), repeaters: directory.repeaters() }
}

/** By its whole id, or by the file's own where one project has it. */
function find<Item extends Connection | Repeater>(items: readonly Item[], id: string): Item | undefined {
  const whole = items.find((item) => item.id === id)
  const local = items.filter((item) => localPart(item.id) === id)
  return whole ?? (local.length === 1 ? local[0] : undefined)
}

function missing(terminal: Terminal, what: string, id: string, items: readonly (Connection | Repeater)[]): number {
  const ids = items.map((item) => item.id)
  const meant = nearest(id, ids) ?? ids.find((one) => one.endsWith(`/${id}`))
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
  terminal.stderr(`there is no ${what} ${id}${hint}: npx onward get lists those in force\n`)
  return EXIT.failed
}

function print({ id, ok, steps }: Tried, terminal: Terminal): void {
  terminal.stdout(`${styled(terminal, 'bold', id)}\n`)
  const widest = Math.max(...steps.map(({ name }) => name.length))
  for (const { name, ok: went, took, text, lines } of steps) {
    const mark = went ? styled(terminal, 'green', 'ok') : styled(terminal, 'red', '!!')
    terminal.stdout(`  ${mark} ${name.padEnd(widest)} ${`${took} ms`.padStart(10)}  ${text}\n`)
    for (const line of lines) terminal.stdout(`${styled(terminal, 'dim', `       ${line}`)}\n`)
  }
  if (ok && !steps.some(({ name }) => name === 'verdict')) terminal.stdout('Nothing was sent.\n')
}
