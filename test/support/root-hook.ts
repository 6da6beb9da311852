// Fails a test file that leaves a timer, a socket or a server behind: a service that did so would not end.
// Imported for its effect by the helpers that open such things. An unhandled rejection fails a file by the runner's own rule.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { until } from './until.ts'

const LEAKS = new Set(['Timeout', 'TCPSocketWrap', 'TCPServerWrap', 'TLSWrap', 'TCPConnectWrap', 'GetAddrInfoReqWrap'])

const left = (): string[] => process.getActiveResourcesInfo().filter((kind) => LEAKS.has(kind))

after(async () => {
  // Sockets that were destroyed a moment ago close in a later turn.
  await until('everything that was opened is closed', () => left().length === 0).catch(() => undefined)
  assert.deepEqual(left(), [], 'left open at the end of the file')
})
