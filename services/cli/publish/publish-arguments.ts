// The arguments of `onward publish` → what is to be published. Enter: the command line. Leave: a checked request.
// Never: I/O; a combination of options of which one would silently do nothing.
import { readArguments, readCount, readRate, readTimeout, UsageError } from '../arguments.ts'
import { CLUSTER_TIMEOUT } from '../cluster.ts'
import type { Millis } from '../../shared/clock.ts'
import { didYouMean } from '../../shared/nearest.ts'
import type { LoadPlan } from './generate-load.ts'

export type PublishRequest = {
  readonly what:
    | { readonly kind: 'samples' }
    | { readonly kind: 'load'; readonly plan: LoadPlan; readonly perSecond: number | null }
    | { readonly kind: 'form-files'; readonly files: readonly string[]; readonly form: FormOptions }
    | { readonly kind: 'case-files'; readonly files: readonly string[] }
    | { readonly kind: 'app'; readonly project: string; readonly appId: string; readonly buildId: string | null }
  /** Null: Avro when a registry is set. */
  readonly format: 'avro' | 'json' | null
  /** Null: the source topic of the settings. */
  readonly topic: string | null
  readonly json: boolean
  readonly timeout: Millis
}

export type FormOptions = {
  readonly project: string
  readonly formId: string | null
  readonly xmlns: string | null
  readonly appId: string | null
  readonly caseIds: readonly string[]
}

const SUBJECTS = ['samples', 'forms', 'cases', 'apps'] as const
type Subject = (typeof SUBJECTS)[number]

const OPTIONS = {
  file: { type: 'string', multiple: true },
  project: { type: 'string', multiple: true },
  'form-id': { type: 'string' },
  'case-id': { type: 'string', multiple: true },
  'app-id': { type: 'string' },
  'build-id': { type: 'string' },
  xmlns: { type: 'string' },
  count: { type: 'string' },
  cases: { type: 'string' },
  rate: { type: 'string' },
  seed: { type: 'string' },
  zipf: { type: 'string' },
  size: { type: 'string' },
  format: { type: 'string' },
  topic: { type: 'string' },
  json: { type: 'boolean' },
  timeout: { type: 'string' },
} as const

const EVERYWHERE = ['format', 'topic', 'json', 'timeout']
const LOAD = ['count', 'cases', 'rate', 'seed', 'zipf', 'size', 'project']
/** Which options do something, by what is published. */
const USED = {
  samples: [],
  load: LOAD,
  'form-files': ['file', 'project', 'form-id', 'case-id', 'app-id', 'xmlns'],
  'case-files': ['file'],
  app: ['project', 'app-id', 'build-id'],
} as const satisfies Record<PublishRequest['what']['kind'], readonly string[]>

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>['values']

/** @throws UsageError */
export function readPublishArguments(args: readonly string[]): PublishRequest {
  const { values, positionals } = readArguments(args, OPTIONS)
  const subject = readSubject(positionals)
  const what = readWhat(subject, values)
  const used: readonly string[] = [...EVERYWHERE, ...USED[what.kind]]
  for (const name of Object.keys(values)) {
    if (!used.includes(name))
      throw new UsageError(`--${name} does nothing here: publish ${describe(what.kind)} has no use for it`)
  }
  if (subject === 'samples' && values.topic !== undefined) {
    throw new UsageError('--topic does nothing here: the samples go to three topics')
  }
  return {
    what,
    format: readFormat(values.format),
    topic: values.topic ?? null,
    json: values.json ?? false,
    timeout: readTimeout(values.timeout, CLUSTER_TIMEOUT),
  }
}

function readSubject(positionals: readonly string[]): Subject {
  const [word, surplus] = positionals
  if (word === undefined) throw new UsageError(`say what to publish: ${SUBJECTS.join(', ')}`)
  const subject = SUBJECTS.find((known) => known === word)
  if (!subject)
    throw new UsageError(`${word} cannot be published${didYouMean(word, SUBJECTS)}: say ${SUBJECTS.join(', ')}`)
  if (surplus !== undefined) throw new UsageError(`"${surplus}" is too much: a file is given with --file`)
  return subject
}

function readWhat(subject: Subject, values: Values): PublishRequest['what'] {
  const { file: files = [], count } = values
  if (subject === 'samples') return { kind: 'samples' }
  if (subject === 'apps') {
    const appId = values['app-id']
    if (appId === undefined) throw new UsageError('publish apps needs --app-id')
    return { kind: 'app', project: oneProject(values), appId, buildId: values['build-id'] ?? null }
  }
  if (files.length > 0 && count !== undefined) throw new UsageError('--file and --count exclude each other')
  if (files.length === 0 && count === undefined) {
    throw new UsageError(`publish ${subject} needs --file FILE, or --count N for a generated load`)
  }
  if (count !== undefined)
    return { kind: 'load', plan: readPlan(subject, values), perSecond: readRate('rate', values.rate) }
  if (subject === 'cases') return { kind: 'case-files', files }
  const form: FormOptions = {
    project: oneProject(values),
    formId: values['form-id'] ?? null,
    xmlns: values.xmlns ?? null,
    appId: values['app-id'] ?? null,
    caseIds: values['case-id'] ?? [],
  }
  if (form.formId !== null && files.length > 1)
    throw new UsageError('--form-id is for one file: two forms have two ids')
  return { kind: 'form-files', files, form }
}

function readPlan(kind: 'cases' | 'forms', values: Values): LoadPlan {
  const count = readCount('count', values.count) ?? 1
  return {
    kind,
    count,
    cases: readCount('cases', values.cases) ?? Math.max(1, Math.ceil(count / CHANGES_A_CASE)),
    projects: values.project ?? [DEFAULT_PROJECT],
    zipf: readZipf(values.zipf),
    size: readCount('size', values.size) ?? DEFAULT_SIZE,
    seed: readCount('seed', values.seed, 0) ?? 1,
  }
}

const DEFAULT_PROJECT = 'demo'
/** Unless --cases says otherwise. */
const CHANGES_A_CASE = 10
const DEFAULT_SIZE = 1_024

function oneProject(values: Values): string {
  const [project = DEFAULT_PROJECT, second] = values.project ?? []
  if (second !== undefined) throw new UsageError('one --project only: several are for a generated load')
  return project
}

function readZipf(text: string | undefined): number | null {
  if (text === undefined) return null
  const exponent = Number(text)
  if (text.trim() === '' || !(exponent > 0 && exponent <= 10)) {
    throw new UsageError(`--zipf takes an exponent above 0 such as 1.1, not "${text}"`)
  }
  return exponent
}

function readFormat(text: string | undefined): 'avro' | 'json' | null {
  if (text === undefined || text === 'avro' || text === 'json') return text ?? null
  throw new UsageError(`--format takes avro or json, not "${text}"${didYouMean(text, ['avro', 'json'])}`)
}

const describe = (kind: PublishRequest['what']['kind']): string =>
  ({
    samples: 'samples',
    load: 'with --count',
    'form-files': 'forms --file',
    'case-files': 'cases --file',
    app: 'apps',
  })[kind]
