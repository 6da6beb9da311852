// `onward notices`: what the notifier remembers, who gets no notices, and how its mails look.
// Never: a mail that is sent; a memory that is changed beyond what somebody asked to stop or resume.
import { systemClock } from '../shared/clock.ts'
import { ownTopic } from '../shared/kafka/plan-topics.ts'
import { openProducer } from '../shared/kafka/producer.ts'
import { didYouMean } from '../shared/nearest.ts'
import { readScope, renderNoticeRecord, renderScope, type NoticeStatement } from '../shared/notices/notice-record.ts'
import type { StopScope } from '../shared/notices/notice.ts'
import { environment, readSettings } from '../shared/settings.ts'
import { readArguments, readTimeout, UsageError } from './arguments.ts'
import { CLUSTER_TIMEOUT, openBoundedCluster } from './cluster.ts'
import { readNotices } from './notices/read-notices.ts'
import { renderNotices, renderNoticesJson } from './notices/render-notices.ts'
import { previewNotices } from './notices/preview-notices.ts'
import { EXIT, type Verb } from './verb.ts'

const WHAT = ['list', 'stop', 'resume', 'preview'] as const

const HELP = `Usage: onward notices list [--json]
       onward notices stop ADDRESS (--connection C | --project P | --all)
       onward notices resume ADDRESS (--connection C | --project P | --all)
       onward notices preview [KIND] [--out FOLDER] [--templates FOLDER]

list      incidents that are open or were a short while ago, mails that wait, and addresses that get no notices
stop      an address gets no more notices of a connection, a project, or at all
resume    takes a stop back, also the one that the notifier makes when a mail server refuses an address
preview   shows what a mail of each kind looks like; without a cluster

Options:
  --connection C     <project>/<id>
  --project P        all connections of a project
  --all              all notices
  --json             as JSON
  --out FOLDER       preview: writes KIND.subject.txt, KIND.txt and KIND.html there
  --templates FOLDER preview: as ONWARD_MAIL_TEMPLATES_DIR
  --timeout T        how long to wait for the cluster (default 10s)

Exit codes: 0 done; 1 there is no such stop to take back; 2 usage or settings; 3 the cluster does not answer.

Examples:
  onward notices list
  onward notices stop ops@example.org --connection demo/registry
  onward notices resume ops@example.org --all
  onward notices preview --out previews
`

export const verb: Verb = {
  name: 'notices',
  summary: 'see, stop, resume and preview the notices about failing connections',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      connection: { type: 'string' },
      project: { type: 'string' },
      all: { type: 'boolean' },
      json: { type: 'boolean' },
      out: { type: 'string' },
      templates: { type: 'string' },
      timeout: { type: 'string' },
    })
    const [what, argument, surplus] = positionals
    if (surplus !== undefined) throw new UsageError(`one at a time, and ${surplus} is one more`)
    const timeout = readTimeout(values.timeout, CLUSTER_TIMEOUT)
    if (what === 'preview') return previewNotices(argument, values.out, values.templates, systemClock.now(), terminal)
    if (what === undefined || !WHAT.some((known) => known === what)) {
      throw new UsageError(`say what: ${WHAT.join(', ')}${what === undefined ? '' : didYouMean(what, WHAT)}`)
    }
    const wish = what === 'list' ? undefined : { address: readAddress(what, argument), scope: readWish(values) }
    if (what === 'list' && argument !== undefined)
      throw new UsageError(`list takes nothing, and ${argument} is one more`)

    const settings = readSettings(environment())
    const topic = ownTopic(settings.topicPrefix, 'notices')
    const { kafka, within } = openBoundedCluster(settings.kafka, timeout)
    const remembered = await within(readNotices(kafka, topic, signal), signal)
    if (!wish) {
      terminal.stdout(
        values.json ? renderNoticesJson(remembered) : renderNotices(remembered, systemClock.now(), terminal),
      )
      return EXIT.done
    }
    const isStopped = remembered.stops.some(
      ({ address, scope }) => address === wish.address && renderScope(scope) === renderScope(wish.scope),
    )
    if (what === 'resume' && !isStopped) {
      terminal.stderr(`${wish.address} has no stop for ${renderScope(wish.scope)}: see onward notices list\n`)
      return EXIT.failed
    }
    const statement: NoticeStatement =
      what === 'stop'
        ? { kind: 'stop', stop: { ...wish, at: systemClock.now(), by: 'operator', why: '' } }
        : { kind: 'resume', ...wish }
    await using producer = await within(openProducer(kafka), signal)
    await within(producer.send(topic, [renderNoticeRecord(statement)]), signal)
    const words = what === 'stop' ? 'gets no more notices' : 'gets notices again'
    terminal.stdout(`${wish.address} ${words}: ${renderScope(wish.scope)}\n`)
    return EXIT.done
  },
}

function readAddress(what: string, address: string | undefined): string {
  if (address === undefined || address === '') throw new UsageError(`whose? onward notices ${what} ops@example.org …`)
  return address
}

function readWish(values: {
  readonly connection?: string | undefined
  readonly project?: string | undefined
  readonly all?: boolean | undefined
}): StopScope {
  const said = [values.connection, values.project, values.all].filter((value) => value !== undefined)
  if (said.length !== 1) throw new UsageError('say one of --connection C, --project P, --all')
  if (values.all !== undefined) return { kind: 'all' }
  const { project, connection = '' } = values
  const scope = readScope(project === undefined ? `connection/${connection}` : `project/${project}`)
  if (scope) return scope
  throw new UsageError(
    project === undefined
      ? `--connection takes <project>/<id>, not "${connection}"`
      : `--project takes a project, not "${project}"`,
  )
}
