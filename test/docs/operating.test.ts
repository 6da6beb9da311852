// The operator's tables against the code: metrics, log events, topics.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { ownTopics } from '../../services/shared/kafka/plan-topics.ts'
import { named, page, rows, section } from './documents.ts'

const operating = page('docs/operating.md')
const source = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8')
const services = (): string => globSync('services/**/*.ts', { cwd: REPOSITORY }).toSorted().map(source).join('\n')

test('the metrics of the page are those of the code, with their types and labels', () => {
  const code = services()
  const calls = code.matchAll(/\.(counter|gauge|histogram)\(\s*'(onward_\w+)',\s*(?:'[^']*'|"[^"]*"),\s*\[([^\]]*)\]/g)
  const opened = [...calls].map(([, type = '', name = '', labels = '']) => ({
    name,
    type,
    labels: [...labels.matchAll(/'(\w+)'/g)].map(([, label]) => label).join(', '),
  }))
  // A call that is written in another way must not slip through.
  const mentioned = new Set([...code.matchAll(/'(onward_\w+)'/g)].map(([, name]) => name))
  assert.deepEqual(opened.map(({ name }) => name).toSorted(), [...mentioned].toSorted())

  const told = rows(section(operating, '## Metrics')).map(([name, type = '', labels = '']) => ({
    name: named(name)[0] ?? '',
    type,
    labels,
  }))
  const byName = (left: { name: string }, right: { name: string }) => (left.name < right.name ? -1 : 1)
  assert.deepEqual(told.toSorted(byName), opened.toSorted(byName))
})

test('metrics that other documents name are those of the page', () => {
  const known = rows(section(operating, '## Metrics')).flatMap(([name]) => named(name))
  for (const path of [
    'README.md',
    'docs/architecture.md',
    'docs/failure-semantics.md',
    'docs/contract-publishers.md',
  ]) {
    for (const [name] of page(path).text.matchAll(/\bonward_\w+/g)) assert.ok(known.includes(name), `${path}: ${name}`)
  }
})

test('the log events of the page are those of the code', () => {
  const code = services()
  const told = rows(section(operating, '## Log')).flatMap(([events]) => named(events))
  const logged = [...code.matchAll(/\blog\??\.(?:debug|info|warn|error)\(\s*'([a-z-]+)'/g)].map(
    ([, event = '']) => event,
  )
  assert.ok(logged.length > 20, `only ${logged.length} calls were seen`)
  for (const event of logged) assert.ok(told.includes(event), `the page lacks ${event}`)
  for (const event of told) assert.ok(code.includes(`'${event}'`), `nothing logs ${event}`)
})

const retryTiers = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000]

test("Onward's own topics are all in the table of topics", () => {
  const told = rows(section(operating, '## Topics')).flatMap(([topics]) => named(topics))
  assert.deepEqual(
    told.filter((topic) => topic.startsWith('onward.')).toSorted(),
    ownTopics({ topicPrefix: 'onward.', retryTiers }).toSorted(),
  )
})
