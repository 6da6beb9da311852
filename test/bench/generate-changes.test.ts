import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateChanges, type ChangePlan } from './generate-changes.ts'
import { renderBody } from './render-body.ts'

const plan: ChangePlan = { changes: 20_000, cases: 1_000, projects: 100, zipf: null, bytes: 1_024, seed: 7 }

test('the same seed makes the same load, another seed another', () => {
  const textOf = (seed: number) => JSON.stringify([...generateChanges({ ...plan, changes: 500, seed })])
  assert.equal(textOf(7), textOf(7))
  assert.notEqual(textOf(7), textOf(8))
})

test('the versions of a case count from 1 without a gap, and a case stays in its project', () => {
  const versions = new Map<string, number>()
  for (const { caseId, caseNumber, document } of generateChanges({ ...plan, zipf: 1.1 })) {
    const next = (versions.get(caseId) ?? 0) + 1
    versions.set(caseId, next)
    const { properties, project } = document as { properties: { version: string }; project: string }
    assert.equal(properties.version, String(next))
    assert.equal(Number(project.slice(1)), caseNumber % 100)
  }
})

test('a Zipf load of exponent 1.1 over 10,000 cases gives 15 % of its changes to the first case', () => {
  let first = 0
  for (const { caseNumber } of generateChanges({ ...plan, cases: 10_000, zipf: 1.1 })) if (caseNumber === 0) first += 1
  assert.ok(Math.abs(first / plan.changes - 0.15) < 0.01, `${first} of ${plan.changes}`)
})

test('a document is about as long as asked for, and the body that Onward sends for it names case and version first', () => {
  const [change] = generateChanges({ ...plan, changes: 1 })
  assert.ok(change)
  const length = JSON.stringify(change.document).length
  assert.ok(length > 974 && length < 1_074, `${length}`)
  const body = renderBody(change.document)
  assert.equal(/"case_id":"([^"]+)"/.exec(body)?.[1], change.caseId)
  assert.equal(/"version":"([^"]+)"/.exec(body)?.[1], '1')
})
