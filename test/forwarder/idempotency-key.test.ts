import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idempotencyKey } from '../../services/forwarder/idempotency-key.ts'
import { repeaterId } from '../../services/shared/ids.ts'
import { demo, aSourceRecord } from '../support/changes.ts'

test('the key names the repeater and the record, in quotes, and nothing else', () => {
  const record = aSourceRecord({ topic: 'cases', partition: 3, offset: 42 })
  assert.equal(idempotencyKey(repeaterId(demo, 'patients'), record), '"demo/patients:cases:3:42"')
})

test('two records, or two repeaters, never share a key', () => {
  const keys = ['a', 'b'].flatMap((repeater) =>
    [1, 11].flatMap((partition) =>
      [1, 11].map((offset) =>
        idempotencyKey(repeaterId(demo, repeater), aSourceRecord({ topic: 'cases', partition, offset })),
      ),
    ),
  )
  assert.equal(new Set(keys).size, 8)
})
