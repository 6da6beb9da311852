import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generateLoad, type GeneratedChange, type LoadPlan } from '../../../services/cli/publish/generate-load.ts'
import { firstCaseId, instanceId, rootXmlns } from '../../../services/cli/publish/glance-at-form.ts'
import { renderWireDocument } from '../../../services/shared/wire/render-document.ts'
import { readDocument } from '../../../services/shared/wire/read-document.ts'
import { holdsFor } from '../../support/property.ts'

const PLAN: LoadPlan = { kind: 'cases', count: 500, cases: 50, projects: ['demo'], zipf: null, size: 1_024, seed: 7 }

const anyPlan: fc.Arbitrary<LoadPlan> = fc.record({
  kind: fc.constantFrom('cases' as const, 'forms' as const),
  count: fc.integer({ min: 0, max: 300 }),
  cases: fc.integer({ min: 1, max: 40 }),
  projects: fc.constantFrom(['demo'], ['p0', 'p1', 'p2']),
  zipf: fc.constantFrom(null, 0.5, 1.1, 3),
  size: fc.integer({ min: 1, max: 2_000 }),
  seed: fc.integer({ min: 0, max: 0xffffffff }),
})

const instantOf = ({ change }: GeneratedChange): number =>
  change.kind === 'case' ? change.dateModified : change.receivedOn

test('the same plan gives the same load, and another seed other cases', () => {
  const ids = (seed: number) => [...generateLoad({ ...PLAN, seed })].map(({ caseId }) => caseId)
  assert.deepEqual([...generateLoad(PLAN)], [...generateLoad(PLAN)])
  const others = new Set(ids(8))
  assert.ok(ids(7).every((id) => !others.has(id)))
})

test('each case’s changes count 1, 2, 3, … and their instants rise', (t) => {
  holdsFor(
    t,
    fc.property(anyPlan, (plan) => {
      const load = [...generateLoad(plan)]
      assert.equal(load.length, plan.count)
      for (const changes of Map.groupBy(load, ({ caseId }) => caseId).values()) {
        assert.deepEqual(
          changes.map(({ version }) => version),
          changes.map((_, index) => index + 1),
        )
        const instants = changes.map(instantOf)
        assert.ok(instants.every((at, index) => index === 0 || at > (instants[index - 1] ?? Infinity)))
      }
    }),
    100,
  )
})

test('a case carries its version as a property, a form in its case block', () => {
  for (const { change, version } of generateLoad(PLAN)) {
    assert.equal(change.kind === 'case' && change.properties['version'], String(version))
  }
  for (const { change, version } of generateLoad({ ...PLAN, kind: 'forms' })) {
    assert.ok(change.kind === 'form' && change.xml.includes(`<update><version>${version}</version></update>`))
  }
})

test('every change is one that a reader accepts', (t) => {
  holdsFor(
    t,
    fc.property(anyPlan, (plan) => {
      for (const { change } of generateLoad(plan)) {
        assert.deepEqual(readDocument(plan.kind, renderWireDocument(change)), change)
      }
    }),
    50,
  )
})

test('no form has the id of another, and its document names its case and itself', () => {
  const forms = [...generateLoad({ ...PLAN, kind: 'forms' })]
  const ids = new Set<string>()
  for (const { change, caseId } of forms) {
    assert.ok(change.kind === 'form')
    ids.add(change.formId)
    const xml = change.xml.toString()
    assert.deepEqual([firstCaseId(xml), instanceId(xml), rootXmlns(xml)], [caseId, change.formId, change.xmlns])
  }
  assert.equal(ids.size, forms.length)
})

test('a change has about the size that is asked for', () => {
  for (const size of [1_024, 20_000]) {
    for (const { change } of generateLoad({ ...PLAN, size, count: 20 })) {
      const bytes = Buffer.byteLength(JSON.stringify(renderWireDocument(change)))
      assert.ok(Math.abs(bytes - size) < 100, `${bytes} bytes instead of ${size}`)
    }
    for (const { change } of generateLoad({ ...PLAN, kind: 'forms', size, count: 20 })) {
      assert.ok(change.kind === 'form' && Math.abs(change.xml.length - size) < 200)
    }
  }
})

test('several projects share the cases, and a case stays in its project', () => {
  const load = [...generateLoad({ ...PLAN, projects: ['p0', 'p1', 'p2'] })]
  for (const { change, caseNumber } of load) assert.equal(change.project, `p${caseNumber % 3}`)
})

test('with a Zipf exponent the first case is hot: as much as its weight says', () => {
  const load = [...generateLoad({ ...PLAN, count: 50_000, cases: 10_000, zipf: 1.1, size: 1 })]
  const first = load.filter(({ caseNumber }) => caseNumber === 0).length / load.length
  let weights = 0
  for (let rank = 1; rank <= 10_000; rank++) weights += rank ** -1.1
  assert.ok(Math.abs(first - 1 / weights) < 0.01, `${first} instead of ${1 / weights}`)
})

test('without one all cases are alike', () => {
  const counts = new Map<number, number>()
  for (const { caseNumber } of generateLoad({ ...PLAN, count: 50_000, cases: 10, size: 1 })) {
    counts.set(caseNumber, (counts.get(caseNumber) ?? 0) + 1)
  }
  assert.equal(counts.size, 10)
  for (const count of counts.values()) assert.ok(Math.abs(count - 5_000) < 400)
})
