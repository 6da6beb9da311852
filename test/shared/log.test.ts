import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLog } from '../../services/shared/log.ts'
import { manualClock } from '../support/clock.ts'

test('a line is one JSON object: instant, level, service and event, then the fields that are there', (t) => {
  let written = ''
  const stream = { write: (text: string) => (written += text) }
  const log = openLog(stream, 'info', 'forwarder', manualClock(t))
  log.info('attempted', { case: 'a "case"\n', status: 200, error: undefined })
  log.info('alone')
  log.debug('not-asked-for')
  log[Symbol.dispose]()
  const lines = written.trimEnd().split('\n')
  const [first = '', second = ''] = lines
  assert.equal(lines.length, 2)
  const { at, ...rest } = JSON.parse(first) as Record<string, unknown>
  assert.match(String(at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(rest, {
    level: 'info',
    service: 'forwarder',
    event: 'attempted',
    case: 'a "case"\n',
    status: 200,
  })
  assert.deepEqual(Object.keys(JSON.parse(second) as object), ['at', 'level', 'service', 'event'])
})
