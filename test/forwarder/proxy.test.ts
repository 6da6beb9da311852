import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isExcepted, readProxy } from '../../services/forwarder/proxy.ts'

for (const [except, host, port, is] of [
  ['internal.example', 'internal.example', 80, true],
  ['internal.example', 'a.internal.example', 443, true],
  ['.internal.example', 'a.internal.example', 443, true],
  ['*.internal.example', 'A.Internal.Example.', 443, true],
  ['internal.example', 'notinternal.example', 80, false],
  ['internal.example:8080', 'internal.example', 8080, true],
  ['internal.example:8080', 'internal.example', 80, false],
  ['10.0.0.0/8', '10.1.2.3', 80, true],
  ['10.0.0.0/8', '11.1.2.3', 80, false],
  ['10.0.0.0/8', 'ten.example', 80, false],
  ['::1', '::1', 80, true],
  ['fd00::/8', 'fd12::1', 80, true],
  ['127.0.0.1', '127.0.0.1', 80, true],
  ['*', 'anything.example', 1, true],
  ['', 'anything.example', 1, false],
] as const) {
  test(`NO_PROXY=${except} ${is ? 'takes out' : 'says nothing of'} ${host}:${port}`, () => {
    assert.equal(isExcepted(readProxy('http://proxy.example', [except]), host, port), is)
  })
}

test('a proxy is read with its port and its credentials', () => {
  assert.deepEqual(readProxy('http://u:p%40@[fd00::1]:3128', []), {
    encrypted: false,
    host: 'fd00::1',
    port: 3128,
    credentials: 'u:p@',
    except: [],
  })
  assert.deepEqual(readProxy('https://proxy.example', ['a']), {
    encrypted: true,
    host: 'proxy.example',
    port: 443,
    credentials: null,
    except: ['a'],
  })
})
