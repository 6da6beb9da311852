// `onward dead-letters export`: letters with their headers and values as JSON lines, into a file or to standard output.
// Never: a file that is there overwritten, or one that looks whole and is not.
import { createWriteStream, type WriteStream } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { systemClock } from '../../shared/clock.ts'
import { readArguments, readTimeout, UsageError } from '../arguments.ts'
import { CLUSTER_TIMEOUT } from '../cluster.ts'
import type { Terminal } from '../terminal.ts'
import { EXIT, type Verb } from '../verb.ts'
import { exportLine } from './export-letter.ts'
import { FILTER_HELP, FILTER_OPTIONS, readLetterFilter } from './letter-filter.ts'
import { openLetters } from './open-letters.ts'
import { jsonLine } from './printable.ts'
import { group } from './tally-letters.ts'

const HELP = `Usage: onward dead-letters export --to FILE [options]

Writes dead letters with their headers, keys and values as JSON, one a line, in the order in which they lie in each partition.
A key or value that is UTF-8 is {"text": …}, any other {"base64": …}. The values are somebody's data: the file is readable
by you alone.

Options:
  --to FILE          the file to write, which must not be there yet; "-" is standard output
  --json             print the summary as JSON
  --timeout T        how long to wait for the cluster while nothing comes (default 10s)

${FILTER_HELP}
Exit codes: 0 written; 1 the file cannot be written, or the topic is missing; 2 usage or settings; 3 the cluster does not
answer; 130 interrupted, and no file is left.

Examples:
  onward dead-letters export --to letters.jsonl --repeater demo/patients
  onward dead-letters export --to - --reason payload | jq -r '.headers."onward-error"'
`

type Sink = {
  readonly write: (line: string) => Promise<void> | undefined
  /** Under its own name from now on. */
  readonly finish: () => Promise<void>
  /** Leaves nothing behind. */
  readonly drop: () => Promise<void>
}

class ExportError extends Error {
  override readonly name = 'ExportError'
  readonly code = 'EXPORT_REFUSED'
}

export const verb: Verb = {
  name: 'export',
  summary: 'write them to a file, values and all',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      ...FILTER_OPTIONS,
      to: { type: 'string' },
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    if (positionals.length > 0)
      throw new UsageError(`the file is named with --to: export --to ${positionals.join(' ')}`)
    const { to } = values
    if (to === undefined || to === '') throw new UsageError('where to? export --to FILE, or --to - for standard output')
    const filter = readLetterFilter(values, systemClock.now())
    const letters = openLetters(readTimeout(values.timeout, CLUSTER_TIMEOUT), signal)
    const sink = to === '-' ? toTerminal(terminal) : await toFile(to)
    let count = 0
    try {
      await letters.scan(filter, (letter) => {
        count++
        return sink.write(exportLine(letter))
      })
      await sink.finish()
    } catch (error) {
      await sink.drop()
      throw error
    }
    const summary = values.json
      ? jsonLine({ exported: count, to })
      : `${group(count)} dead ${count === 1 ? 'letter' : 'letters'} written to ${to === '-' ? 'standard output' : to}\n`
    // Standard output holds the letters themselves where they go there.
    if (to === '-') terminal.stderr(summary)
    else terminal.stdout(summary)
    return EXIT.done
  },
}

function toTerminal(terminal: Terminal): Sink {
  let pending = 0
  return {
    write: (line) => {
      terminal.stdout(line)
      pending += line.length
      if (pending < WRITTEN_AT_ONCE) return undefined
      pending = 0
      return terminal.drained()
    },
    finish: () => terminal.drained(),
    drop: () => Promise.resolve(),
  }
}

/** Characters that may lie in memory while whoever reads is slow. */
const WRITTEN_AT_ONCE = 1024 * 1024

/** @throws ExportError when the name is taken, or nothing can be written there */
async function toFile(path: string): Promise<Sink> {
  const partial = `${path}.part`
  const refused = (error: unknown): ExportError => new ExportError(explain(error, path, partial), { cause: error })
  const name = await open(path, 'wx', OWNER_ONLY).catch((error: unknown) => Promise.reject(refused(error)))
  await name.close()
  await rm(path)
  const stream: WriteStream = createWriteStream(partial, { flags: 'wx', mode: OWNER_ONLY })
  await once(stream, 'open').catch((error: unknown) => Promise.reject(refused(error)))
  const failed = new Promise<never>((_, reject) => stream.once('error', (error) => reject(refused(error))))
  failed.catch(() => undefined)
  return {
    write: (line) =>
      stream.write(line) ? undefined : Promise.race([once(stream, 'drain').then(() => undefined), failed]),
    finish: async () => {
      stream.end()
      await Promise.race([once(stream, 'close'), failed])
      // Unlike a rename, a link never takes a name that somebody else took meanwhile.
      await link(partial, path).catch((error: unknown) => Promise.reject(refused(error)))
      await rm(partial)
    },
    drop: async () => {
      stream.destroy()
      await rm(partial, { force: true })
    },
  }
}

const OWNER_ONLY = 0o600

function explain(error: unknown, path: string, partial: string): string {
  const { code, path: at, syscall, message } = error as NodeJS.ErrnoException
  if (code !== 'EEXIST') return `${path} cannot be written: ${message}`
  return at === partial && syscall === 'open'
    ? `${partial} is there, from an export that was killed: remove it, or choose another name`
    : `${path} is there already: choose another name`
}
