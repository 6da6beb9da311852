// The notifier's memory in `onward.notices`. Enter: statements to write. Leave: what lies there, read to its end, and what others
// (the command line, the page of another member) write after. Never: a write that is not acknowledged by every in-sync replica.
import type { Clock, Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { KafkaClient } from '../shared/kafka/kafka.ts'
import type { Producer } from '../shared/kafka/producer.ts'
import { followTopic } from '../shared/kafka/reader.ts'
import type { Log } from '../shared/log.ts'
import {
  readNoticeRecord,
  renderNoticeRecord,
  type NoticeStatement,
  type ReadNotice,
} from '../shared/notices/notice-record.ts'

export type NoticeStore = {
  /**
   * Hands over every statement that is in force, then each that comes.
   * @returns once the end was reached
   * @throws NewerNoticesError when a later version wrote there; also when the signal aborts before
   */
  read(onStatement: (statement: NoticeStatement, isNew: boolean) => void, signal: AbortSignal): Promise<void>
  /** Resolves when all are acknowledged, or the signal aborts; what the cluster refuses is asked for again. */
  write(statements: readonly NoticeStatement[], signal: AbortSignal): Promise<void>
}

/** To go on without what only a later version can read would lose mails, and overwrite what it holds. */
class NewerNoticesError extends Error {
  override readonly name = 'NewerNoticesError'
  readonly code = 'NOTICES_NEWER'

  constructor(topic: string, key: string, version: number) {
    super(`${topic} holds a record of a later version of Onward (${key}, version ${version}): start that version again`)
  }
}

/** Between tries when the cluster refuses for good (a missing topic, a missing right): somebody has to mend it. */
const REFUSED_AGAIN_AFTER: Millis = 5_000

type Options = {
  readonly kafka: KafkaClient
  readonly producer: Producer
  readonly topic: string
  readonly clock: Clock
  readonly log: Log
  readonly onUnreadable: () => void
}

export function openNoticeStore({ kafka, producer, topic, clock, log, onUnreadable }: Options): NoticeStore {
  return {
    async read(onStatement, signal) {
      // Compaction leaves older records of a key for a while: only the newest counts.
      const found = new Map<string, Exclude<ReadNotice, { kind: 'unreadable' }>>()
      let reading = true
      const following = await followTopic(kafka, { topic, log, signal }, (records) => {
        for (const record of records) {
          const read = readNoticeRecord(record)
          if (read.kind === 'unreadable') {
            log.error('notice-record-unreadable', { key: read.key, offset: record.offset, reason: read.why })
            onUnreadable()
          } else if (reading) found.set(record.key?.toString('utf8') ?? '', read)
          // A later version that has taken over meanwhile: what it writes is none of this member's business.
          else if (read.kind !== 'gone' && read.kind !== 'newer') onStatement(read, true)
        }
      })
      await following.caughtUp
      reading = false
      for (const read of found.values())
        if (read.kind === 'newer') throw new NewerNoticesError(topic, read.key, read.version)
      for (const read of found.values()) if (read.kind !== 'gone' && read.kind !== 'newer') onStatement(read, false)
    },
    async write(statements, signal) {
      const records = statements.map(renderNoticeRecord)
      while (!signal.aborted) {
        try {
          await producer.send(topic, records)
          return
        } catch (error) {
          log.error('notices-refused', { topic, records: records.length, error: errorText(error) })
          await clock.sleep(REFUSED_AGAIN_AFTER, signal)
        }
      }
    },
  }
}
