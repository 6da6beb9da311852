// The notifier's metrics, by the names that dashboards and alerts know.
// The accounts close at any time: made + what waited at the start = told + suppressed + pending.
import type { Millis } from '../shared/clock.ts'
import type { SendOutcome } from '../shared/mail/send-outcome.ts'
import type { Metrics } from '../shared/metrics.ts'
import { NOTICE_KINDS, type Notice } from '../shared/notices/notice.ts'
import { wayOf } from '../shared/notices/way.ts'
import { SUPPRESSIONS, type Ledger } from './memory.ts'

const WAYS = ['mail', 'webhook'] as const satisfies readonly ReturnType<typeof wayOf>[]
const OUTCOMES = ['accepted', 'not-sent', 'unknown', 'refused'] as const satisfies readonly SendOutcome['kind'][]

export type NotifierMetrics = ReturnType<typeof openNotifierMetrics>

/** @param observed read when the metrics are scraped */
export function openNotifierMetrics(
  metrics: Metrics,
  observed: { readonly pending: () => number; readonly overdue: () => Millis; readonly active: () => boolean },
) {
  metrics.gauge('onward_notices_pending', 'Notices that wait to be told.', [], (gauge) => gauge.set(observed.pending()))
  metrics.gauge(
    'onward_notices_overdue_seconds',
    'How late the oldest notice is that should have been told.',
    [],
    (gauge) => gauge.set(observed.overdue() / 1_000),
  )
  metrics.gauge('onward_notifier_active', '1 on the member that works, 0 on those that stand by.', [], (gauge) =>
    gauge.set(observed.active() ? 1 : 0),
  )
  const made = metrics.counter('onward_notices_made_total', 'Notices, each counted once for each address it is for.', [
    'kind',
  ])
  const told = metrics.counter('onward_notices_total', 'Notices told.', ['kind', 'way'])
  const suppressed = metrics.counter('onward_notices_suppressed_total', 'Notices not told by themselves.', ['reason'])
  const mails = metrics.counter('onward_mails_total', 'Sends of a mail or to a webhook, by how they ended.', [
    'outcome',
  ])
  // A series that begins at 1 shows no growth: each begins at 0.
  for (const kind of NOTICE_KINDS) {
    made.inc({ kind }, 0)
    for (const way of WAYS) told.inc({ kind, way }, 0)
  }
  for (const reason of SUPPRESSIONS) suppressed.inc({ reason }, 0)
  for (const outcome of OUTCOMES) mails.inc({ outcome }, 0)
  const ledger: Ledger = {
    made: (notice) => made.inc({ kind: kindOf(notice) }),
    suppressed: (reason, count) => suppressed.inc({ reason }, count),
  }
  return {
    ledger,
    tell: (notice: Notice, address: string) => told.inc({ kind: kindOf(notice), way: wayOf(address) }),
    stops: metrics.counter('onward_notice_stops_total', 'Clicks that stopped notices, or took that back.', ['kind']),
    records: metrics.counter('onward_failure_records_total', 'Records of failing connections, by what was read.', [
      'result',
    ]),
    unreadableState: metrics.counter(
      'onward_notice_records_unreadable_total',
      'Records of its own memory that it could not read.',
      [],
    ),
    mails,
    lastSuccess: metrics.gauge(
      'onward_notifier_last_success_timestamp_seconds',
      'When a mail server or webhook last took one.',
      [],
    ),
  }
}

/** What is newest of it. */
const kindOf = ({ kinds }: Notice): string => kinds.at(-1) ?? 'failing'
