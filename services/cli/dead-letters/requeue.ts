// `onward dead-letters requeue`: puts letters back, in their order, through the requeue topic, whose owner sends them.
// The order of this page is what makes a kill harmless: what lies there is read first, planned against, and only then added to.
// Never: a write without --yes; a letter put back twice by one run; a state that would overtake a newer one, unless forced.
import { randomBytes } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { systemClock } from '../../shared/clock.ts'
import { errorText } from '../../shared/error-text.ts'
import type { Directory } from '../../shared/forwarding/directory.ts'
import { openProducer } from '../../shared/kafka/producer.ts'
import { openProgress } from '../progress.ts'
import type { Terminal } from '../terminal.ts'
import { EXIT, type Verb } from '../verb.ts'
import { appendLetters } from './append-letters.ts'
import { findNewer } from './find-newer.ts'
import { judgeLetter, type Candidate } from './judge-letter.ts'
import { FILTER_HELP } from './letter-filter.ts'
import { renderPlace } from './letter.ts'
import { openLetters, type Letters } from './open-letters.ts'
import { planRequeue } from './plan-requeue.ts'
import { jsonLine } from './printable.ts'
import { readPutBack } from './put-back.ts'
import { didHold, NONE_HELD, readHeld } from './read-held.ts'
import { addRefusal, receiptJson, renderReceipt, type Receipt, type Refusals } from './render-receipt.ts'
import { readRequeueArguments, type RequeueRequest } from './requeue-arguments.ts'

const HELP = `Usage: onward dead-letters requeue [--all | filters] [options]

Puts dead letters back: appends them to onward.requeue, from where their deliveries are made anew, as if nothing had been
attempted. A dry run until --yes. The order within a repeater and case is kept. Skipped are case states that have a newer version
in the source topic, and letters that were put back before; refused, each with its reason, those that cannot be. Letters stay in
their topic until retention or purge takes them. A letter that holds its case (onDeadLetter: hold) goes before the newer versions,
which wait for it, and they follow; to let them go on without it: onward dead-letters cancel.

A run that was interrupted or killed is taken up by the same command with --run ID: what it put back is found by reading
onward.requeue, so nothing is left out and nothing comes twice.

Options:
  --all              every letter there is, instead of a filter
  --yes              do it; without it, only say what would be done
  --rate 500/s       letters put back in a second, minute or hour (default 500/s)
  --force            also case states that have a newer version
  --again            also letters that another run put back before
  --run ID           names the run: in the idempotency key of each request, and to go on with it (default: a new name)
  --receipt FILE     write the receipt there as JSON: at the beginning, and whole at the end
  --json             print the receipt as JSON
  --timeout T        how long to wait for the cluster while nothing comes (default 10s)

${FILTER_HELP}
Exit codes: 0 done, or nothing to do; 1 every letter was refused, or a topic is missing; 2 usage or settings; 3 the cluster does
not answer; 10 without --yes: something would be put back; 130 interrupted.

Examples:
  onward dead-letters requeue --repeater demo/patients --reason rejected
  onward dead-letters requeue --repeater demo/patients --reason rejected --yes --rate 50/s --receipt receipt.json
  onward dead-letters requeue --letter 3:1042 --yes
`

export const verb: Verb = {
  name: 'requeue',
  summary: 'put them back, in order; a dry run until --yes',
  help: HELP,
  run: async (args, terminal, signal) => {
    const request = readRequeueArguments(args, systemClock.now())
    const run = request.run ?? newRun()
    const letters = openLetters(request.timeout, signal)
    const putBack = await readPutBack(letters, run)
    const directory = await letters.directory()
    const judged = await judgeLetters(letters, directory, request, terminal)
    const newer = request.force ? null : await findNewer(letters, directory, judged.candidates, terminal)
    const held = judged.didHold ? await readHeld(letters) : NONE_HELD
    const plan = planRequeue(
      judged.candidates,
      request.again ? { ...putBack, byOthers: new Map() } : putBack,
      (candidate, planned) => newer?.supersedes(candidate, planned) ?? null,
      (delivery) => held.has(delivery),
    )
    await refuseMissingPartitions(letters, plan.append)
    const trouble = letters.registryTrouble()
    if (trouble !== null) terminal.stderr(`What some letters say is not known here, their keys are: ${trouble}\n`)

    let receipt: Receipt = {
      run,
      at: systemClock.now(),
      dryRun: !request.yes,
      forced: request.force,
      found: judged.found,
      plan,
      refused: judged.refused,
      appended: 0,
      gone: 0,
      copies: 0,
    }
    if (request.yes) {
      await keep(receipt, request.receipt)
      if (plan.append.length > 0) receipt = await append(receipt, letters, request, terminal, signal)
    }
    await keep(receipt, request.receipt)
    terminal.stdout(request.json ? jsonLine(receiptJson(receipt)) : renderReceipt(receipt, terminal))
    return exitCode(receipt)
  },
}

function exitCode(receipt: Receipt): number {
  const { plan, refused, found } = receipt
  if (receipt.dryRun && plan.append.length > 0) return EXIT.wouldChange
  const refusals = [...refused.values()].reduce((sum, { count }) => sum + count, 0)
  return found > 0 && refusals === found ? EXIT.failed : EXIT.done
}

/** Sorts by time of making, and no two are the same: `20261125T223015Z-1f9c03ab`. */
const newRun = (): string =>
  `${new Date(systemClock.now()).toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(4).toString('hex')}`

type JudgedLetters = {
  readonly candidates: readonly Candidate[]
  readonly refused: Refusals
  readonly found: number
  /** One of them held its lane when it died. */
  readonly didHold: boolean
}

async function judgeLetters(
  letters: Letters,
  directory: Pick<Directory, 'repeater'>,
  { filter }: RequeueRequest,
  terminal: Terminal,
): Promise<JudgedLetters> {
  const candidates: Candidate[] = []
  const refused = new Map<string, { count: number; examples: string[] }>()
  let read = 0
  let found = 0
  let anyHeld = false
  const total = filter.letters.size > 0 ? filter.letters.size : await countAll(letters)
  const progress = openProgress(terminal, systemClock, 'dead letters looked at', total)
  await letters.scan(
    filter,
    (letter) => {
      found++
      anyHeld ||= didHold(letter)
      const change = letters.changeOf(letter)
      return change instanceof Promise ? change.then(judge) : judge(change)

      function judge(known: Awaited<typeof change>): void {
        const judged = judgeLetter(letter, known, (id) => directory.repeater(id))
        if (judged.kind === 'candidate') candidates.push(judged.candidate)
        else addRefusal(refused, judged.why, renderPlace(letter))
      }
    },
    undefined,
    () => progress.advance(++read),
  )
  progress.finish(read)
  return { candidates, refused, found, didHold: anyHeld }
}

async function countAll(letters: Letters): Promise<number> {
  const begins = await letters.offsets(letters.topic, 'earliest')
  const ends = await letters.offsets(letters.topic, 'latest')
  return [...ends].reduce((sum, [partition, end]) => sum + end - (begins.get(partition) ?? 0), 0)
}

class PartitionsError extends Error {
  override readonly name = 'PartitionsError'
  readonly code = 'PARTITIONS_MISSING'
}

async function refuseMissingPartitions(letters: Letters, candidates: readonly Candidate[]): Promise<void> {
  const partitions = await letters.offsets(letters.requeueTopic, 'latest')
  const missing = candidates.find(({ source }) => !partitions.has(source.partition))
  if (!missing) return
  throw new PartitionsError(
    `${letters.requeueTopic} has no partition ${missing.source.partition}: npx onward topics prints the command that adds what it lacks`,
  )
}

/** @returns the receipt with what was done, as read back from the topic */
async function append(
  receipt: Receipt,
  letters: Letters,
  { rate }: RequeueRequest,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Receipt> {
  const { run, forced, plan } = receipt
  terminal.stderr(`Run ${run}: should this end early, the same again with --run ${run} goes on.\n`)
  const from = await letters.offsets(letters.requeueTopic, 'latest')
  await using producer = await letters.within(openProducer(letters.kafka), signal)
  const progress = openProgress(terminal, systemClock, 'letters put back', plan.append.length)
  const onAppended = (count: number) => progress.advance(count)
  const appending = { letters, producer, run: { id: run, forced }, rate, clock: systemClock, onAppended }
  const { appended, gone } = await appendLetters(plan.append, appending, signal)
  progress.finish(appended)
  // Ctrl-C ends reads too; how many copies there are is then not known.
  const { copies } = signal.aborted ? { copies: 0 } : await readPutBack(letters, run, { from })
  return { ...receipt, at: systemClock.now(), appended, gone, copies }
}

class ReceiptError extends Error {
  override readonly name = 'ReceiptError'
  readonly code = 'RECEIPT_REFUSED'
}

/** Whole or not at all: a receipt that is cut in the middle says nothing. */
async function keep(receipt: Receipt, file: string | null): Promise<void> {
  if (file === null) return
  try {
    await writeFile(`${file}.part`, `${JSON.stringify(receiptJson(receipt), null, 2)}\n`)
    await rename(`${file}.part`, file)
  } catch (error) {
    throw new ReceiptError(`the receipt ${file} cannot be written: ${errorText(error)}`, { cause: error })
  }
}
