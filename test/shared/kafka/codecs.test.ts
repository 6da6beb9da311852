import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from '../../../services/shared/kafka/lz4-frame.ts'
import { compressSnappy, decompressSnappy } from '../../../services/shared/kafka/snappy-frame.ts'
import { kafkaGround } from '../../support/kafka-ground.ts'
import { holdsFor } from '../../support/property.ts'

const CODECS = {
  lz4: { compress: compressFrame, decompress: decompressFrame },
  snappy: { compress: compressSnappy, decompress: decompressSnappy },
}

/** Bytes that repeat and bytes that do not, of lengths about the codecs' own limits. */
const bytes = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.constantFrom(0, 1, 3, 100, 400, 3_000), fc.uint8Array())
  .map(([unit, times, tail]) => Buffer.concat([...Array.from({ length: times }, () => Buffer.from(unit)), tail]))

for (const [name, { compress, decompress }] of Object.entries(CODECS)) {
  test(`what ${name} compresses it decompresses to the same bytes`, (t) => {
    holdsFor(
      t,
      fc.property(bytes, (records) => {
        assert.ok(decompress(compress(records)).equals(records))
      }),
    )
  })

  test(`${name} holds bytes about the size of a block, of every kind`, () => {
    for (const length of [0, 1, 12, 13, 65_535, 65_536, 65_537, 200_000]) {
      const mixed = Buffer.from(Array.from({ length }, (_, index) => (index * index * 31 + (index >> 7)) & 0xff))
      for (const records of [Buffer.alloc(length), Buffer.alloc(length, 'abcabcd'), mixed]) {
        assert.ok(decompress(compress(records)).equals(records), `${length} bytes`)
      }
    }
  })

  test(`${name} that was cut is an error, and never other bytes`, () => {
    const records = Buffer.alloc(100_000, 'abcdefghijklmnop')
    const compressed = compress(records)
    for (let length = 1; length < compressed.length; length += 7) {
      let output: Buffer | undefined
      try {
        output = decompress(compressed.subarray(0, length))
      } catch {
        continue
      }
      assert.fail(`${length} of ${compressed.length} bytes gave ${output.length}`)
    }
  })
}

/** As Kafka's Java client 4.4.0 compressed it, with lz4-java 1.11.2 and snappy-java 1.1.10.7. */
const JAVA = {
  lz4:
    '04224d1860408240000000b17b22636173655f6964223a0a005d2d30227d2c15001f311500011f321500011f331500011f341500011f3515' +
    '00011f361500010f9300ffff8e502d34227d2c00000000',
  snappy:
    '82534e4150505900000000010000000100000058c806287b22636173655f6964223a050a102d30227d2c42150000314e150000324e150000' +
    '334e150000344e150000354e150000364e1500fe9300fe9300fe9300fe9300fe9300fe9300fe9300fe9300fe9300fe93008e9300',
}
const JAVA_RECORDS = Array.from({ length: 40 }, (_, index) => `{"case_id":"case-${index % 7}"},`).join('')

for (const name of ['lz4', 'snappy'] as const) {
  test(`the ${name} of the Java client is read`, () => {
    assert.equal(CODECS[name].decompress(Buffer.from(JAVA[name], 'hex')).toString(), JAVA_RECORDS)
  })
}

test('snappy without a frame, as librdkafka writes it, is read', () => {
  const framed = Buffer.from(JAVA.snappy, 'hex')
  assert.equal(decompressSnappy(framed.subarray(20)).toString(), JAVA_RECORDS)
})

test('an lz4 frame with block checksums, a content size and a content checksum is read', () => {
  // None of it is checked: the batch has a checksum of its own.
  const plain = Buffer.from(JAVA.lz4, 'hex')
  const block = plain.subarray(7, -4)
  const checksum = Buffer.alloc(4, 0xaa)
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(JAVA_RECORDS.length))
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x7c, 0x40])
  const frame = Buffer.concat([header, size, Buffer.from([0]), block, checksum, Buffer.alloc(4), checksum])
  assert.equal(decompressFrame(frame).toString(), JAVA_RECORDS)
})

const { CompressionTypes } = kafkajs
for (const name of ['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const) {
  test(`a batch that is compressed with ${name.toLowerCase()} passes the broker and is consumed`, async (t) => {
    const { kafka, createTopic } = await kafkaGround(t)
    const topic = await createTopic(1)
    const producer = kafka.producer()
    await producer.connect()
    t.after(() => producer.disconnect())
    const values = Array.from({ length: 500 }, (_, index) => `${index} ${'größe '.repeat(index % 60)}`)
    await producer.send({ topic, compression: CompressionTypes[name], messages: values.map((value) => ({ value })) })

    const consumer = kafka.consumer({ groupId: `test-${crypto.randomUUID()}` })
    await consumer.connect()
    t.after(() => consumer.disconnect())
    await consumer.subscribe({ topic, fromBeginning: true })
    const received: (string | undefined)[] = []
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      consumer
        .run({
          eachMessage: async ({ message }) => {
            if (received.push(message.value?.toString()) === values.length) resolve()
          },
        })
        .catch(reject)
    })
    assert.deepEqual(received, values)
  })
}
