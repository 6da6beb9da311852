// `onward dead-letters list`: the letters that fit, newest first, or in the order in which a requeue takes them.
// Never: the whole topic read where its newest end says enough.
import { systemClock, type Millis } from '../../shared/clock.ts'
import { readArguments, readCount, readTimeout, UsageError } from '../arguments.ts'
import { CLUSTER_TIMEOUT } from '../cluster.ts'
import { EXIT, type Verb } from '../verb.ts'
import { FILTER_HELP, FILTER_OPTIONS, readLetterFilter, type LetterFilter } from './letter-filter.ts'
import { openLetters, type Letters } from './open-letters.ts'
import { jsonLine } from './printable.ts'
import { NONE_HELD, readHeld } from './read-held.ts'
import { newestFirst, renderList, rowJson, rowOf, sourceOrder, withHeld, type Row } from './render-list.ts'
import { group } from './tally-letters.ts'

/** More do not fit a screen. */
const USUAL_LIMIT = 50
/** Rows that lie in memory as text while whoever reads them is slow. */
const WRITTEN_AT_ONCE = 1_000

const HELP = `Usage: onward dead-letters list [options]

Lists dead letters, newest first.

${FILTER_HELP}
Options:
  --limit N          at most so many (default ${USUAL_LIMIT})
  --all              all of them
  --in-order         as a requeue takes them: each source partition by itself, by source offset
  --json             one JSON object a line
  --timeout T        how long to wait for the cluster while nothing comes (default 10s)

Exit codes: 0 listed, or there are none; 1 the topic is missing; 2 usage or settings; 3 the cluster does not answer.

Examples:
  onward dead-letters list --repeater demo/patients --since 2h
  onward dead-letters list --status 4xx --all --json
  onward dead-letters list --case b0916685-7247-4c44-b712-633d3d64e0c0 --in-order
`

export const verb: Verb = {
  name: 'list',
  summary: 'list them, newest first',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      ...FILTER_OPTIONS,
      limit: { type: 'string' },
      all: { type: 'boolean' },
      'in-order': { type: 'boolean' },
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`list takes only options: ${positionals.join(' ')}`)
    if (values.all && values.limit !== undefined) throw new UsageError('--all and --limit: choose one')
    const filter = readLetterFilter(values, systemClock.now())
    const limit = values.all ? Infinity : (readCount('limit', values.limit) ?? USUAL_LIMIT)
    const letters = openLetters(readTimeout(values.timeout, CLUSTER_TIMEOUT), signal)
    const inOrder = values['in-order'] ?? false
    // One more than is shown tells that there are more.
    const found =
      inOrder || limit === Infinity ? await readAll(letters, filter) : await readNewest(letters, filter, limit + 1)
    const shown = found.sort(inOrder ? sourceOrder : newestFirst).slice(0, limit)
    const held = shown.some(({ didHold }) => didHold) ? await readHeld(letters) : NONE_HELD
    const rows = held.size === 0 ? shown : shown.map((row) => withHeld(row, held))
    if (values.json) {
      for (let from = 0; from < rows.length; from += WRITTEN_AT_ONCE) {
        const some = rows.slice(from, from + WRITTEN_AT_ONCE)
        terminal.stdout(some.map((row) => jsonLine(rowJson(row))).join(''))
        await terminal.drained()
      }
    } else terminal.stdout(renderList(rows, terminal))
    if (found.length > rows.length) {
      const which = inOrder ? 'first' : 'newest'
      terminal.stderr(`These are the ${which} ${group(rows.length)}; --limit N shows more, --all every one.\n`)
    }
    const holding = rows.filter(({ heldSince }) => heldSince !== null).length
    if (holding > 0 && !values.json) terminal.stderr(explainHeld(holding))
    const trouble = letters.registryTrouble()
    if (trouble !== null) terminal.stderr(`Some cases are told by the record's key alone: ${trouble}\n`)
    return EXIT.done
  },
}

const explainHeld = (count: number): string =>
  `${group(count)} of them ${count === 1 ? 'holds its case' : 'hold their cases'}: later changes wait. To send what died and then those:\n` +
  '  onward dead-letters requeue --letter P:O --yes\nTo let them go on without it: onward dead-letters cancel --letter P:O --yes\n'

async function readAll(letters: Letters, filter: LetterFilter): Promise<Row[]> {
  const rows: Row[] = []
  await letters.scan(filter, (letter) => {
    const change = letters.changeOf(letter)
    if (!(change instanceof Promise)) return void rows.push(rowOf(letter, change.case))
    return change.then((known) => void rows.push(rowOf(letter, known.case)))
  })
  return rows
}

/** Letters of a partition that are looked at first; four times as many each time that too few of them fit. */
const SMALLEST_WINDOW = 200
const GROWTH = 4

/**
 * Reads each partition from its end backwards, window by window, until it gave as many as are wanted: within a partition
 * letters are written in the order of time, so no older one can be among the newest.
 */
async function readNewest(letters: Letters, filter: LetterFilter, wanted: number): Promise<Row[]> {
  if (filter.letters.size > 0) return readAll(letters, filter)
  const begins = await letters.offsets(letters.topic, beginningOf(filter.since))
  const ends = new Map(await letters.offsets(letters.topic, 'latest'))
  const rows: Row[] = []
  const found = new Map<number, number>()
  for (let window = Math.max(wanted, SMALLEST_WINDOW); ; window *= GROWTH) {
    const from = new Map<number, number>()
    for (const [partition, end] of ends) {
      const begin = begins.get(partition) ?? 0
      if (end > begin && (found.get(partition) ?? 0) < wanted) from.set(partition, Math.max(begin, end - window))
    }
    if (from.size === 0) return rows
    await letters.scan(
      filter,
      async (letter) => {
        found.set(letter.partition, (found.get(letter.partition) ?? 0) + 1)
        rows.push(rowOf(letter, (await letters.changeOf(letter)).case))
      },
      { from, to: new Map(ends) },
    )
    for (const [partition, begun] of from) ends.set(partition, begun)
  }
}

const beginningOf = (since: Millis | null) => (since === null ? ('earliest' as const) : { timestamp: since })
