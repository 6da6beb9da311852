import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChangeFileError, readCaseFile } from '../../../services/cli/publish/read-case-file.ts'

const aCase = (caseId: string, more: object = {}) => ({
  project: 'demo',
  case_id: caseId,
  case_type: 'patient',
  case_name: 'Ada',
  owner_id: 'o',
  user_id: 'u',
  opened_on: '2025-01-01T00:00:00Z',
  date_modified: '2025-01-01T00:00:00Z',
  server_modified_on: '2025-01-01T00:00:00Z',
  closed: false,
  ...more,
})
const idsIn = (text: string) =>
  readCaseFile(text, 'cases.json').map((change) => change.kind === 'case' && change.caseId)

test('a file holds one change, an array of changes, or one a line', () => {
  assert.deepEqual(idsIn(JSON.stringify(aCase('c1'), null, 2)), ['c1'])
  assert.deepEqual(idsIn(JSON.stringify([aCase('c1'), aCase('c2')])), ['c1', 'c2'])
  assert.deepEqual(idsIn(`${JSON.stringify(aCase('c1'))}\n\n${JSON.stringify(aCase('c2'))}\n`), ['c1', 'c2'])
})

const MISTAKES: readonly (readonly [title: string, text: string, says: RegExp])[] = [
  ['an empty file', '', /cases\.json holds no change/],
  ['an empty array', '[]', /cases\.json holds no change/],
  ['a file that is no JSON', '{ "project": demo }', /cases\.json is not JSON: /],
  ['a broken line', `${JSON.stringify(aCase('c1'))}\n{"x"\n`, /cases\.json line 2 is not JSON/],
  ['a missing field', JSON.stringify(aCase('c1', { case_name: undefined })), /cases\.json: case_name is missing/],
  [
    'a wrong one in an array',
    JSON.stringify([aCase('c1'), aCase('c2', { closed: 'no' })]),
    /cases\.json, change 2: closed /,
  ],
  [
    'a wrong one on a line',
    `${JSON.stringify(aCase('c1'))}\n${JSON.stringify(aCase('c2', { opened_on: 'today' }))}`,
    /line 2: opened_on/,
  ],
]

for (const [title, text, says] of MISTAKES) {
  test(`${title} is refused with its place`, () => {
    assert.throws(
      () => readCaseFile(text, 'cases.json'),
      (error: unknown) => error instanceof ChangeFileError && says.test(error.message),
    )
  })
}
