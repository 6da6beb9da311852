// `onward dead-letters stats`: how many, by repeater, connection, reason and day. Looks at headers only.
import { systemClock } from '../../shared/clock.ts'
import { readArguments, readTimeout, UsageError } from '../arguments.ts'
import { CLUSTER_TIMEOUT } from '../cluster.ts'
import { EXIT, type Verb } from '../verb.ts'
import { FILTER_HELP, FILTER_OPTIONS, readLetterFilter } from './letter-filter.ts'
import { openLetters } from './open-letters.ts'
import { jsonLine } from './printable.ts'
import { readHeld } from './read-held.ts'
import { LetterTally, renderTally, tallyJson } from './tally-letters.ts'

const HELP = `Usage: onward dead-letters stats [options]

Counts dead letters by repeater, connection, reason and day (UTC).

${FILTER_HELP}
Options:
  --json             one JSON object
  --timeout T        how long to wait for the cluster while nothing comes (default 10s)

Exit codes: 0 counted; 1 the topic is missing; 2 usage or settings; 3 the cluster does not answer.

Examples:
  onward dead-letters stats
  onward dead-letters stats --since 24h --json
`

export const verb: Verb = {
  name: 'stats',
  summary: 'count them by repeater, connection, reason, day',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      ...FILTER_OPTIONS,
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`stats takes only options: ${positionals.join(' ')}`)
    const filter = readLetterFilter(values, systemClock.now())
    const letters = openLetters(readTimeout(values.timeout, CLUSTER_TIMEOUT), signal)
    const tally = new LetterTally()
    await letters.scan(filter, (letter) => tally.add(letter))
    if (tally.didHold.size > 0) tally.countHeld(await readHeld(letters))
    terminal.stdout(values.json ? jsonLine(tallyJson(tally)) : renderTally(tally, terminal))
    return EXIT.done
  },
}
