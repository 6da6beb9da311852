// `onward topics`: creates the topics that are missing and reports those that differ, with the command that changes each.
// Never: a change to a topic that exists; a source topic made unless --sources asks for it.
import { environment, readSettings } from '../shared/settings.ts'
import { openAdmin, type NewTopic } from '../shared/kafka/admin.ts'
import { findTopics, type TopicFindings } from '../shared/kafka/topics.ts'
import { readArguments, readCount, readTimeout, UsageError } from './arguments.ts'
import { CLUSTER_TIMEOUT, openBoundedCluster } from './cluster.ts'
import { styled, type Terminal } from './terminal.ts'
import { verb as accept } from './topics/accept.ts'
import { EXIT, type Verb } from './verb.ts'

const HELP = `Usage: onward topics [options]
       onward topics accept [options]

Creates Onward's topics that are missing and reports those that differ from what they should be, with the command that
changes each. Partitions follow the largest source topic. A topic that exists is never changed.
When a source topic got partitions: onward topics accept (onward topics accept --help).

Options:
  --dry-run            change nothing, only say what would be done
  --sources            create missing source topics too (they are upstream's: for a local stack or a trial)
  --partitions N       partitions of new topics (default: the largest source topic's; 12 when none exists)
  --replication N      replication factor (default: 3, or the number of brokers when that is less)
  --allow-differences  exit with 0 although a topic differs: for a deployment, which that must not stop
  --json               print the findings as JSON
  --timeout T          how long to wait for the cluster (default 10s)

Exit codes: 0 all is as it should be, or was made so; 1 something is missing or differs that this command does not change;
2 usage; 3 the cluster does not answer; 10 with --dry-run: something would be created or differs.

Examples:
  onward topics --dry-run
  onward topics --sources --partitions 12
`

export const verb: Verb = {
  name: 'topics',
  summary: 'create what is missing, report what differs',
  help: HELP,
  parts: [accept],
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      'dry-run': { type: 'boolean' },
      sources: { type: 'boolean' },
      partitions: { type: 'string' },
      replication: { type: 'string' },
      'allow-differences': { type: 'boolean' },
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    if (positionals.length > 0)
      throw new UsageError(`topics takes no arguments, only options: ${positionals.join(' ')}`)
    const partitions = readCount('partitions', values.partitions)
    const replication = readCount('replication', values.replication)
    const timeout = readTimeout(values.timeout, CLUSTER_TIMEOUT)
    const settings = readSettings(environment())
    const { kafka, within } = openBoundedCluster(settings.kafka, timeout)

    await using admin = await within(openAdmin(kafka), signal)
    const findings = await within(
      findTopics(admin, settings, settings.kafka.brokers, {
        sources: values.sources ?? false,
        ...(partitions !== undefined && { partitions }),
        ...(replication !== undefined && { replication }),
      }),
      signal,
    )
    const create = findings.partitionsKnown && !values['dry-run'] ? findings.create : []
    if (create.length > 0) await within(admin.createTopics(create), signal)
    if (values.json) terminal.stdout(renderJson(findings, create))
    else report(terminal, findings, create, values['dry-run'] ?? false)
    if (values['dry-run']) return wouldChange(findings) ? EXIT.wouldChange : EXIT.done
    return isAsItShouldBe(findings, values['allow-differences'] ?? false) ? EXIT.done : EXIT.failed
  },
}

const wouldChange = ({ differs, missingSources, create }: TopicFindings): boolean =>
  differs.length > 0 || missingSources.length > 0 || create.length > 0

const isAsItShouldBe = (
  { differs, missingSources, partitionsKnown }: TopicFindings,
  differencesAllowed: boolean,
): boolean => (differs.length === 0 || differencesAllowed) && missingSources.length === 0 && partitionsKnown

const renderJson = (findings: TopicFindings, created: readonly NewTopic[]): string =>
  `${JSON.stringify({
    created,
    missing: findings.create.filter((topic) => !created.includes(topic)),
    missingSources: findings.missingSources,
    differs: findings.differs,
    fine: findings.fine,
  })}\n`

function report(terminal: Terminal, findings: TopicFindings, created: readonly NewTopic[], dryRun: boolean): void {
  const line = (text: string) => terminal.stdout(`${text}\n`)
  for (const name of findings.fine) line(`${styled(terminal, 'dim', 'fine')}      ${name}`)
  for (const topic of findings.create) {
    const word = created.includes(topic) ? 'created' : dryRun ? 'to create' : 'missing'
    line(`${styled(terminal, 'green', word.padEnd(9))} ${topic.name}  ${describe(topic)}`)
  }
  for (const { topic, what, is, wanted, fix } of findings.differs) {
    line(`${styled(terminal, 'yellow', 'differs')}   ${topic}  ${what} is ${is}, should be ${wanted}`)
    line(`          ${fix}`)
  }
  for (const name of findings.missingSources) {
    line(
      `${styled(terminal, 'red', 'missing')}   ${name}  a source topic: upstream creates it; for a trial: onward topics --sources`,
    )
  }
  if (!findings.partitionsKnown) {
    terminal.stderr(
      'No source topic exists, so it is not known how many partitions Onward needs, and nothing was created.\n' +
        'Create the source topics first, or run: onward topics --sources, or say it with --partitions N.\n',
    )
  }
}

const describe = ({ partitions, replication, settings }: NewTopic): string =>
  [
    `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`,
    `replication ${replication}`,
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ].join(', ')
