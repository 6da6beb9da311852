// `onward get`: the configuration in force, as a table, as JSON, or as a forwarding file that can be applied again.
// Never: a secret's value; definitions hold references only.
import type { Connection } from '../shared/forwarding/connection.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import { renderConnection, renderRepeater } from '../shared/forwarding/render-definition.ts'
import { renderForwardingFile } from '../shared/forwarding/render-forwarding-file.ts'
import type { Repeater } from '../shared/forwarding/repeater.ts'
import { ownTopic } from '../shared/kafka/plan-topics.ts'
import { didYouMean, nearest } from '../shared/nearest.ts'
import { environment, readSettings } from '../shared/settings.ts'
import { readArguments, readTimeout, UsageError } from './arguments.ts'
import { CLUSTER_TIMEOUT, openBoundedCluster } from './cluster.ts'
import { renderTables } from './get/render-tables.ts'
import { readDirectory } from './read-directory.ts'
import { EXIT, type Verb } from './verb.ts'

const KINDS = ['connections', 'repeaters'] as const

const HELP = `Usage: onward get [connections | repeaters] [ID] [options]

Prints the configuration in force. Secrets are shown as the references they are.

ID is <project>/<id>, or <id> alone where only one project has it.

Options:
  --project P        only this project
  --json             as JSON, every default written out
  --yaml             as forwarding files, one a project; of a single project it can be applied again as it is
  --timeout T        how long to wait for the cluster (default 10s)

Exit codes: 0 printed; 1 there is no such connection or repeater; 2 usage or settings; 3 the cluster does not answer.

Examples:
  onward get
  onward get connections demo/registry --json
  onward get --project demo --yaml > forwarding.yaml
`

type Selection = { readonly connections: readonly Connection[]; readonly repeaters: readonly Repeater[] }

export const verb: Verb = {
  name: 'get',
  summary: 'print the configuration in force',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      project: { type: 'string' },
      json: { type: 'boolean' },
      yaml: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    if (values.json && values.yaml) throw new UsageError('--json and --yaml: choose one')
    const [kind, id, surplus] = positionals
    if (surplus !== undefined) throw new UsageError(`one ID at a time, and ${surplus} is one more`)
    const kinds = KINDS.filter((known) => kind === undefined || known === kind || known === `${kind}s`)
    if (kinds.length === 0)
      throw new UsageError(`there are connections and repeaters, no ${kind ?? ''}${didYouMean(kind ?? '', KINDS)}`)
    const timeout = readTimeout(values.timeout, CLUSTER_TIMEOUT)
    const settings = readSettings(environment())
    const { kafka, within } = openBoundedCluster(settings.kafka, timeout)
    const directory = await within(readDirectory(kafka, ownTopic(settings.topicPrefix, 'config'), signal), signal)

    const selection = select(directory, kinds, values.project, id)
    for (const [key, reason] of directory.rejected)
      terminal.stderr(`${key} is not in force as its last record says: ${reason}\n`)
    if (id !== undefined && selection.connections.length + selection.repeaters.length !== 1) {
      terminal.stderr(`${explainMissing(directory, selection, id)}\n`)
      return EXIT.failed
    }
    if (values.json) terminal.stdout(renderJson(selection))
    else if (values.yaml) terminal.stdout(renderYaml(selection))
    else terminal.stdout(renderTables(selection.connections, selection.repeaters, kinds, terminal))
    return EXIT.done
  },
}

function select(
  directory: Directory,
  kinds: readonly (typeof KINDS)[number][],
  project: string | undefined,
  id: string | undefined,
): Selection {
  const chosen = <Item extends { readonly id: string; readonly project: string }>(
    items: readonly Item[],
  ): readonly Item[] =>
    items
      .filter((item) => project === undefined || item.project === project)
      .filter((item) => id === undefined || item.id === id || item.id === `${item.project}/${id}`)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return {
    connections: kinds.includes('connections') ? chosen(directory.connections()) : [],
    repeaters: kinds.includes('repeaters') ? chosen(directory.repeaters()) : [],
  }
}

function explainMissing(directory: Directory, { connections, repeaters }: Selection, id: string): string {
  const found = [...connections, ...repeaters].map((item) => item.id)
  if (found.length > 0)
    return `several have the id ${id}: ${found.join(', ')}. Say which, with its project and its kind.`
  const all = [...directory.connections(), ...directory.repeaters()].map((item): string => item.id)
  const meant = nearest(id, all) ?? all.find((known) => known.endsWith(`/${id}`))
  return `nothing in force has the id ${id}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`
}

const renderJson = ({ connections, repeaters }: Selection): string =>
  `${JSON.stringify(
    {
      connections: connections.map((connection) => ({ project: connection.project, ...renderConnection(connection) })),
      repeaters: repeaters.map((repeater) => ({ project: repeater.project, ...renderRepeater(repeater) })),
    },
    null,
    2,
  )}\n`

function renderYaml({ connections, repeaters }: Selection): string {
  const projects = [...new Set([...connections, ...repeaters].map(({ project }) => project))].sort()
  return projects
    .map((project) =>
      renderForwardingFile(
        project,
        connections.filter((connection) => connection.project === project),
        repeaters.filter((repeater) => repeater.project === project),
      ),
    )
    .join('---\n')
}
