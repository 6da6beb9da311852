// `onward dead-letters`: what failed for good, listed, shown, counted, put back, exported, deleted. Each part is a verb of its own.
import { didYouMean } from '../shared/nearest.ts'
import { UsageError } from './arguments.ts'
import { verb as cancel } from './dead-letters/cancel.ts'
import { verb as exportLetters } from './dead-letters/export.ts'
import { verb as list } from './dead-letters/list.ts'
import { verb as purge } from './dead-letters/purge.ts'
import { verb as requeue } from './dead-letters/requeue.ts'
import { verb as show } from './dead-letters/show.ts'
import { verb as stats } from './dead-letters/stats.ts'
import type { Verb } from './verb.ts'

const PARTS = [list, show, stats, requeue, cancel, exportLetters, purge]
const NAMES = PARTS.map(({ name }) => name)

const HELP = `Usage: onward dead-letters <${NAMES.join(' | ')}> [options]

What failed for good, in onward.dead-letters.

${PARTS.map(({ name, summary }) => `  ${name.padEnd(Math.max(...NAMES.map(({ length }) => length)))}   ${summary}`).join('\n')}

onward dead-letters <word> --help   its options, exit codes and examples

Examples:
  onward dead-letters stats
  onward dead-letters list --repeater demo/patients --since 2h
  onward dead-letters requeue --repeater demo/patients --reason rejected
`

export const verb: Verb = {
  name: 'dead-letters',
  summary: 'what failed for good: list, show, count, put back, let go on, export, delete',
  help: HELP,
  parts: PARTS,
  run: ([word]) => {
    const said = word === undefined ? 'what about them?' : `dead-letters has no ${word}${didYouMean(word, NAMES)}:`
    return Promise.reject(new UsageError(`${said} ${NAMES.join(', ')}`))
  },
}
