// Connections, records and deliveries for tests of the forwarder: the defaults are dull, so that a test says only what it is about.
import { renderConfigRecord } from '../../services/shared/forwarding/config-record.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import type { Directory } from '../../services/shared/forwarding/directory.ts'
import type { Delivery, SourceRecord } from '../../services/forwarder/delivery.ts'
import { OffsetMap } from '../../services/forwarder/offset-map.ts'
import { PartitionTask, type SourceProgress } from '../../services/forwarder/partition-task.ts'
import { ReadMarks } from '../../services/forwarder/read-marks.ts'
import type { SourceKind } from '../../services/shared/change.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { caseId, connectionId, projectId, repeaterId } from '../../services/shared/ids.ts'
import type { FetchedRecord } from '../../services/shared/kafka/group.ts'

export const demo = projectId('demo')

export const aConnection = (overrides: Partial<Connection> = {}): Connection => ({
  id: connectionId(demo, 'remote'),
  project: demo,
  name: 'Remote',
  url: 'http://127.0.0.1:9/',
  auth: { type: 'none' },
  tls: null,
  signing: null,
  headers: {},
  notify: [],
  limits: { concurrency: 4, rate: null, timeout: 30_000 },
  schedule: [1_000, 10_000, 60_000],
  retryOn: [],
  rejectOn: [],
  successWhen: null,
  maxAge: 30 * 24 * 3_600_000,
  ...overrides,
})

/** Configuration as the topic would bring it. */
export function put(directory: Directory, ...definitions: readonly (Connection | Repeater)[]): void {
  for (const definition of definitions) {
    const { key, value } = renderConfigRecord(
      'url' in definition ? { kind: 'connection', connection: definition } : { kind: 'repeater', repeater: definition },
    )
    const applied = directory.apply({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) })
    if (applied.kind !== 'changed') throw new Error(`not configured: ${JSON.stringify(applied)}`)
  }
}

/** @param value text is its UTF-8 bytes */
export const aRecord = (
  offset: number,
  value: string | null,
  overrides: Partial<FetchedRecord> = {},
): FetchedRecord => ({
  key: Buffer.from('case-1'),
  value: value === null ? null : Buffer.from(value),
  offset: String(offset),
  timestamp: '1767323045000',
  ...overrides,
})

type CaseState = {
  readonly caseId?: string
  readonly caseType?: string
  readonly closed?: boolean
  readonly version?: number
}

/** A source value of `cases` as JSON. `version` is put where a receiver sees it. */
export const caseValue = ({
  caseId = 'case-1',
  caseType = 'patient',
  closed = false,
  version = 0,
}: CaseState = {}): string =>
  JSON.stringify({
    project: 'demo',
    case_id: caseId,
    case_type: caseType,
    case_name: 'Somebody',
    owner_id: 'owner',
    user_id: 'user',
    opened_on: '2026-01-01T00:00:00Z',
    date_modified: '2026-01-01T00:00:00Z',
    server_modified_on: '2026-01-01T00:00:00Z',
    closed,
    date_closed: closed ? '2026-01-01T00:00:00Z' : null,
    properties: { version: String(version) },
    indices: [],
    xform_ids: ['form-1'],
    attachments: {},
  })

/** A record as the hub holds it. */
export const aSourceRecord = (overrides: Partial<SourceRecord> = {}): SourceRecord => ({
  source: 'cases',
  topic: 'cases',
  partition: 0,
  offset: 0,
  base: 0,
  timestamp: 1_767_323_045_000,
  key: Buffer.from('case-1'),
  value: Buffer.from(caseValue()),
  traceparent: null,
  tracestate: null,
  entry: { offset: 0, complete: false },
  offsets: new OffsetMap(0, null),
  run: null,
  forced: false,
  heldBytes: 0,
  openDeliveries: 1,
  ...overrides,
})

/** All of it reserved, so that nothing waits for a commit. */
export const aSource = (kind: SourceKind, topic: string, partition = 0): SourceProgress => ({
  kind,
  base: 0,
  topic,
  partition,
  offsets: new OffsetMap(0, null),
  position: 0,
  highWatermark: 0,
  committed: null,
  lastTimestamp: null,
  horizon: 0,
  rereading: false,
  reserved: Infinity,
  unreserved: [],
  usualBytes: 1_000,
  readAt: 0,
  marks: new ReadMarks(),
  needsSchema: false,
})

/** Its lane is its own. */
export function aDelivery(record: SourceRecord, overrides: Partial<Delivery> = {}): Delivery {
  const lane = new PartitionTask(record.partition).lanes.laneOf(
    repeaterId(demo, 'all'),
    caseId('case-1'),
    aSource(record.source, record.topic),
  )
  return {
    record,
    project: demo,
    lane,
    replacesOlder: false,
    parked: false,
    waitsFor: null,
    attempts: 0,
    tries: 0,
    firstFailedAt: null,
    ...overrides,
  }
}
