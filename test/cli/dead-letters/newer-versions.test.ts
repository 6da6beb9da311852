import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deliveryOf } from '../../../services/cli/dead-letters/judge-letter.ts'
import { NewerVersions } from '../../../services/cli/dead-letters/newer-versions.ts'
import { caseId } from '../../../services/shared/ids.ts'
import { partitionOf } from '../../../services/shared/kafka/murmur2.ts'
import { baseAbove } from '../../../services/shared/kafka/version-base.ts'
import type { Repeater } from '../../../services/shared/forwarding/repeater.ts'
import { holdsFor } from '../../support/property.ts'
import { aCaseChange, aRepeater } from '../../forwarder/render-payload/changes.ts'
import { aCandidate } from './letters.ts'

const NONE: ReadonlySet<string> = new Set()
const at = (offset: number) => ({ topic: 'cases', partition: 0, base: 0, offset })
const aChange = (overrides: Parameters<typeof aCaseChange>[0] = {}) =>
  aCaseChange({ caseId: caseId('case-1'), ...overrides })

const judge = (
  repeater: Repeater,
  later: readonly (readonly [offset: number, change: ReturnType<typeof aChange> | null])[],
  planned = NONE,
): number | null => {
  const candidate = aCandidate({ repeater, sourceOffset: 7 })
  const newer = new NewerVersions([candidate])
  for (const [offset, change] of later) newer.note(at(offset), 'case-1', change)
  return newer.supersedes(candidate, planned)
}

const XML = aRepeater()
const CLOSE = aChange({ closed: true })

const TABLE: readonly {
  readonly title: string
  readonly repeater?: Repeater
  readonly later: Parameters<typeof judge>[1]
  readonly planned?: ReadonlySet<string>
  readonly by: number | null
}[] = [
  { title: 'nothing newer', later: [], by: null },
  { title: 'a newer full state', later: [[9, aChange()]], by: 9 },
  {
    title: 'the newest of several',
    later: [
      [9, aChange()],
      [12, aChange()],
      [11, aChange()],
    ],
    by: 12,
  },
  { title: 'an older one only', later: [[3, aChange()]], by: null },
  {
    title: 'a newer one that its filters leave out',
    later: [[9, aChange({ caseType: 'other' })]],
    repeater: aRepeater({ filters: { ...XML.filters, caseTypes: ['mscase'] } }),
    by: null,
  },
  { title: 'a newer one that cannot be read here', later: [[9, null]], by: 9 },
  { title: 'a close block that was sent already', later: [[9, CLOSE]], by: 9 },
  {
    title: 'a close block that is put back too',
    later: [[9, CLOSE]],
    planned: new Set([deliveryOf(XML.id, at(9))]),
    by: null,
  },
  {
    title: 'a full state before a close block that is put back too',
    later: [
      [8, aChange()],
      [9, CLOSE],
    ],
    planned: new Set([deliveryOf(XML.id, at(9))]),
    by: 9,
  },
  {
    title: 'a closed case that is sent in full',
    later: [[9, CLOSE]],
    repeater: aRepeater({ closedCase: 'full' }),
    planned: new Set([deliveryOf(XML.id, at(9))]),
    by: 9,
  },
  { title: 'a closed case as JSON', later: [[9, CLOSE]], repeater: aRepeater({ format: 'json' }), by: 9 },
  { title: 'a form', later: [[9, aChange()]], repeater: aRepeater({ forward: 'forms' }), by: null },
]

for (const { title, repeater = XML, later, planned = NONE, by } of TABLE) {
  test(`a letter with ${title} behind it is ${by === null ? 'put back' : 'superseded'}`, () => {
    assert.equal(judge(repeater, later, planned), by)
  })
}

test('only full states: the newest one of the case decides, whatever else is on the topic', (t) => {
  const records = fc.array(fc.record({ offset: fc.nat(30), caseNumber: fc.nat(2), partition: fc.nat(1) }), {
    maxLength: 30,
  })
  holdsFor(
    t,
    fc.property(records, fc.nat(30), (later, sourceOffset) => {
      const candidate = aCandidate({ sourceOffset })
      const newer = new NewerVersions([candidate, aCandidate({ caseId: 'case-2', sourceOffset: 3 })])
      for (const { offset, caseNumber, partition } of later) {
        const id = `case-${caseNumber}`
        newer.note({ topic: 'cases', partition, offset }, id, aChange({ caseId: caseId(id) }))
      }
      const ours = later.filter(({ caseNumber, partition }) => caseNumber === 1 && partition === 0)
      const newest = Math.max(-1, ...ours.map(({ offset }) => offset))
      assert.equal(newer.supersedes(candidate, NONE), newest > sourceOffset ? newest : null)
    }),
  )
})

test('a topic is read from behind its oldest letter, by partition, and only what has a letter’s key or case', () => {
  const newer = new NewerVersions([
    aCandidate({ sourceOffset: 9 }),
    { ...aCandidate({ sourceOffset: 4, caseId: 'case-2' }), sourceKey: 'its-key' },
    aCandidate({ partition: 1, sourceOffset: 20 }),
    aCandidate({ sourceOffset: 1, repeater: aRepeater({ forward: 'forms' }) }),
  ])
  assert.deepEqual(
    newer.from,
    new Map([
      [
        'cases',
        new Map([
          [0, 5],
          [1, 21],
        ]),
      ],
    ]),
  )
  const concerned = ['case-1', 'case-2', 'its-key', 'case-3'].filter((key) => newer.concerns(Buffer.from(key)))
  assert.deepEqual(concerned, ['case-1', 'case-2', 'its-key'])
  assert.equal(newer.concerns(null), false)
})

test('a letter of a topic that was made anew is older than all that the topic has now, which is read from its beginning', () => {
  const base = baseAbove([0])
  const before = aCandidate({ sourceOffset: 7 })
  const now = aCandidate({ sourceOffset: 7, base, caseId: 'case-2' })
  const newer = new NewerVersions([before, now], () => [base])
  assert.deepEqual(newer.from, new Map([['cases', new Map([[0, 0]])]]))
  newer.note(at(2), 'case-1', aChange())
  newer.note(at(2), 'case-2', aChange({ caseId: caseId('case-2') }))
  assert.equal(newer.supersedes(before, NONE), 2)
  assert.equal(newer.supersedes(now, NONE), null)
})

test('a letter of a case that moved to an added partition is older than what is there', () => {
  const bases = [0, 0, baseAbove([0]), baseAbove([0])]
  const moved = Array.from({ length: 50 }, (_, index) => `case-${index}`).find(
    (id) => partitionOf(Buffer.from(id), 4) === 2,
  )
  assert(moved !== undefined)
  const candidate = aCandidate({ sourceOffset: 7, caseId: moved })
  const newer = new NewerVersions([candidate], () => bases)
  assert.deepEqual(
    newer.from.get('cases'),
    new Map([
      [0, 8],
      [2, 0],
    ]),
  )
  newer.note({ ...at(3), partition: 3 }, moved, aChange({ caseId: caseId(moved) }))
  assert.equal(newer.supersedes(candidate, NONE), null, 'of a case with the same id there is nothing elsewhere')
  newer.note({ ...at(3), partition: 2 }, moved, aChange({ caseId: caseId(moved) }))
  assert.equal(newer.supersedes(candidate, NONE), 3)
})
