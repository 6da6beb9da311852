// OAuth 1 against RFC 5849's own examples.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { oauth1, signatureBase } from '../../../services/forwarder/authenticate/oauth1.ts'

const request = { method: 'POST', origin: 'http://example.com', path: '/', nonce: 'n', timestamp: 1 }

test('RFC 5849, 3.4.1.1: the signature base string, query and body parameters together', () => {
  const base = signatureBase({ ...request, path: '/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b' }, [
    ['oauth_consumer_key', '9djdj82h48djs9d2'],
    ['oauth_token', 'kkk9d7dh3k39sjv7'],
    ['oauth_signature_method', 'HMAC-SHA1'],
    ['oauth_timestamp', '137131201'],
    ['oauth_nonce', '7d8f3e4a'],
    ['c2', ''],
    ['a3', '2 q'],
  ])
  assert.equal(
    base,
    'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q' +
      '%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_' +
      'key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_m' +
      'ethod%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk' +
      '9d7dh3k39sjv7',
  )
})

// RFC 5849, 1.2: what the printer's client sends; there without oauth_version, which may be sent and changes the signature.
test('RFC 5849, 1.2: its base string gives its signature', () => {
  const keys = [
    ['oauth_consumer_key', 'dpf43f3p2l4k3l03'],
    ['oauth_token', 'nnch734d00sl2jdk'],
    ['oauth_signature_method', 'HMAC-SHA1'],
    ['oauth_timestamp', '137131202'],
    ['oauth_nonce', 'chapoH'],
  ] as const
  const photos = { ...request, method: 'GET', origin: 'http://photos.example.net' }
  const base = signatureBase({ ...photos, path: '/photos?file=vacation.jpg&size=original' }, keys)
  const key = 'kd94hf93k423kf44&pfkkdhi9sl3r4s00'
  assert.equal(createHmac('sha1', key).update(base).digest('base64'), 'MdpQcU8iPSUjWoN/UDMsK2sui9I=')
})

const KEYS = {
  consumerKey: 'key',
  consumerSecret: 'se cret',
  token: 'to/ken',
  tokenSecret: 'token&secret',
  method: 'HMAC-SHA1',
  realm: null,
} as const

for (const [method, hash] of [
  ['HMAC-SHA1', 'sha1'],
  ['HMAC-SHA256', 'sha256'],
] as const) {
  test(`${method}: secrets are encoded before they are joined, and the header holds what was signed`, () => {
    const line = oauth1({ ...KEYS, method }, { ...request, path: "/a%20b/?x=1+2&y='z'&y" })
    const pairs = [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value] as const)
    const sent: Readonly<Record<string, string>> = Object.fromEntries(pairs)
    assert.equal(sent['oauth_token'], 'to%2Fken')
    assert.equal(sent['oauth_version'], '1.0')
    const base = signatureBase({ ...request, path: "/a%20b/?x=1+2&y='z'&y" }, [
      ['oauth_consumer_key', 'key'],
      ['oauth_nonce', 'n'],
      ['oauth_signature_method', method],
      ['oauth_timestamp', '1'],
      ['oauth_token', 'to/ken'],
      ['oauth_version', '1.0'],
    ])
    const signature = createHmac(hash, 'se%20cret&token%26secret').update(base).digest('base64')
    assert.equal(decodeURIComponent(sent['oauth_signature'] ?? ''), signature)
    assert.match(base, /x%3D1%25202%26y%3D%26y%3D%2527z%2527$/)
  })
}

test('without a token its part of the key is empty, and a realm is shown and not signed', () => {
  const keys = { ...KEYS, token: null, tokenSecret: null }
  const bare = oauth1(keys, request)
  const withRealm = oauth1({ ...keys, realm: 'Photos' }, request)
  assert.doesNotMatch(bare, /oauth_token/)
  assert.equal(withRealm, bare.replace('OAuth ', 'OAuth realm="Photos", '))
})

test('a realm is a quoted string as Basic has it, and is not percent-encoded (RFC 5849, 3.5.1)', () => {
  const realm = 'https://api.example.org/ "main" \\ größe'
  const line = Buffer.from(oauth1({ ...KEYS, realm }, request), 'latin1').toString('utf8')
  assert.ok(line.startsWith('OAuth realm="https://api.example.org/ \\"main\\" \\\\ größe", oauth_consumer_key='), line)
})

test('what is no percent-encoding is signed as it is written', () => {
  assert.doesNotThrow(() => oauth1(KEYS, { ...request, path: '/?a=%zz&%' }))
})
