// `onward dead-letters show`: one letter, whole: why it died, what the remote said, the value readable, how to put it back.
import { systemClock } from '../../shared/clock.ts'
import { readArguments, readTimeout, UsageError } from '../arguments.ts'
import { CLUSTER_TIMEOUT } from '../cluster.ts'
import { EXIT, type Verb } from '../verb.ts'
import { readLetterFilter } from './letter-filter.ts'
import { renderPlace, type Letter, type Place } from './letter.ts'
import { openLetters, type Letters, type ReadLetterChange } from './open-letters.ts'
import { jsonLine } from './printable.ts'
import { didHold, laneHeldBy, readHeld } from './read-held.ts'
import { letterJson, renderLetter } from './render-letter.ts'

const HELP = `Usage: onward dead-letters show <partition>:<offset> [options]

Prints one dead letter: all that its headers say, and its value: JSON by lines, a form's XML as text, Avro decoded with the
registry's schema, anything else in hexadecimal. The value is somebody's data: mind who looks over your shoulder.

Options:
  --json             one JSON object
  --timeout T        how long to wait for the cluster, and for the registry (default 10s)

Exit codes: 0 printed; 1 there is no such letter; 2 usage or settings; 3 the cluster does not answer.

Examples:
  onward dead-letters show 3:1042
  onward dead-letters show 3:1042 --json
`

export const verb: Verb = {
  name: 'show',
  summary: 'one of them: why, and the value',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, { json: { type: 'boolean' }, timeout: { type: 'string' } })
    const [text, surplus] = positionals
    if (text === undefined) throw new UsageError('which one? onward dead-letters show <partition>:<offset>')
    if (surplus !== undefined) throw new UsageError(`one letter at a time, and ${surplus} is one more`)
    const filter = readLetterFilter({ letter: [text] }, systemClock.now())
    const letters = openLetters(readTimeout(values.timeout, CLUSTER_TIMEOUT), signal)
    const found: Letter[] = []
    await letters.scan(filter, (letter) => void found.push(letter))
    const [letter] = found
    if (!letter) {
      for (const place of filter.letters.values()) terminal.stderr(`${await explainMissing(letters, place)}\n`)
      return EXIT.failed
    }
    const change = await letters.changeOf(letter)
    const note = explain(letters, change)
    const since = didHold(letter) ? laneHeldBy(letter, await readHeld(letters))?.since : undefined
    if (values.json) terminal.stdout(jsonLine(letterJson(letter, change, note, since)))
    else terminal.stdout(renderLetter(letter, change, note, since, terminal))
    return EXIT.done
  },
}

function explain(letters: Letters, change: ReadLetterChange): string | null {
  if (change.kind === 'read') return null
  const trouble = letters.registryTrouble()
  if (trouble !== null) return `Not decoded: ${trouble}.`
  if (change.cause === 'no-value') return null
  if (change.cause === 'foreign-topic') return 'Its topic is no source topic of these settings (ONWARD_TOPIC_…).'
  return `It cannot be read as a change: ${change.cause}.`
}

async function explainMissing(letters: Letters, place: Place): Promise<string> {
  const begin = (await letters.offsets(letters.topic, 'earliest')).get(place.partition)
  const end = (await letters.offsets(letters.topic, 'latest')).get(place.partition)
  const missing = `there is no letter ${renderPlace(place)}`
  if (begin === undefined || end === undefined)
    return `${missing}: ${letters.topic} has no partition ${place.partition}`
  if (begin === end) return `${missing}: partition ${place.partition} is empty`
  return `${missing}: partition ${place.partition} has ${place.partition}:${begin} to ${place.partition}:${end - 1}`
}
