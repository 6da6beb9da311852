import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { readTopic } from '../../services/shared/kafka/reader.ts'
import { kafkaGround } from '../support/kafka-ground.ts'

/** @param codec as kcat calls it */
function kcatProduces(
  brokers: readonly string[],
  topic: string,
  codec: string,
  lines: readonly string[],
): Promise<void> {
  const child = spawn(
    'kcat',
    ['-P', '-b', brokers.join(','), '-t', topic, '-p', '0', '-z', codec, '-X', 'linger.ms=200'],
    {
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  )
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdin.end(lines.map((line) => `${line}\n`).join(''))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`kcat ended with ${code ?? 'a signal'}: ${errors}`)),
    )
  })
}

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`records that kcat compresses with ${codec} are read to the byte`, async (t) => {
    const { kafka, brokers, createTopic } = await kafkaGround(t)
    const topic = await createTopic(1)
    const lines = Array.from({ length: 2_000 }, (_, index) => `${index} ${'abcdefghij'.repeat(index % 80)} größe`)
    await kcatProduces(brokers, topic, codec, lines)
    const received: (string | undefined)[] = []
    await readTopic(kafka, { topic, signal: AbortSignal.timeout(30_000) }, (record) => {
      received.push(record.value?.toString())
    })
    assert.deepEqual(received, lines)
  })
}
