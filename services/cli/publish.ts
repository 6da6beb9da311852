// `onward publish`: puts changes on the source topics, as an upstream would: the guide's samples, files, or a generated load.
// Never: a topic created on the way; a record whose order within its case could be lost.
import { readFile } from 'node:fs/promises'
import { isUtf8 } from 'node:buffer'
import type { Change, SourceKind } from '../shared/change.ts'
import { asMicros } from '../shared/change.ts'
import { systemClock } from '../shared/clock.ts'
import { formId, projectId, caseId } from '../shared/ids.ts'
import { openAdmin } from '../shared/kafka/admin.ts'
import { openProducer } from '../shared/kafka/producer.ts'
import { TopicError } from '../shared/kafka/reader.ts'
import { environment, readSettings, type Settings } from '../shared/settings.ts'
import { UsageError } from './arguments.ts'
import { openBoundedCluster } from './cluster.ts'
import { openProgress } from './progress.ts'
import { SOURCE_OF } from './publish/change-key.ts'
import { generateLoad, type LoadPlan } from './publish/generate-load.ts'
import { instanceId, rootXmlns } from './publish/glance-at-form.ts'
import { encodeJson, openAvroEncoder, type Encode } from './publish/open-encoder.ts'
import { readPublishArguments, type FormOptions, type PublishRequest } from './publish/publish-arguments.ts'
import { ChangeFileError, readCaseFile } from './publish/read-case-file.ts'
import { sampleChanges } from './publish/sample-changes.ts'
import { sendChanges } from './publish/send-changes.ts'
import type { Terminal } from './terminal.ts'
import { EXIT, type Verb } from './verb.ts'

const HELP = `Usage: onward publish samples
       onward publish forms --file FORM.xml […]      one form a file
       onward publish cases --file CASES.json […]    one change, an array, or one a line
       onward publish apps --app-id ID
       onward publish cases|forms --count N          a generated load, the same for the same seed

Puts changes on the source topics as an upstream would: keyed, partitioned by murmur2, acknowledged by all replicas.

Options:
  --format avro|json     default: avro when SCHEMA_REGISTRY_URL is set, else json
  --topic TOPIC          instead of the topic the settings name
  --project P            default: demo; several spread a generated load over projects
  --json                 print the summary as JSON
  --timeout T            how long to wait for each answer of the cluster (default 10s)

Forms:   --form-id ID (default: the instanceID in the document, else a new one), --xmlns, --app-id,
         --case-id ID […] (default: left to the forwarder, which reads them from the document)
Apps:    --build-id ID   a new version was built
Load:    --count N       changes in all
         --cases N       different cases (default: a tenth of the changes)
         --rate 500/s    default: as fast as the cluster takes them
         --zipf 1.1      some cases are hot (default: all alike)
         --size 1024     bytes of a change, about
         --seed 1

Exit codes: 0 all acknowledged; 1 a file or a record was refused, or the topic is missing; 2 usage; 3 the cluster or the
registry does not answer; 130 interrupted.

Examples:
  onward publish samples
  onward publish cases --file patient.json --format json
  onward publish cases --count 100000 --cases 10000 --rate 500/s --zipf 1.1
`

export const verb: Verb = {
  name: 'publish',
  summary: 'put samples, files or a generated load on the source topics',
  help: HELP,
  run: async (args, terminal, signal) => {
    const request = readPublishArguments(args)
    const settings = readSettings(environment())
    const groups = await readGroups(request, settings)
    const published = await publishGroups(groups, request, settings, terminal, signal)
    report(published, request, terminal)
    return signal.aborted ? EXIT.interrupted : EXIT.done
  },
}

/** Changes for one topic, in order. */
type Group = {
  readonly source: SourceKind
  readonly topic: string
  readonly changes: Iterable<Change>
  readonly count: number
}
type Published = {
  readonly topic: string
  readonly format: 'avro' | 'json'
  readonly published: number
  readonly of: number
}

async function readGroups({ what, topic }: PublishRequest, settings: Settings): Promise<readonly Group[]> {
  const group = (source: SourceKind, changes: readonly Change[]): Group => ({
    source,
    topic: topicOf(source, topic, settings),
    changes,
    count: changes.length,
  })
  switch (what.kind) {
    case 'samples':
      return sampleChanges()
        .filter((change) => settings.topics[SOURCE_OF[change.kind]] !== null)
        .map((change) => group(SOURCE_OF[change.kind], [change]))
    case 'load': {
      const { kind, count } = what.plan
      return [{ source: kind, topic: topicOf(kind, topic, settings), changes: changesOf(what.plan), count }]
    }
    case 'form-files':
      return [group('forms', await Promise.all(what.files.map((file) => readFormFile(file, what.form))))]
    case 'case-files': {
      const read = await Promise.all(what.files.map(async (file) => readCaseFile(await readFile(file, 'utf8'), file)))
      return [group('cases', read.flat())]
    }
    case 'app': {
      const { project, appId, buildId } = what
      return [group('apps', [{ kind: 'app', project: projectId(project), appId, buildId, savedOn: now() }])]
    }
  }
}

function topicOf(source: SourceKind, given: string | null, settings: Settings): string {
  const topic = given ?? settings.topics[source]
  if (topic !== null) return topic
  throw new UsageError(
    `ONWARD_TOPIC_${source.toUpperCase()} is empty, which turns ${source} off: name a topic with --topic`,
  )
}

function* changesOf(plan: LoadPlan): Generator<Change, void, undefined> {
  for (const { change } of generateLoad(plan)) yield change
}

async function readFormFile(file: string, options: FormOptions): Promise<Change> {
  const xml = await readFile(file)
  if (xml.length === 0) throw new ChangeFileError(`${file} is empty`)
  if (!isUtf8(xml)) throw new ChangeFileError(`${file} is not UTF-8, which forms have to be`)
  const text = xml.toString('utf8')
  return {
    kind: 'form',
    project: projectId(options.project),
    formId: formId(options.formId ?? instanceId(text) ?? crypto.randomUUID()),
    xmlns: options.xmlns ?? rootXmlns(text) ?? '',
    appId: options.appId,
    buildId: null,
    receivedOn: now(),
    userId: null,
    username: null,
    deviceId: null,
    caseIds: options.caseIds.map(caseId),
    xml,
    editedOn: null,
    duplicate: false,
    attachments: {},
  }
}

const now = () => asMicros(systemClock.now() * 1_000)

async function publishGroups(
  groups: readonly Group[],
  request: PublishRequest,
  settings: Settings,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<readonly Published[]> {
  const format = request.format ?? (settings.registry ? 'avro' : 'json')
  const { kafka, within } = openBoundedCluster(settings.kafka, request.timeout)
  await using admin = await within(openAdmin(kafka), signal)
  const existing = await within(admin.describeTopics(groups.map(({ topic }) => topic)), signal)
  const missing = groups.find(({ topic }) => !existing.has(topic))
  if (missing) throw new TopicError(missing.topic)
  await using producer = await within(openProducer(kafka), signal)

  const published: Published[] = []
  for (const { source, topic, changes, count } of groups) {
    const encode = await openEncoder(format, source, topic, request, settings, signal)
    const progress = count > FEW ? openProgress(terminal, systemClock, 'changes', count) : undefined
    const sent = await sendChanges(
      changes,
      {
        // Ctrl-C does not cut a send short: what was sent is known then.
        send: (records) => within(producer.send(topic, records), NEVER),
        encode,
        perSecond: request.what.kind === 'load' ? request.what.perSecond : null,
        onSent: (done) => progress?.advance(done),
      },
      systemClock,
      signal,
    )
    progress?.finish(sent)
    published.push({ topic, format, published: sent, of: count })
    if (signal.aborted) break
  }
  return published
}

const NEVER = new AbortController().signal
/** Fewer are there before a bar could be read. */
const FEW = 1_000

async function openEncoder(
  format: 'avro' | 'json',
  source: SourceKind,
  topic: string,
  request: PublishRequest,
  settings: Settings,
  signal: AbortSignal,
): Promise<Encode> {
  if (format === 'json') return encodeJson
  if (!settings.registry) throw new UsageError('--format avro needs a schema registry: set SCHEMA_REGISTRY_URL')
  return openAvroEncoder(settings.registry, source, topic, request.timeout, signal)
}

function report(published: readonly Published[], request: PublishRequest, terminal: Terminal): void {
  if (request.json) {
    terminal.stdout(`${JSON.stringify(published)}\n`)
    return
  }
  for (const { topic, format, published: sent, of } of published) {
    const changes = sent === of ? `${sent} ${sent === 1 ? 'change' : 'changes'}` : `${sent} of ${of} changes`
    terminal.stdout(`${changes} published to ${topic} as ${format}\n`)
  }
}
