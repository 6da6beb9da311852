import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readClaim, renderClaim } from '../../../services/shared/kafka/co-partition-assigner.ts'
import { holdsFor } from '../../support/property.ts'

const numbers = fc.uniqueArray(fc.nat(100_000), { maxLength: 100 })

test('a claim is read as it was told', (t) => {
  holdsFor(
    t,
    fc.property(fc.nat(), numbers, fc.boolean(), fc.boolean(), (generation, claimed, works, leaves) => {
      const claim = { generation, numbers: claimed, works, leaves }
      assert.deepEqual(readClaim(renderClaim(claim)), claim)
    }),
  )
  assert.equal(readClaim(renderClaim(null)), null)
})

test('what a later version may tell beside is passed over', () => {
  const told = '{"version":1,"generation":2,"numbers":[1],"works":true,"leaves":false,"rack":"b"}'
  assert.deepEqual(readClaim(Buffer.from(told)), { generation: 2, numbers: [1], works: true, leaves: false })
})

test('user data that is none of ours claims nothing', () => {
  const garbage = [
    '',
    'null',
    '[]',
    '7',
    '{',
    '{}',
    '\u0000\u0001',
    '{"version":2,"generation":1,"numbers":[1],"works":true,"leaves":false}',
    '{"generation":1,"numbers":[1],"works":true,"leaves":false}',
    '{"version":1,"numbers":[1],"works":true,"leaves":false}',
    '{"version":1,"generation":"1","numbers":[1],"works":true,"leaves":false}',
    '{"version":1,"generation":-1,"numbers":[1],"works":true,"leaves":false}',
    '{"version":1,"generation":1,"works":true,"leaves":false}',
    '{"version":1,"generation":1,"numbers":"1","works":true,"leaves":false}',
    '{"version":1,"generation":1,"numbers":[1.5],"works":true,"leaves":false}',
    '{"version":1,"generation":1,"numbers":[-1],"works":true,"leaves":false}',
    '{"version":1,"generation":1,"numbers":[null],"works":true,"leaves":false}',
    '{"version":1,"generation":1,"numbers":["1"],"works":true,"leaves":false}',
    '{"version":1,"generation":1,"numbers":[1],"leaves":false}',
    '{"version":1,"generation":1,"numbers":[1],"works":1,"leaves":false}',
    '{"version":1,"generation":1,"numbers":[1],"works":true}',
  ]
  for (const text of garbage) assert.equal(readClaim(Buffer.from(text)), null, text)
  assert.equal(readClaim(null), null)
})

test('no bytes make it throw', (t) => {
  holdsFor(
    t,
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      assert.equal(readClaim(Buffer.from(bytes)), null)
    }),
  )
})
