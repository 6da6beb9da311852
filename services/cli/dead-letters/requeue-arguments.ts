// The arguments of `onward dead-letters requeue` → what is asked for. Pure. Never: a run whose name an HTTP header cannot carry;
// every letter there is without being asked for all.
import type { Millis } from '../../shared/clock.ts'
import { readArguments, readRate, readTimeout, UsageError } from '../arguments.ts'
import { CLUSTER_TIMEOUT } from '../cluster.ts'
import { FILTER_OPTIONS, fitsAll, readLetterFilter, type LetterFilter } from './letter-filter.ts'

export type RequeueRequest = {
  readonly filter: LetterFilter
  readonly yes: boolean
  readonly force: boolean
  readonly again: boolean
  /** null: a new one. */
  readonly run: string | null
  /** Letters a second. */
  readonly rate: number
  readonly receipt: string | null
  readonly json: boolean
  readonly timeout: Millis
}

/** It stands in the idempotency key, behind a colon and within quotes. */
const RUN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** Remote APIs have limits of their own, which the forwarder keeps; this keeps its memory small. */
const USUAL_RATE = 500

/** @param now Unix milliseconds @throws UsageError */
export function readRequeueArguments(args: readonly string[], now: Millis): RequeueRequest {
  const { values, positionals } = readArguments(args, {
    ...FILTER_OPTIONS,
    all: { type: 'boolean' },
    yes: { type: 'boolean' },
    force: { type: 'boolean' },
    again: { type: 'boolean' },
    run: { type: 'string' },
    rate: { type: 'string' },
    receipt: { type: 'string' },
    json: { type: 'boolean' },
    timeout: { type: 'string' },
  })
  const [surplus] = positionals
  if (surplus !== undefined) throw new UsageError(`a letter is named with --letter: requeue --letter ${surplus}`)
  const filter = readLetterFilter(values, now)
  if (fitsAll(filter) && !values.all)
    throw new UsageError('which letters? Name a repeater, a reason, a time, …, or all of them with --all')
  if (!fitsAll(filter) && values.all) throw new UsageError('--all and a filter: choose one')
  if (values.run !== undefined && !RUN.test(values.run))
    throw new UsageError(`--run takes up to 64 letters, digits, dots, dashes and underscores, not "${values.run}"`)
  if (values.receipt === '') throw new UsageError('--receipt takes the name of a file')
  return {
    filter,
    yes: values.yes ?? false,
    force: values.force ?? false,
    again: values.again ?? false,
    run: values.run ?? null,
    rate: readRate('rate', values.rate) ?? USUAL_RATE,
    receipt: values.receipt ?? null,
    json: values.json ?? false,
    timeout: readTimeout(values.timeout, CLUSTER_TIMEOUT),
  }
}
