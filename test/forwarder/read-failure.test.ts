import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFailure } from '../../services/forwarder/read-failure.ts'

const failure = (code: string, message = 'it failed') => Object.assign(new Error(message), { code })

const UNREACHABLE = [
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EPROTO',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]
for (const code of UNREACHABLE) {
  test(`${code} means that the remote saw nothing`, () => {
    const outcome = readFailure(failure(code))
    assert(outcome.kind === 'unreachable')
    // Advice may follow.
    assert(outcome.error.startsWith(`${code}: it failed`), outcome.error)
  })
}

for (const code of [
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'HPE_INVALID_CONSTANT',
  '',
]) {
  test(`${code === '' ? 'an error without a code' : code} means that the remote may have seen the request`, () => {
    assert.equal(readFailure(failure(code)).kind, 'broken')
  })
}

test('a request that the HTTP client would not send is our own trouble', () => {
  assert.equal(readFailure(failure('UND_ERR_INVALID_ARG', 'invalid X-Key header')).kind, 'unsendable')
})

test('a refusal of the address guard keeps its own words', () => {
  assert.deepEqual(readFailure(failure('ADDRESS_NOT_ALLOWED', 'x is at 127.0.0.1')), {
    kind: 'address-not-allowed',
    error: 'x is at 127.0.0.1',
  })
})

test('of several addresses that failed the first one speaks', () => {
  const both = new AggregateError([
    failure('ECONNREFUSED', 'connect ECONNREFUSED ::1:9'),
    failure('ECONNREFUSED', 'other'),
  ])
  assert.deepEqual(readFailure(Object.assign(both, { code: 'ECONNREFUSED' })), {
    kind: 'unreachable',
    error: 'connect ECONNREFUSED ::1:9',
  })
})

for (const [code, advice] of [
  ['SELF_SIGNED_CERT_IN_CHAIN', /put its certificate into the connection's tls: ca$/],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /put its certificate into the connection's tls: ca$/],
  ['CERT_HAS_EXPIRED', /the remote API must renew it$/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /tls: serverName$/],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /tls: cert and key$/],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', /check tls: cert and key$/],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /check tls: minVersion$/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', /check whether url begins with http or https$/],
] as const) {
  test(`${code} says what to do`, () => {
    const outcome = readFailure(failure(code))
    assert(outcome.kind === 'unreachable')
    assert.match(outcome.error, advice)
  })
}

test('files of TLS that cannot be used are our own trouble, and a proxy that refuses is that of the connection', () => {
  assert.deepEqual(readFailure(failure('TLS_MATERIAL', 'tls.key: x')), { kind: 'unsendable', error: 'tls.key: x' })
  assert.deepEqual(readFailure(failure('PROXY_REFUSED', 'no')), { kind: 'unreachable', error: 'no' })
})
