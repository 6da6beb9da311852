// The configuration in force, read once. Enter: a client and the topic's name. Leave: a directory, or an error with the line to run.
import { Directory } from '../shared/forwarding/directory.ts'
import type { KafkaClient } from '../shared/kafka/kafka.ts'
import { readTopic, TopicError } from '../shared/kafka/reader.ts'

class ConfigTopicError extends Error {
  override readonly name = 'ConfigTopicError'
  readonly code = 'CONFIG_TOPIC_MISSING'
}

/** @throws ConfigTopicError when the topic does not exist */
export async function readDirectory(kafka: KafkaClient, topic: string, signal: AbortSignal): Promise<Directory> {
  const directory = new Directory()
  try {
    await readTopic(kafka, { topic, signal }, (record) => void directory.apply(record))
  } catch (error) {
    if (!(error instanceof TopicError)) throw error
    throw new ConfigTopicError(`there is no topic ${topic}: create it with npx onward topics`)
  }
  return directory
}
