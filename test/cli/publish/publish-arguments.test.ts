import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../../services/cli/arguments.ts'
import { readPublishArguments } from '../../../services/cli/publish/publish-arguments.ts'

const MISTAKES: readonly (readonly [line: string, says: RegExp])[] = [
  ['', /say what to publish: samples, forms, cases, apps/],
  ['smaples', /did you mean samples\?/],
  ['cases', /needs --file FILE, or --count N/],
  ['cases file.json', /"file\.json" is too much: a file is given with --file/],
  ['cases --file a.json --count 3', /exclude each other/],
  ['cases --file a.json --rate 5\/s', /--rate does nothing here/],
  ['cases --file a.json --form-id x', /--form-id does nothing here/],
  ['cases --count ten', /--count takes a whole number of at least 1, not "ten"/],
  ['cases --count 0', /--count takes a whole number of at least 1/],
  ['cases --count 1 --cases 1.5', /--cases takes a whole number/],
  ['cases --count 1 --rate 500', /--rate takes a rate such as 500\/s/],
  ['cases --count 1 --rate 0/s', /--rate takes a rate/],
  ['cases --count 1 --zipf -1', /./],
  ['cases --count 1 --zipf hot', /--zipf takes an exponent above 0/],
  ['cases --count 1 --format xml', /--format takes avro or json, not "xml"/],
  ['cases --count 1 --timeout 0s', /--timeout takes a duration/],
  ['cases --cuont 1', /there is no option --cuont \(did you mean --count\?\)/],
  ['forms --file a.xml --file b.xml --form-id x', /two forms have two ids/],
  ['forms --file a.xml --project p --project q', /one --project only/],
  ['apps', /needs --app-id/],
  ['samples --topic t', /--topic does nothing here/],
  ['samples --count 3', /--count does nothing here/],
]

for (const [line, says] of MISTAKES) {
  test(`"publish ${line}" is refused with what to write instead`, () => {
    const args = line === '' ? [] : line.split(' ')
    assert.throws(
      () => readPublishArguments(args),
      (error: unknown) => error instanceof UsageError && says.test(error.message),
    )
  })
}

test('a load has defaults for all but its count', () => {
  const { what, format, topic, timeout } = readPublishArguments(['cases', '--count', '1000'])
  assert.deepEqual(what, {
    kind: 'load',
    plan: { kind: 'cases', count: 1_000, cases: 100, projects: ['demo'], zipf: null, size: 1_024, seed: 1 },
    perSecond: null,
  })
  assert.deepEqual([format, topic, timeout], [null, null, 10_000])
})

test('a rate is changes a second, whatever it was written by', () => {
  const perSecond = (rate: string) => {
    const { what } = readPublishArguments(['forms', '--count', '1', '--rate', rate])
    return what.kind === 'load' && what.perSecond
  }
  assert.deepEqual([perSecond('500/s'), perSecond('3000/m'), perSecond('1800/h')], [500, 50, 0.5])
})
