// The notifier's memory, read once. Enter: a client and the topic's name. Leave: what is in force.
import type { KafkaClient } from '../../shared/kafka/kafka.ts'
import { readTopic } from '../../shared/kafka/reader.ts'
import { readNoticeRecord, type ReadNotice } from '../../shared/notices/notice-record.ts'
import type { Box, ConnectionBook, Stop } from '../../shared/notices/notice.ts'

export type Remembered = {
  readonly books: readonly ConnectionBook[]
  readonly boxes: readonly Box[]
  readonly stops: readonly Stop[]
  /** Records that cannot be read, those of a later version among them. */
  readonly unreadable: number
}

/** @throws TopicError when there is no such topic */
export async function readNotices(kafka: KafkaClient, topic: string, signal: AbortSignal): Promise<Remembered> {
  const found = new Map<string, ReadNotice>()
  await readTopic(kafka, { topic, signal }, (record) => {
    const key = record.key?.toString('utf8') ?? ''
    found.delete(key)
    found.set(key, readNoticeRecord(record))
  })
  const all = [...found.values()]
  return {
    books: all.flatMap((read) => (read.kind === 'book' ? [read.book] : [])),
    boxes: all.flatMap((read) => (read.kind === 'box' ? [read.box] : [])),
    stops: all.flatMap((read) => (read.kind === 'stop' ? [read.stop] : [])),
    unreadable: all.filter(({ kind }) => kind === 'unreadable' || kind === 'newer').length,
  }
}
