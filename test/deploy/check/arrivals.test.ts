import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeArrivals } from '../../../deploy/check/compose/judge-arrivals.ts'

const line = (status: number, repeater: string, version: number) => {
  const target = ['in-order', 'newest'].includes(repeater) ? '/shaky' : '/elsewhere'
  return `← ${status}  POST  ${target}  "demo/${repeater}:cases:1:${version}"  attempt 1  268 bytes`
}
const tree = [1, 2, 3, 4, 5]
const WHOLE = [
  ...['forms', 'stubs', 'cases', 'apps'].map((repeater) => line(200, repeater, 0)),
  ...tree.map((version) => line(200, 'steady', version)),
  ...[line(503, 'in-order', 1), line(503, 'newest', 1), line(422, 'strict', 6)],
  ...tree.map((version) => line(200, 'in-order', version)),
  line(200, 'newest', 5),
]
const judge = (lines: readonly string[]) => judgeArrivals(['receiver listens', ...lines, ''].join('\n'), 1)

test('the whole demonstration is in order', () => {
  assert.deepEqual(judge(WHOLE), [])
})

for (const [what, lines, says] of [
  ['one is missing', WHOLE.filter((one) => one !== line(200, 'in-order', 3)), /in-order: 4 accepted, not 5/],
  ['one came twice', [...WHOLE, line(200, 'forms', 0)], /forms: version 0 was accepted after 0/],
  [
    'two came the wrong way round',
    WHOLE.toSpliced(4, 2, line(200, 'steady', 2), line(200, 'steady', 1)),
    /steady: version 1 was accepted after 2/,
  ],
  ['the newest state did not come', WHOLE.slice(0, -1), /newest: ends at version none, not at 5/],
  ['what is to be refused was not', WHOLE.filter((one) => !one.includes('strict')), /strict: refused 0 times, not 1/],
  ['what is to be refused was accepted', [...WHOLE, line(200, 'strict', 7)], /strict: 1 accepted, not 0/],
  ['nothing failed', WHOLE.filter((one) => !one.includes('503')), /shaky: never failed/],
  ['somebody else sends', [...WHOLE, line(200, 'strange', 1)], /strange: is no repeater/],
  ['a line is none', [...WHOLE, '← 200 POST'], /cannot be read: ← 200 POST/],
] as const) {
  test(`it is said when ${what}`, () => {
    assert.match(judge(lines).join('\n'), says)
  })
}
