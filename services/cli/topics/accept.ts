// `onward topics accept`: partitions that a source topic got are read from now on. Cases move to them, so what is unfinished of those
// must go first. Enter: the topics, what is on record of them, and what waits. Leave: a record of the configuration topic.
// Never: a partition accepted while an older change of a case that moves there could come after a newer one, unless told so.
import { acceptAdded, type TopicVersions } from '../../shared/forwarding/topic-versions.ts'
import { renderConfigRecord } from '../../shared/forwarding/config-record.ts'
import { writeConfig } from '../../shared/forwarding/config-topic.ts'
import { openAdmin, type Admin } from '../../shared/kafka/admin.ts'
import { ownTopic } from '../../shared/kafka/plan-topics.ts'
import { openProducer } from '../../shared/kafka/producer.ts'
import { adviseOnCount, findTopics } from '../../shared/kafka/topics.ts'
import { environment, readSettings, type Settings } from '../../shared/settings.ts'
import { readArguments, readTimeout, UsageError } from '../arguments.ts'
import { CLUSTER_TIMEOUT, openBoundedCluster } from '../cluster.ts'
import { readDirectory } from '../read-directory.ts'
import { styled, type Terminal } from '../terminal.ts'
import { EXIT, type Verb } from '../verb.ts'
import { countUnfinished, type Growth, type Unfinished } from './count-unfinished.ts'
import { findGrown } from './find-grown.ts'

const HELP = `Usage: onward topics accept [options]

When a source topic gets partitions, the cases whose keys now belong to those move there. Their older changes are still in the
partitions they had: unread, or parked in a retry topic. So nobody reads what was added until this command says so, and it says
so once nothing of the cases that move is left behind.

In this order: grow Onward's own topics (onward topics names the commands), grow the source topic to a multiple of what it had,
restart the publishers so that all of them know, run this.

Options:
  --any-order      accept although changes of cases that move are unfinished: they may come after newer ones, with lower
                   versions, so that receivers that compare Onward-Version are right all the same. Or although the new count
                   is no multiple of the old one: then cases have moved between partitions that are read, too, and their
                   versions may have fallen, until the topic is made anew
  --dry-run        change nothing, only say what would be done
  --json           print what was found and done as JSON
  --timeout T      how long to wait for the cluster while nothing comes (default 10s)

Exit codes: 0 accepted, or nothing to accept; 1 refused, with what to do; 2 usage or settings; 3 the cluster does not answer;
10 with --dry-run: something would be accepted; 130 interrupted.

Examples:
  onward topics accept --dry-run
  onward topics accept
`

class TopicChanged extends Error {
  override readonly name = 'TopicChanged'
  readonly code = 'TOPIC_CHANGED'
}

type Found = {
  readonly growth: Growth
  readonly known: TopicVersions
  readonly unfinished: Unfinished
}

export const verb: Verb = {
  name: 'accept',
  summary: 'read the partitions that a source topic got',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      'any-order': { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    if (positionals.length > 0)
      throw new UsageError(`accept takes no arguments, only options: ${positionals.join(' ')}`)
    const settings = readSettings(environment())
    const cluster = openBoundedCluster(settings.kafka, readTimeout(values.timeout, CLUSTER_TIMEOUT))
    const { kafka, within } = cluster
    const configTopic = ownTopic(settings.topicPrefix, 'config')
    const directory = await within(readDirectory(kafka, configTopic, signal), signal)
    await using admin = await within(openAdmin(kafka), signal)
    const grown = await within(findGrown(admin, settings, directory), signal)
    const narrow = grown.length === 0 ? [] : await within(findNarrow(admin, settings), signal)
    const found: Found[] = []
    for (const { growth, known } of grown)
      found.push({
        growth,
        known,
        unfinished: await countUnfinished(cluster, admin, settings, growth, terminal, signal),
      })

    const refusals = [...narrow, ...(values['any-order'] ? [] : found.flatMap(whyNot))]
    const accepts = refusals.length === 0 && found.length > 0
    if (accepts && !values['dry-run']) {
      await using producer = await within(openProducer(kafka), signal)
      // Counting may take minutes: what another accepted, or raised, meanwhile stays.
      const now = await within(readDirectory(kafka, configTopic, signal), signal)
      const records = found.map(({ growth: { topic, after }, known }) => {
        const newest = now.source(topic) ?? known
        if (newest.id !== known.id) throw new TopicChanged(`${topic} was made anew meanwhile: run this again`)
        return renderConfigRecord({ kind: 'source', versions: acceptAdded(newest, after) })
      })
      await within(writeConfig(producer, configTopic, records), signal)
    }
    if (values.json) terminal.stdout(renderJson(found, refusals, accepts && !values['dry-run']))
    else report(terminal, found, refusals, values['dry-run'] ?? false)
    if (refusals.length > 0) return EXIT.failed
    return accepts && values['dry-run'] ? EXIT.wouldChange : EXIT.done
  },
}

/** What is parked lies in its source's partition number. */
async function findNarrow(admin: Admin, settings: Settings): Promise<readonly string[]> {
  const { differs, create } = await findTopics(admin, settings, settings.kafka.brokers, { sources: false })
  return [
    ...create.map(({ name }) => `${name} is missing: npx onward topics creates it`),
    ...differs.filter(({ what }) => what === 'partitions').map(adviseOnCount),
  ]
}

function whyNot({ growth, unfinished }: Found): readonly string[] {
  const { topic, before, after } = growth
  const { unread, parked, held } = unfinished
  const reasons: string[] = []
  if (after % before !== 0)
    reasons.push(
      `${topic} went from ${before} to ${after} partitions, which is no multiple: cases moved between partitions that are read, too, and their versions may have fallen. Receivers that compare them refuse what comes, until the topic is deleted and made anew; to go on as it is: --any-order`,
    )
  if (unread > 0)
    reasons.push(
      `${topic} has ${plural(unread, 'change')} that nobody has finished, of cases that move: run this again when they are`,
    )
  for (const [repeater, count] of parked)
    reasons.push(
      `${plural(count, 'change')} of cases that move ${count === 1 ? 'is' : 'are'} parked for ${repeater}: mend its connection (npx onward get connections), and run this again when they have gone`,
    )
  if (held > 0)
    reasons.push(
      `dead letters hold ${plural(held, 'case')} that ${held === 1 ? 'moves' : 'move'}: npx onward dead-letters requeue, or cancel`,
    )
  return reasons
}

function report(terminal: Terminal, found: readonly Found[], refusals: readonly string[], dryRun: boolean): void {
  if (found.length === 0) {
    terminal.stdout('Every partition of the source topics is read. Nothing to accept.\n')
    return
  }
  const word = refusals.length > 0 ? 'waiting' : dryRun ? 'to accept' : 'accepted'
  for (const { growth, unfinished } of found) {
    const { topic, before, after } = growth
    const style = refusals.length > 0 ? 'yellow' : 'green'
    terminal.stdout(
      `${styled(terminal, style, word)}   ${topic}  ${before} → ${after} partitions; unfinished of cases that move: ${unfinished.unread} in the topic, ${total(unfinished)} parked, ${unfinished.held} held\n`,
    )
  }
  for (const why of refusals) terminal.stderr(`${why}\n`)
}

const renderJson = (found: readonly Found[], refusals: readonly string[], accepted: boolean): string =>
  `${JSON.stringify({
    accepted,
    topics: found.map(({ growth, unfinished }) => ({
      ...growth,
      unread: unfinished.unread,
      parked: Object.fromEntries(unfinished.parked),
      held: unfinished.held,
    })),
    refusals,
  })}\n`

const total = ({ parked }: Unfinished): number => [...parked.values()].reduce((sum, count) => sum + count, 0)
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
