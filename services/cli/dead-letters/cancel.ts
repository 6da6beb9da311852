// `onward dead-letters cancel`: lets the lanes go on that these letters hold. A dry run until --yes.
// The word is appended to the requeue topic, whose owner acts on it. Never: a letter changed or deleted.
import { systemClock, type Millis } from '../../shared/clock.ts'
import { openProducer } from '../../shared/kafka/producer.ts'
import { readArguments, readTimeout, UsageError } from '../arguments.ts'
import { CLUSTER_TIMEOUT } from '../cluster.ts'
import { styled, type Terminal } from '../terminal.ts'
import { EXIT, type Verb } from '../verb.ts'
import { FILTER_HELP, FILTER_OPTIONS, fitsAll, readLetterFilter, type LetterFilter } from './letter-filter.ts'
import { renderPlace } from './letter.ts'
import { openLetters, type Letters } from './open-letters.ts'
import { jsonLine, printable } from './printable.ts'
import { deliveryHeldBy, NONE_HELD, readHeld, type HeldLane } from './read-held.ts'
import { cancelRecord } from './requeue-record.ts'
import { group, renderMoment } from './tally-letters.ts'

const HELP = `Usage: onward dead-letters cancel [--all | filters] [options]

Lets the cases go on that a dead letter holds (repeaters with onDeadLetter: hold): their later changes are delivered, in order,
without the one that died. A dry run until --yes. To send that one as well, and before the others: onward dead-letters requeue.
The letters stay where they are. What waited goes when it comes back from its retry topic: within a minute where the case was
held for less than five, within five where for less than thirty, within thirty otherwise.

Options:
  --all              every letter that holds a case, instead of a filter
  --yes              do it; without it, only say what would be done
  --json             print what was done as JSON
  --timeout T        how long to wait for the cluster while nothing comes (default 10s)

${FILTER_HELP}
Exit codes: 0 done, or nothing to do; 1 a topic is missing; 2 usage or settings; 3 the cluster does not answer; 10 without --yes:
something would be done; 130 interrupted.

Examples:
  onward dead-letters cancel --repeater demo/patients
  onward dead-letters cancel --letter 3:1042 --yes
`

/** Named in what is printed; the others are counted. */
const MOST_NAMED = 10
const BATCH = 200

export const verb: Verb = {
  name: 'cancel',
  summary: 'let the cases go on that they hold; a dry run until --yes',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      ...FILTER_OPTIONS,
      all: { type: 'boolean' },
      yes: { type: 'boolean' },
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    const [surplus] = positionals
    if (surplus !== undefined) throw new UsageError(`a letter is named with --letter: cancel --letter ${surplus}`)
    const filter = readLetterFilter(values, systemClock.now())
    if (fitsAll(filter) && !values.all)
      throw new UsageError('which letters? Name a repeater, a case, a letter, …, or all of them with --all')
    if (!fitsAll(filter) && values.all) throw new UsageError('--all and a filter: choose one')
    const letters = openLetters(readTimeout(values.timeout, CLUSTER_TIMEOUT), signal)
    const { found, holding } = await findHolding(letters, filter)
    const yes = values.yes ?? false
    if (yes && holding.length > 0) await append(letters, holding, signal)
    const receipt: Receipt = { at: systemClock.now(), dryRun: !yes, found, holding }
    terminal.stdout(values.json ? jsonLine(receiptJson(receipt)) : renderReceipt(receipt, terminal))
    return !yes && holding.length > 0 ? EXIT.wouldChange : EXIT.done
  },
}

type Holder = { readonly letter: string; readonly lane: HeldLane }
type Receipt = {
  /** Unix milliseconds. */
  readonly at: Millis
  readonly dryRun: boolean
  /** Letters that fit. */
  readonly found: number
  readonly holding: readonly Holder[]
}

async function findHolding(letters: Letters, filter: LetterFilter): Promise<Omit<Receipt, 'at' | 'dryRun'>> {
  const didHold: { readonly letter: string; readonly delivery: string }[] = []
  let found = 0
  await letters.scan(filter, (letter) => {
    found++
    const delivery = deliveryHeldBy(letter)
    if (delivery !== undefined) didHold.push({ letter: renderPlace(letter), delivery })
  })
  // Behind the scan: its time limit would run while another topic is read.
  const held = didHold.length > 0 ? await readHeld(letters) : NONE_HELD
  /** What died again has several letters and one lane: the newest names it. */
  const byLane = new Map<HeldLane, Holder>()
  for (const { letter, delivery } of didHold) {
    const lane = held.get(delivery)
    if (lane) byLane.set(lane, { letter, lane })
  }
  return { found, holding: [...byLane.values()] }
}

/** Ctrl-C ends it between two sends. Saying it twice changes nothing. */
async function append(letters: Letters, holding: readonly Holder[], signal: AbortSignal): Promise<void> {
  await using producer = await letters.within(openProducer(letters.kafka), signal)
  const records = holding.map(({ lane }) => cancelRecord(lane, systemClock.now()))
  for (let from = 0; from < records.length; from += BATCH) {
    signal.throwIfAborted()
    await letters.within(producer.send(letters.requeueTopic, records.slice(from, from + BATCH)), signal)
  }
}

function renderReceipt({ dryRun, found, holding }: Receipt, terminal: Terminal): string {
  const fit = `${group(found)} dead ${found === 1 ? 'letter fits' : 'letters fit'}`
  if (holding.length === 0) return `${fit}, and none of them holds a case. Nothing to do.\n`
  const named = holding
    .slice(0, MOST_NAMED)
    .map(
      ({ letter, lane }) =>
        `  ${letter}  ${printable(lane.repeater)}  case ${printable(lane.case)}  held since ${renderMoment(lane.since)}`,
    )
  const more = holding.length - named.length
  const cases = holding.length === 1 ? '1 case' : `${group(holding.length)} cases`
  const said = dryRun
    ? `A dry run: ${cases} would go on without what died. The same with --yes does it.`
    : `${cases} ${holding.length === 1 ? 'goes' : 'go'} on: what waited comes back from its retry topic within thirty minutes.`
  return [
    fit,
    ...named,
    ...(more > 0 ? [`  … and ${group(more)} more`] : []),
    '',
    styled(terminal, 'bold', said),
    '',
  ].join('\n')
}

const receiptJson = ({ at, dryRun, found, holding }: Receipt): unknown => ({
  at: renderMoment(at),
  dryRun,
  found,
  holding: holding.length,
  cases: holding.map(({ letter, lane }) => ({
    letter,
    repeater: lane.repeater,
    case: lane.case,
    heldSince: renderMoment(lane.since),
  })),
})
