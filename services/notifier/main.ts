// The notifier's composition root: settings, adapters, run, and closing in reverse. The only file that wires.
// Where to read on: notifier.ts, the hub; decide-notices.ts says when, decide-mail.ts what goes together, mailer.ts sends.
import { once } from 'node:events'
import { hostname } from 'node:os'
import { openAddressGuard } from '../shared/address-guard.ts'
import { systemClock as clock, type Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import { followConfig } from '../shared/forwarding/config-topic.ts'
import { Directory } from '../shared/forwarding/directory.ts'
import { openSecretSource } from '../shared/forwarding/secret-source.ts'
import { joinGroup } from '../shared/kafka/group.ts'
import { connectKafka } from '../shared/kafka/kafka.ts'
import { ownTopic } from '../shared/kafka/plan-topics.ts'
import { openProducer } from '../shared/kafka/producer.ts'
import { checkTopics } from '../shared/kafka/topics.ts'
import { openLog } from '../shared/log.ts'
import { composeMail, type MailContent } from '../shared/mail/compose-mail.ts'
import { composeWebhook } from '../shared/mail/compose-webhook.ts'
import { openMailer } from '../shared/mail/mailer.ts'
import { readMailTemplates } from '../shared/mail/read-templates.ts'
import { TemplateError } from '../shared/mail/render-template.ts'
import { openMetrics } from '../shared/metrics.ts'
import { environment, readSettings, SettingsError, type Settings } from '../shared/settings.ts'
import { openStatusServer } from '../shared/status-server.ts'
import type { StopScope } from '../shared/notices/notice.ts'
import { wayOf } from '../shared/notices/way.ts'
import { renderStopToken } from '../shared/notices/stop-token.ts'
import { stopOnSignals } from '../shared/stop-signals.ts'
import { threadOf } from './decide-mail.ts'
import { Health } from './health.ts'
import { Notifier } from './notifier.ts'
import { openNoticeStore } from './notice-store.ts'
import { openNotifierMetrics } from './notifier-metrics.ts'
import { openStopPage } from './stop-page.ts'
import { openWebhooks } from './webhook.ts'

/** Where ONWARD_HTTP_PORT says nothing. */
const PORT = 8_081
/** Mails on their way may end, what ended is noted, the group is left. */
const CLOSE_WITHIN = 20_000
/** A member that is killed is missed after this. */
const SESSION_TIMEOUT = 10_000

/** Exit codes: 0 stopped as asked, 1 a fault or a cluster that is not prepared, 2 settings that are not valid. */
process.exit(await main())

async function main(): Promise<number> {
  const read = settingsOrUndefined()
  if (!read) return 2
  const { settings, smtp, from, templates } = read
  using log = openLog(process.stdout, settings.logLevel, 'notifier', clock)
  const stop = stopOnSignals(() => log[Symbol.dispose]())
  const fail = (error: unknown) => {
    log.error('fault', { error: errorText(error), stack: error instanceof Error ? error.stack : undefined })
    process.exit(1)
  }
  process.on('unhandledRejection', fail)
  if (settings.ignored.length > 0) log.info('settings-ignored', { names: settings.ignored })

  // What everything stands on.
  const metrics = openMetrics('notifier')
  const numbers = openNotifierMetrics(metrics, {
    pending: () => notifier.pending,
    overdue: () => notifier.overdue,
    active: () => notifier.active,
  })
  const health = new Health(() => notifier.active)
  const kafka = connectKafka(settings.kafka, `onward-notifier-${process.pid}`, log)
  const directory = new Directory()

  // The rooms.
  using mailer = openMailer(smtp, from, settings.mail.dkim)
  await using webhooks = openWebhooks(
    openAddressGuard(settings.allowAddresses, settings.forbidPorts),
    openSecretSource(environment(), settings.secretsDir, clock),
  )
  await using producer = await openProducer(kafka)
  const store = openNoticeStore({
    kafka,
    producer,
    topic: ownTopic(settings.topicPrefix, 'notices'),
    clock,
    log,
    onUnreadable: () => numbers.unreadableState.inc(),
  })
  const { publicUrl, linkSecrets } = settings.mail
  const [linkSecret] = linkSecrets
  // By the time of the plan: a mail that is sent again is the same to the letter.
  const stopLink = (address: string, scope: StopScope, plannedAt: Millis): string | null =>
    publicUrl === null || linkSecret === undefined
      ? null
      : `${publicUrl}/stop?t=${renderStopToken(linkSecret, { address, scope }, plannedAt)}`
  using notifier = new Notifier({
    clock,
    log,
    store,
    recipients: {
      connection: (id) => directory.connection(id),
      ofProject: (project) => directory.connections().filter((connection) => connection.project === project),
    },
    rules: {
      quiet: settings.mail.quiet,
      gather: Math.min(settings.mail.gather, settings.mail.quiet / 2),
      cap: settings.mail.dailyCap,
      domain: /@([^@>]+)>?$/.exec(from)?.[1] ?? hostname(),
    },
    metrics: numbers,
    send: (box, mail) => {
      const content: MailContent = {
        address: box.address,
        notices: mail.notices,
        surplus: mail.surplus,
        cap: mail.lastOfDay ? settings.mail.dailyCap : null,
        now: mail.plannedAt,
        connection: (id) => directory.connection(id) ?? null,
        stopLink: (scope) => stopLink(box.address, scope, mail.plannedAt),
      }
      const composed = composeMail(content, templates)
      const { messageId, plannedAt } = mail
      if (wayOf(box.address) === 'webhook') {
        return webhooks.tell({ to: box.address, messageId, body: composeWebhook(content, composed) })
      }
      return mailer.send({ ...composed, ...threadOf(box, mail), to: box.address, messageId, date: plannedAt })
    },
    fail,
  })
  const page = openStopPage({
    store,
    secrets: linkSecrets,
    template: templates.page,
    describe: (scope) => describeScope(scope, directory),
    onStopped: (kind) => numbers.stops.inc({ kind }),
    clock,
    log,
  })
  await using status = await openStatusServer(settings.httpPort ?? PORT, metrics, health.live, health.ready, page)
  log.info('notifier-started', {
    member: `${hostname()}:${process.pid}`,
    port: status.port,
    brokers: settings.kafka.brokers,
  })
  const topics = await checkTopics(kafka, settings, settings.kafka.brokers)
  const missing = topics.missing.filter((topic) => topic.startsWith(settings.topicPrefix))
  if (missing.length > 0) {
    log.error('topics-missing', { topics: missing, fix: topics.advice })
    return 1
  }
  await followConfig({
    kafka,
    topic: ownTopic(settings.topicPrefix, 'config'),
    log,
    signal: stop,
    onRecord: (record) => {
      const applied = directory.apply(record)
      if (applied.kind === 'kept')
        log.error('configuration-record-refused', { key: applied.key, reason: applied.reason })
    },
  })

  // Run.
  await using group = await joinGroup({
    kafka,
    groupId: settings.mail.groupId,
    topics: [ownTopic(settings.topicPrefix, 'failures')],
    startFrom: () => 'earliest',
    sessionTimeout: SESSION_TIMEOUT,
    work: notifier,
    log,
    clock,
    fail,
  })
  notifier.use(group)
  health.askLease(() => group.holdsLease())
  health.enter('joined')
  if (!stop.aborted) await once(stop, 'abort')

  // Stop: leaving the group gives the partition up, and with it waits for what is on its way.
  log.info('notifier-stopping', { signal: String(stop.reason) })
  health.enter('stopping')
  clock.after(CLOSE_WITHIN, () => fail(new Error('the brokers did not let us close in time')))
  return 0
}

/** How the page calls what it stops. */
function describeScope(scope: StopScope, directory: Directory): string {
  switch (scope.kind) {
    case 'all':
      return 'mails from Onward'
    case 'project':
      return `mails about project ${scope.project}`
    case 'connection':
      return `mails about ${directory.connection(scope.connection)?.name ?? scope.connection}`
  }
}

type Read = {
  readonly settings: Settings
  readonly smtp: NonNullable<Settings['mail']['smtp']>
  readonly from: string
  readonly templates: ReturnType<typeof readMailTemplates>
}

function settingsOrUndefined(): Read | undefined {
  try {
    const settings = readSettings(environment())
    const { smtp, from, templatesDir } = settings.mail
    if (smtp && from !== null) return { settings, smtp, from, templates: readMailTemplates(templatesDir) }
    throw new SettingsError([
      ...(smtp ? [] : ['SMTP_URL is not set: write the mail server, as in smtp://mail.example:587.']),
      ...(from === null ? ['ONWARD_MAIL_FROM is not set: write who the mails come from.'] : []),
    ])
  } catch (error) {
    if (!(error instanceof SettingsError) && !(error instanceof TemplateError)) throw error
    process.stderr.write(
      `${error.message}\nEvery setting: docs/configuration.md. To see those in force: npx onward check\n`,
    )
    return undefined
  }
}
