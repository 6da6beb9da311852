// The forwarder's composition root: settings, adapters, run, and closing in reverse. The only file that wires.
// Where to read on: ownership.ts takes fetched records to forwarder.ts, the hub, which asks attempt.ts for the socket.
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { systemClock as clock, type Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { ConnectionId, RepeaterId } from '../shared/ids.ts'
import { openSecretSource } from '../shared/forwarding/secret-source.ts'
import { openAppender } from '../shared/kafka/appender.ts'
import { joinGroup } from '../shared/kafka/group.ts'
import { connectKafka } from '../shared/kafka/kafka.ts'
import { kindsByTopic, ownTopic } from '../shared/kafka/plan-topics.ts'
import { openProducer } from '../shared/kafka/producer.ts'
import { adviseOnCount, checkTopics, tooNarrow } from '../shared/kafka/topics.ts'
import { openLog, type Log } from '../shared/log.ts'
import { openMetrics } from '../shared/metrics.ts'
import { environment, readSettings, SettingsError, type Settings } from '../shared/settings.ts'
import { openStatusServer } from '../shared/status-server.ts'
import { openTracer } from '../shared/traces.ts'
import { stopOnSignals } from '../shared/stop-signals.ts'
import { openAddressGuard } from '../shared/address-guard.ts'
import { openRemotes } from './attempt.ts'
import { followConfiguration } from './configuration.ts'
import { openConceal } from './conceal.ts'
import { openCredentials } from './credentials.ts'
import { openDeadLetters } from './dead-letter.ts'
import { FailureBook } from './failure-book.ts'
import { writeFailureRecords } from './failure-records.ts'
import { openForwarderMetrics } from './forwarder-metrics.ts'
import { Forwarder } from './forwarder.ts'
import { Health } from './health.ts'
import { Intake } from './intake.ts'
import { keepHeapSmall } from './keep-heap-small.ts'
import { Ownership } from './ownership.ts'
import { openPark } from './park.ts'
import { openProvenRemotes } from './proven-remotes.ts'
import { readProxy } from './proxy.ts'
import { reconfigure } from './reconfigure.ts'
import { openReport } from './report.ts'
import { openSchemaSource, SchemaDesk } from './schema-desk.ts'
import { SourceVersions } from './source-versions.ts'
import { SourceWatch } from './source-watch.ts'
import { openTell } from './tell.ts'
import { traceTell } from './trace-tell.ts'
import { Tiers } from './tiers.ts'
import { openTrim } from './trim.ts'
import { openTlsDesk } from './tls-material.ts'
import { watchConsumer } from './watch-consumer.ts'
import { watchTls } from './watch-tls.ts'
import { widenLookups } from './widen-lookups.ts'

/** Where ONWARD_HTTP_PORT says nothing. */
const PORT = 8_080
/** Beyond the drain: the last commit, and leaving the group. */
const CLOSE_WITHIN = 15_000
/** A start that is to end may still join the group and leave it in good order; brokers that are away keep nobody longer than this. */
const START_ENDS_WITHIN = 1_000
/** A join that was begun is ended in good order, unless the brokers went away meanwhile. */
const JOIN_ENDS_WITHIN: Millis = 30_000

/** Exit codes: 0 stopped as asked, 1 a fault or a cluster that is not prepared, 2 settings that are not valid. */
process.exit(await main())

async function main(): Promise<number> {
  const settings = settingsOrUndefined()
  if (!settings) return 2
  using log = openLog(process.stdout, settings.logLevel, 'forwarder', clock)
  const stop = stopOnSignals(() => log[Symbol.dispose]())
  const fail = (error: unknown) => {
    log.error('fault', { error: errorText(error), stack: error instanceof Error ? error.stack : undefined })
    process.exit(1)
  }
  process.on('unhandledRejection', fail)
  const health = new Health()
  return await Promise.race([run({ settings, health, log, stop, fail }), endStart(stop, health, log)])
}

type Run = {
  readonly settings: Settings
  readonly health: Health
  readonly log: Log
  readonly stop: AbortSignal
  readonly fail: (error: unknown) => void
}

async function run({ settings, health, log, stop, fail }: Run): Promise<number> {
  const member = `${hostname()}:${process.pid}`
  if (settings.ignored.length > 0) log.info('settings-ignored', { names: settings.ignored })

  // What everything stands on.
  keepHeapSmall()
  widenLookups()
  const metrics = openMetrics('forwarder')
  await using status = await openStatusServer(settings.httpPort ?? PORT, metrics, health.live, health.ready)
  log.info('forwarder-started', { member, port: status.port, brokers: settings.kafka.brokers })
  const kafka = connectKafka(settings.kafka, `onward-forwarder-${process.pid}`, log)
  const topics = await checkTopics(kafka, settings, settings.kafka.brokers)
  if (topics.missing.length > 0) {
    log.error('topics-missing', { topics: topics.missing, fix: topics.advice })
    return 1
  }
  await using producer = await openProducer(kafka)
  await using appender = await openAppender(kafka)

  // The rooms.
  const numbers = openForwarderMetrics(metrics, settings.heldBytesLimit)
  const intake = new Intake(settings.heldBytesLimit)
  const report = openReport(producer, ownTopic(settings.topicPrefix, 'deliveries'), member, intake, log)
  const schemas = new SchemaDesk({
    fetchSchema: openSchemaSource(settings, log),
    patience: settings.schemaPatience,
    clock,
    log,
    signal: stop,
  })
  const failures = new FailureBook(member, clock.now(), settings.failingAfter)
  const tell = traceTell(openTell(numbers, report, failures, schemas.readers, log, clock), openTracer(), clock)
  const secrets = openSecretSource(environment(), settings.secretsDir, clock)
  const conceal = openConceal(secrets, (id) => remotes.secretsOf(id))
  const tls = watchTls(openTlsDesk(secrets, clock), metrics, log, clock)
  const { outboundProxy } = settings
  const sent = openRemotes(openAddressGuard(settings.allowAddresses, settings.forbidPorts), clock, {
    tls: tls.desk,
    onCertificate: tls.seen,
    conceal,
    proxy: outboundProxy && readProxy(outboundProxy.url, outboundProxy.except),
  })
  const randomHex = (bytes: number) => randomBytes(bytes).toString('hex')
  await using remotes = openProvenRemotes({ remotes: sent, secrets, conceal, clock, randomHex })
  await using configuration = await followConfiguration(kafka, ownTopic(settings.topicPrefix, 'config'), log)
  const deadLetters = openDeadLetters({
    producer,
    topic: ownTopic(settings.topicPrefix, 'dead-letters'),
    clock,
    log,
    onWritten: tell.deadLettered,
  })
  const tiers = new Tiers(settings.topicPrefix, settings.retryTiers)
  const park = openPark({ appender, commitFences: () => ownership.commitNow(), clock, log })
  using forwarder = new Forwarder({
    clock,
    directory: configuration.directory,
    readers: schemas.readers,
    credentials: openCredentials(secrets),
    remotes,
    deadLetters,
    park,
    tiers,
    intake,
    tell,
    holdsLease: () => ownership.holdsLease(),
    random: Math.random,
    newRequestId: randomUUID,
    fail,
  })
  const sources = kindsByTopic(settings.topics)
  const { directory } = configuration
  const versions = new SourceVersions({
    topics: [...sources.keys()],
    directory,
    put: (of) => configuration.put(producer, { kind: 'source', versions: of }),
    clock,
    log,
    fail,
  })
  const narrow = tooNarrow(topics.counts, versions.mostRead)
  if (narrow.length > 0) {
    log.error('topics-too-narrow', {
      topics: narrow.map(({ topic }) => topic),
      fix: narrow.map(adviseOnCount).join('\n'),
    })
    return 1
  }
  const ownership: Ownership = new Ownership({
    forwarder,
    schemas,
    intake,
    report,
    park,
    tiers,
    directory,
    sources,
    clock,
    log,
    onAssigned: (begins) => {
      numbers.rebalances.inc()
      if (begins) numbers.restore.begin(clock.monotonic())
      health.enter('restoring')
    },
    onRestored: () => {
      numbers.restore.end(clock.monotonic())
      health.enter(ownership.tasks.size === 0 ? 'joined' : 'owning')
    },
    fail,
  })
  const sourceWatch = new SourceWatch({ versions, tasks: ownership.tasks, clock, fail })
  const meet = (id: ConnectionId) => {
    numbers.expectDeadLetters(id)
    tls.look(id, directory.connection(id))
  }
  configuration.onChange((change) => {
    if (change.what === 'source') return sourceWatch.changed(change.id)
    reconfigure(change, forwarder, directory, ownership.tasks.values())
    remotes.keepOnly((id) => directory.connection(id) !== undefined)
    failures.keepOnly((id) => directory.connection(id) !== undefined)
    if (change.what === 'connection') meet(change.id)
  })
  await using trim = await openTrim({ kafka, tiers: () => ownership.tiers(), clock, log })
  for (const connection of directory.connections()) meet(connection.id)
  numbers.observe({ desks: forwarder.desks, intake, ownership, directory, versions, clock })
  writeFailureRecords(
    {
      book: failures,
      producer,
      topic: ownTopic(settings.topicPrefix, 'failures'),
      clock,
      log,
      waiting: () => ownership.waiting(),
    },
    stop,
  ).catch(fail)

  // Run.
  if (hasStopped(stop)) return 0
  health.enter('joining')
  await using group = await joinGroup({
    kafka,
    groupId: settings.groupId,
    topics: [...sources.keys(), ...tiers.read.map(({ topic }) => topic)],
    // What lies in a retry topic is unfinished, wherever somebody wants the sources to start.
    startFrom: (topic) => (sources.has(topic) ? settings.startFrom : 'earliest'),
    versions,
    work: ownership,
    log,
    clock,
    fail,
  })
  ownership.use(group)
  sourceWatch.start(group, stop)
  health.askLease(() => ownership.holdsLease())
  trim.start()
  if (ownership.tasks.size === 0) health.enter('joined')
  const { stuckAfter } = settings
  const around = () => ({
    now: clock.monotonic(),
    steadyNow: clock.steady(),
    holdsLease: ownership.holdsLease(),
    memoryIsFull: intake.paused,
    unwritten: park.waiting + deadLetters.waiting,
    deskOf: (id: RepeaterId) => {
      const repeater = directory.repeater(id)
      return repeater && forwarder.desks.find(repeater.connection)
    },
  })
  watchConsumer(
    { ownership, group, around, health, stuckAfter, onLook: (stuck) => numbers.stuck.set(stuck), clock, log, fail },
    stop,
  ).catch(fail)
  if (!stop.aborted) await once(stop, 'abort')

  // Stop: nothing new starts, what is on the wire may finish, and what finished is committed. Then the scope closes in reverse.
  log.info('forwarder-stopping', { signal: String(stop.reason) })
  health.enter('stopping')
  clock.after(settings.drainTimeout + CLOSE_WITHIN, () => fail(new Error('the brokers did not let us close in time')))
  await ownership.stop(settings.drainTimeout)
  return 0
}

/**
 * Until the group is joined there is nothing to finish, and kafkajs cannot be called off while it waits for a broker: what waits
 * is left where it is.
 */
async function endStart(stop: AbortSignal, health: Health, log: Log): Promise<number> {
  if (!hasStopped(stop)) await once(stop, 'abort')
  await clock.sleep(START_ENDS_WITHIN)
  // A member that is gone in the midst of joining holds up all the others until the group misses it.
  for (let waited = 0; health.phase === 'joining' && waited < JOIN_ENDS_WITHIN; waited += START_ENDS_WITHIN)
    await clock.sleep(START_ENDS_WITHIN)
  if (health.phase !== 'starting' && health.phase !== 'joining') return await new Promise<never>(() => undefined)
  log.info('start-given-up', { signal: String(stop.reason) })
  return 0
}

/** Read through a function, for the type checker takes a signal that was not aborted for one that never will be. */
function hasStopped(signal: AbortSignal): boolean {
  return signal.aborted
}

function settingsOrUndefined(): Settings | undefined {
  try {
    return readSettings(environment())
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    process.stderr.write(
      `${error.message}\nEvery setting: docs/configuration.md. To see those in force: npx onward check\n`,
    )
    return undefined
  }
}
