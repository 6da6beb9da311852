// One case, three publishers: each must put it in the same partition, or its changes lose their order.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { readTopic } from '../../services/shared/kafka/reader.ts'
import { kafkaGround } from '../support/kafka-ground.ts'
import { seedOf } from '../support/property.ts'
import { runOnward } from '../support/run-onward.ts'
import { caseDocument } from './guide-samples.ts'
import { kcatProduces, runPython } from './run-program.ts'

/** Of no power of two, so that every bit of the hash counts. */
const PARTITIONS = 13
const KEYS = 200
const LAUNCHER = fileURLToPath(new URL('../../services/cli/onward.mjs', import.meta.url))

/** In any script; without what kcat's own line format takes for itself. */
const keys = fc
  .oneof(
    fc.uuid(),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 24 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 24 }),
    fc.constantFrom('Ọlá', 'ครู', 'пациент-7', '患者', '😀', ' '),
  )
  .filter((key) => key.isWellFormed() && !/[|\n\r\0]/.test(key))

test('a case lies in one partition, whether kcat, a Python client or onward publish sends its changes', async (t) => {
  const seed = seedOf(t)
  const [caseIds = []] = fc.sample(fc.uniqueArray(keys, { minLength: KEYS, maxLength: KEYS }), { seed, numRuns: 1 })
  const { brokers, kafka, createTopic } = await kafkaGround(t)
  const topic = await createTopic(PARTITIONS)

  const records = (publisher: string) =>
    caseIds.map(
      (caseId) => [caseId, JSON.stringify({ ...caseDocument, case_id: caseId, case_name: publisher })] as const,
    )
  await kcatProduces({ brokers, topic }, records('kcat'))
  await runPython('publish_json.py', { brokers: brokers.join(','), topic, records: records('python') })
  const folder = await mkdtemp(join(tmpdir(), 'onward-partitions-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'cases.json')
  await writeFile(file, JSON.stringify(records('onward').map(([, document]) => JSON.parse(document) as unknown)))
  const { code, stderr } = await runOnward(
    ['publish', 'cases', '--file', file, '--format', 'json', '--topic', topic],
    { KAFKA_BROKERS: brokers.join(',') },
    undefined,
    LAUNCHER,
  )
  assert.equal(code, 0, stderr)

  const found = new Map<string, { partition: number; publisher: unknown }[]>()
  await readTopic(kafka, { topic, signal: t.signal }, ({ key, value, partition }) => {
    const document = JSON.parse(String(value)) as { readonly case_id: string; readonly case_name: string }
    assert.equal(String(key), document.case_id, 'the record key is the case id, as UTF-8')
    found.set(document.case_id, [...(found.get(document.case_id) ?? []), { partition, publisher: document.case_name }])
  })
  assert.equal(found.size, KEYS)
  for (const [caseId, places] of found) {
    assert.deepEqual(places.map(({ publisher }) => publisher).toSorted(), ['kcat', 'onward', 'python'])
    assert.equal(new Set(places.map(({ partition }) => partition)).size, 1, `${JSON.stringify(caseId)}: seed ${seed}`)
  }
  const used = new Set([...found.values()].map(([first]) => first?.partition))
  assert.equal(used.size, PARTITIONS, 'the keys reach every partition')
})
