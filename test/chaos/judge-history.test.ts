// The checker of the chaos run can fail: each kind of fault in a history is found, and a history without one is clean.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeHistory, type Published, type Request, type Rule } from './judge-history.ts'

const every: Rule = { repeater: 'demo/every', topic: 'cases', replaces: () => false }
const latest: Rule = { repeater: 'demo/latest', topic: 'cases', replaces: ({ closed }) => !closed }

const change = (offset: number, closed = false): Published => ({
  topic: 'cases',
  partition: 0,
  offset,
  caseId: 'c1',
  closed,
})
const place = ({ repeater }: Rule, offset: number) => ({ repeater, topic: 'cases', partition: 0, offset })
const asked = (rule: Rule, offset: number, more: Partial<Request> = {}): Request => ({
  ...place(rule, offset),
  caseId: 'c1',
  version: offset,
  accepted: true,
  at: 0,
  endedAt: null,
  ...more,
})
const THREE = [change(0), change(1), change(2)]

type Row = {
  readonly history: string
  readonly rule: Rule
  readonly published?: readonly Published[]
  readonly asked: readonly Request[]
  readonly dead?: readonly number[]
  readonly found: readonly string[]
}
const refused = { accepted: false }
const TABLE: readonly Row[] = [
  { history: 'in order', rule: every, asked: [0, 1, 2].map((offset) => asked(every, offset)), found: [] },
  { history: 'one left out', rule: every, asked: [asked(every, 0), asked(every, 2)], found: ['missing'] },
  { history: 'one left out and dead', rule: every, asked: [asked(every, 0), asked(every, 2)], dead: [1], found: [] },
  {
    history: 'one only refused',
    rule: every,
    asked: [0, 1, 2].map((at) => asked(every, at, { accepted: at !== 1 })),
    found: ['missing'],
  },
  { history: 'two changed places', rule: every, asked: [0, 2, 1, 2].map((at) => asked(every, at)), found: ['order'] },
  {
    history: 'an older one again at the end',
    rule: every,
    asked: [0, 1, 2, 1].map((at) => asked(every, at)),
    found: ['last'],
  },
  {
    history: 'repeated, and the newest last',
    rule: every,
    asked: [0, 1, 2, 1, 2].map((at) => asked(every, at)),
    found: [],
  },
  { history: 'the newest for all', rule: latest, asked: [asked(latest, 2)], found: [] },
  {
    history: 'the newest refused',
    rule: latest,
    asked: [asked(latest, 2, refused)],
    found: ['missing', 'missing', 'missing'],
  },
  { history: 'the newest dead', rule: latest, asked: [asked(latest, 2, refused)], dead: [2], found: [] },
  {
    history: 'an old one after the newest',
    rule: latest,
    asked: [asked(latest, 2), asked(latest, 0)],
    found: ['order', 'last'],
  },
  {
    history: 'only the close block',
    rule: latest,
    published: [change(0), change(1, true)],
    asked: [asked(latest, 1)],
    found: ['missing'],
  },
  {
    history: 'two at once',
    rule: every,
    asked: [0, 1, 2].map((offset) =>
      asked(every, offset, { at: 10 * offset, endedAt: 10 * offset + (offset === 1 ? 11 : 9) }),
    ),
    found: ['together'],
  },
  { history: 'what nobody published', rule: every, published: [], asked: [asked(every, 7)], found: ['unknown'] },
  {
    history: 'another case than the record',
    rule: every,
    published: [change(0)],
    asked: [asked(every, 0), asked(every, 0, { caseId: 'c2' })],
    found: ['unknown'],
  },
  {
    history: 'another version',
    rule: every,
    published: [change(0)],
    asked: [asked(every, 0, { version: 5 })],
    found: ['unknown'],
  },
]

for (const { history, rule, published = THREE, asked: requests, dead = [], found } of TABLE) {
  test(`a history is judged: ${history}`, () => {
    const deadLetters = dead.map((offset) => place(rule, offset))
    const { violations } = judgeHistory({ rules: [rule], published, requests, deadLetters })
    assert.deepEqual(violations.map(({ kind }) => kind).toSorted(), [...found].toSorted())
  })
}

test('what came again after it was accepted is counted, and nothing else', () => {
  const requests = [asked(every, 0, refused), asked(every, 0), asked(every, 0), asked(every, 1), asked(every, 2)]
  const { figures } = judgeHistory({ rules: [every], published: THREE, requests, deadLetters: [] })
  assert.deepEqual(figures, {
    expected: 3,
    delivered: 3,
    superseded: 0,
    dead: 0,
    missing: 0,
    requests: 5,
    duplicates: 1,
  })
})
