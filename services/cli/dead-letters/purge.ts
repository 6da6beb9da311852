// `onward dead-letters purge`: deletes the oldest letters of each partition, for good. A dry run until --yes.
// Never: a letter picked out of others, which Kafka cannot do; a filter taken and not honoured.
import { systemClock, type Millis } from '../../shared/clock.ts'
import { openAdmin } from '../../shared/kafka/admin.ts'
import { readArguments, readTimeout, UsageError } from '../arguments.ts'
import { CLUSTER_TIMEOUT } from '../cluster.ts'
import { styled, type Terminal } from '../terminal.ts'
import { EXIT, type Verb } from '../verb.ts'
import { fitTable } from './fit-table.ts'
import { FILTER_OPTIONS } from './letter-filter.ts'
import { openLetters, type Letters } from './open-letters.ts'
import { planPurge, readThrough, type PurgePart } from './plan-purge.ts'
import { jsonLine } from './printable.ts'
import { readMoment } from './read-moment.ts'
import { group, renderMoment } from './tally-letters.ts'

const HELP = `Usage: onward dead-letters purge --before T | --through P:O […] | --all [options]

Deletes dead letters for good. A dry run until --yes. A Kafka log can only lose its beginning: each partition loses all its letters
up to a point, whatever their repeater or reason. To keep some of them, export those first. Left alone, letters go by themselves
when the topic's retention ends, 30 days unless it was changed.

Which letters:
  --before T         all before the first that was written at T or later, in each partition: how long ago (7d) or an instant
  --through P:O      in partition P, all up to and including offset O; once for each partition
  --all              all there are now

Options:
  --yes              do it; without it, only say what would be deleted
  --json             print the receipt as JSON
  --timeout T        how long to wait for the cluster (default 10s)

Exit codes: 0 deleted, or nothing to delete; 1 refused by the cluster, or the topic is missing; 2 usage or settings; 3 the cluster
does not answer; 10 without --yes: something would be deleted.

Examples:
  onward dead-letters purge --before 14d
  onward dead-letters export --to kept.jsonl --reason payload
  onward dead-letters purge --before 14d --yes
`

/** Options of the other parts that a prefix cannot honour, and what to do instead. */
const REFUSED = Object.keys(FILTER_OPTIONS)

export const verb: Verb = {
  name: 'purge',
  summary: 'delete the oldest of them; a dry run until --yes',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      ...FILTER_OPTIONS,
      before: { type: 'string' },
      through: { type: 'string', multiple: true },
      all: { type: 'boolean' },
      yes: { type: 'boolean' },
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`purge takes only options: ${positionals.join(' ')}`)
    for (const option of REFUSED) if (Object.hasOwn(values, option)) throw new UsageError(explainPrefix(option))
    const ways = [values.before, values.through, values.all].filter((way) => way !== undefined)
    if (ways.length !== 1) throw new UsageError('up to where? One of --before T, --through P:O, or --all')
    const before = values.before === undefined ? null : readMoment('before', values.before, systemClock.now())

    const letters = openLetters(readTimeout(values.timeout, CLUSTER_TIMEOUT), signal)
    const begins = await letters.offsets(letters.topic, 'earliest')
    const ends = await letters.offsets(letters.topic, 'latest')
    const wanted =
      values.through !== undefined ? readThrough(values.through, ends) : await beginningsAt(letters, before, ends)
    const plan = planPurge(begins, ends, wanted)
    const done = (values.yes ?? false) && plan.length > 0
    if (done) {
      await using admin = await letters.within(openAdmin(letters.kafka), signal)
      const points = new Map(plan.map((part) => [part.partition, part.before]))
      await letters.within(admin.deleteRecords(letters.topic, points), signal)
    }
    const receipt: Receipt = { topic: letters.topic, at: systemClock.now(), done, dryRun: values.yes !== true, plan }
    terminal.stdout(values.json ? jsonLine(receiptJson(receipt)) : renderReceipt(receipt, terminal))
    return receipt.dryRun && plan.length > 0 ? EXIT.wouldChange : EXIT.done
  },
}

const explainPrefix = (option: string): string =>
  `--${option} does not go with purge: Kafka deletes the beginning of a partition, never a letter from among others.\n` +
  'Keep what should stay, then delete up to a point (or leave all to the retention of the topic):\n' +
  '  onward dead-letters export --to kept.jsonl …\n' +
  '  onward dead-letters purge --before 14d'

const beginningsAt = async (letters: Letters, before: Millis | null, ends: ReadonlyMap<number, number>) =>
  before === null ? ends : letters.offsets(letters.topic, { timestamp: before })

type Receipt = {
  readonly topic: string
  /** Unix milliseconds. */
  readonly at: Millis
  readonly done: boolean
  readonly dryRun: boolean
  readonly plan: readonly PurgePart[]
}

function renderReceipt({ topic, done, plan }: Receipt, terminal: Terminal): string {
  if (plan.length === 0) return 'Nothing to delete.\n'
  const rows = plan.map(({ partition, from, before, letters }) => [
    String(partition),
    group(letters),
    `${from} to ${before - 1}`,
  ])
  const [titles = '', ...lines] = fitTable(
    ['PARTITION', 'LETTERS', 'OFFSETS'],
    rows,
    terminal.isTTY ? terminal.width : null,
  )
  const count = group(plan.reduce((sum, { letters }) => sum + letters, 0))
  const said = done
    ? `${count} letters deleted from ${topic}.`
    : `A dry run: ${count} letters of ${topic} would be deleted, for good. The same with --yes does it.`
  return [styled(terminal, 'bold', titles), ...lines, '', styled(terminal, 'bold', said), ''].join('\n')
}

const receiptJson = ({ topic, at, done, dryRun, plan }: Receipt): unknown => ({
  topic,
  at: renderMoment(at),
  dryRun,
  done,
  letters: plan.reduce((sum, { letters }) => sum + letters, 0),
  partitions: plan,
})
