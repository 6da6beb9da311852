// Digest against the examples of RFC 7616 and RFC 2617, and what servers send in their place.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  hashUser,
  pickDigest,
  prepareDigest,
  renderProof,
  respond,
  type DigestChallenge,
} from '../../../services/forwarder/authenticate/digest.ts'
import { DigestSession } from '../../../services/forwarder/authenticate/digest-session.ts'
import { readChallenges, readParameters } from '../../../services/forwarder/authenticate/read-challenges.ts'
import { holdsFor } from '../../support/property.ts'

const picked = (...headers: readonly string[]): DigestChallenge => {
  const found = pickDigest(readChallenges(headers))
  assert(found.kind === 'picked', JSON.stringify(found))
  return found.challenge
}
const lineOf = (
  challenge: DigestChallenge,
  username: string,
  password: string,
  path: string,
  cnonce: string,
  count = 1,
  method = 'GET',
) => {
  const hash = hashUser(challenge, username, password)
  const parts = prepareDigest(challenge, username, hash, { method, path, cnonce })
  return renderProof(parts, count, respond(parts, count))
}
const answer = (...of: Parameters<typeof lineOf>) => {
  const line = lineOf(...of)
  assert.match(line, /^Digest /)
  return readParameters(line.slice('Digest '.length))
}

// RFC 7616, 3.9.1: both challenges of one answer.
const NONCE = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v'
const OPAQUE = 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS'
const BOTH = ['SHA-256', 'MD5'].map(
  (algorithm) =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${NONCE}", opaque="${OPAQUE}"`,
)
const CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'

test('RFC 7616, 3.9.1: SHA-256', () => {
  const sent = answer(picked(BOTH[0] ?? ''), 'Mufasa', 'Circle of Life', '/dir/index.html', CNONCE)
  assert.deepEqual(sent, {
    username: 'Mufasa',
    realm: 'http-auth@example.org',
    uri: '/dir/index.html',
    algorithm: 'SHA-256',
    nonce: NONCE,
    nc: '00000001',
    cnonce: CNONCE,
    qop: 'auth',
    response: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    opaque: OPAQUE,
  })
})

test('RFC 7616, 3.9.1: MD5', () => {
  const sent = answer(picked(BOTH[1] ?? ''), 'Mufasa', 'Circle of Life', '/dir/index.html', CNONCE)
  assert.equal(sent['response'], '8ca523f5e9506fed4657c9700eebdbec')
  assert.equal(sent['algorithm'], 'MD5')
})

test('RFC 7616, 3.9.2: a user name in UTF-8, hashed', () => {
  const challenge = picked(
    'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true',
  )
  const username = 'J\u00e4s\u00f8n Doe'
  const sent = answer(challenge, username, 'Secret, or not?', '/doe.json', 'NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm')
  const sha = (text: string) => createHash('sha512-256').update(text).digest('hex')
  assert.equal(sent['username'], sha(`${username}:api@example.org`))
  assert.equal(sent['userhash'], 'true')
  // Its printed values were made with the wrong hash (RFC errata 4897), so they are made here from the parts.
  const first = sha(`${username}:api@example.org:Secret, or not?`)
  const second = sha('GET:/doe.json')
  const { nonce } = challenge
  assert.equal(sent['response'], sha(`${first}:${nonce}:00000001:NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm:auth:${second}`))
})

test('RFC 2617, 3.5: the example that every older server knows', () => {
  const challenge = picked(
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  )
  const sent = answer(challenge, 'Mufasa', 'Circle Of Life', '/dir/index.html', '0a4f113b')
  assert.equal(sent['response'], '6629fae49393a05397450978507c4ef1')
  assert.equal(sent['algorithm'], undefined)
})

test('without qop the request is answered as RFC 2069 has it, without a count', () => {
  const challenge = picked('Digest realm="r", nonce="n"')
  const sent = answer(challenge, 'u', 'p', '/x', 'c')
  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  assert.equal(sent['response'], md5(`${md5('u:r:p')}:n:${md5('GET:/x')}`))
  for (const name of ['nc', 'qop', 'cnonce']) assert.equal(sent[name], undefined)
})

for (const algorithm of ['MD5-sess', 'SHA-256-sess', 'SHA-512-256-sess', 'sha-256-SESS']) {
  test(`${algorithm} hashes nonce and cnonce into the first part`, () => {
    const challenge = picked(`Digest realm="r", nonce="n", qop="auth", algorithm=${algorithm}`)
    const sent = answer(challenge, 'u', 'p', '/x', 'c', 7, 'POST')
    const name = algorithm
      .toLowerCase()
      .replace('-sess', '')
      .replace('sha-512-256', 'sha512-256')
      .replace('sha-256', 'sha256')
    const hash = (text: string) => createHash(name).update(text).digest('hex')
    const first = hash(`${hash('u:r:p')}:n:c`)
    assert.equal(sent['response'], hash(`${first}:n:00000007:c:auth:${hash('POST:/x')}`))
    assert.equal(sent['algorithm'], algorithm)
  })
}

test('of several challenges the best that is known is met', () => {
  assert.equal(picked(...BOTH.toReversed()).hash, 'sha256')
  assert.equal(picked(`Basic realm="a, b", ${BOTH.join(', ')}`).hash, 'sha256')
  assert.equal(picked('Digest realm="r", nonce="n", algorithm=SHA3-1024, qop="auth"', BOTH[1] ?? '').hash, 'md5')
})

for (const [what, header, why] of [
  ['an unknown algorithm', 'Digest realm="r", nonce="n", algorithm=SHA3-1024, qop="auth"', /algorithm SHA3-1024/],
  ['nothing but auth-int', 'Digest realm="r", nonce="n", qop="auth-int"', /qop auth-int/],
  ['no nonce', 'Digest realm="r", qop="auth"', /none that Onward can meet/],
  ['another scheme', 'Basic realm="r"', /^it asks for basic, not for digest$/],
  ['no challenge at all', undefined, /^it came without a challenge$/],
  ['a header that is none', '???', /^it came without a challenge$/],
] as const) {
  test(`a 401 with ${what} is refused in words`, () => {
    const found = pickDigest(readChallenges(header))
    assert(found.kind === 'unusable')
    assert.match(found.why, why)
  })
}

test('a realm with quotes, commas and UTF-8 goes back as it came', () => {
  const bytes = Buffer.from('Digest realm="say \\"hi\\", größe = \\\\", nonce="n", qop="auth"', 'utf8').toString(
    'latin1',
  )
  const challenge = picked(bytes)
  assert.equal(challenge.realm, 'say "hi", größe = \\')
  const line = lineOf(challenge, 'u', 'p', '/', 'c')
  assert.match(Buffer.from(line, 'latin1').toString('utf8'), /realm="say \\"hi\\", größe = \\\\"/)
})

test('a user name beyond ASCII is sent encoded where the server says UTF-8, and as its bytes elsewhere', () => {
  const utf8 = picked('Digest realm="r", nonce="n", qop="auth", charset=UTF-8')
  const plain = picked('Digest realm="r", nonce="n", qop="auth"')
  assert.match(lineOf(utf8, "zoë(')", 'p', '/', 'c'), /username\*=UTF-8''zo%C3%AB%28%27%29,/)
  assert.match(lineOf(plain, 'zoë', 'p', '/', 'c'), /username="zo\u00c3\u00ab"/)
})

test('challenges are parted as RFC 9110 has it', () => {
  const read = readChallenges([
    'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
    'Negotiate YII=, Bearer , Digest  realm = "x" ,nonce="y"',
  ])
  assert.deepEqual(read, [
    { scheme: 'newauth', parameters: { realm: 'apps', type: '1', title: 'Login to "apps"' } },
    { scheme: 'basic', parameters: { realm: 'simple' } },
    { scheme: 'negotiate', parameters: {} },
    { scheme: 'bearer', parameters: {} },
    { scheme: 'digest', parameters: { realm: 'x', nonce: 'y' } },
  ])
})

test('no header makes the reader fail or linger', (t) => {
  holdsFor(
    t,
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^[Digest ,="\\a-z]{0,200}$/)),
      (header) => void pickDigest(readChallenges(header)),
    ),
  )
  const startedAt = performance.now()
  readChallenges(`Digest ${'realm="\\'.repeat(4_000)}`)
  readChallenges(', '.repeat(10_000))
  assert(performance.now() - startedAt < 5_000)
})

const challengeOf = (nonce: string, more = '') => `Digest realm="r", nonce="${nonce}", qop="auth"${more}`
const countOf = (line: string | null) => (line === null ? null : readParameters(line.slice(7))['nc'])
const nonceOf = (line: string | null) => (line === null ? null : readParameters(line.slice(7))['nonce'])

test('a session asks once, and counts from then on', () => {
  const session = new DigestSession('c')
  const next = () => session.next('u', 'p', 'POST', '/')
  assert.equal(next(), null)
  assert.deepEqual(session.refused(challengeOf('n1')), { kind: 'again' })
  for (const count of ['00000001', '00000002', '00000003']) {
    assert.equal(countOf(next()), count)
    session.accepted(undefined)
  }
})

test('a session takes a new nonce when the old one is stale, was forgotten, or a next one is given', () => {
  const session = new DigestSession('c')
  const next = () => session.next('u', 'p', 'POST', '/')
  session.refused(challengeOf('n1'))
  next()
  // Stale at once, as a server with very short nonces has it.
  assert.deepEqual(session.refused(challengeOf('n2', ', stale=true')), { kind: 'again' })
  assert.equal(nonceOf(next()), 'n2')
  session.accepted(undefined)
  next()
  // Proven before, and the server does not say stale: it was started anew.
  assert.deepEqual(session.refused(challengeOf('n3')), { kind: 'again' })
  assert.equal(countOf(next()), '00000001')
  session.accepted('nextnonce="n4", qop=auth')
  const line = next()
  assert.deepEqual([nonceOf(line), countOf(line)], ['n4', '00000001'])
})

test('a session says no when a fresh nonce is refused, and begins anew afterwards', () => {
  const session = new DigestSession('c')
  session.refused(challengeOf('n1'))
  session.next('u', 'wrong', 'POST', '/')
  assert.deepEqual(session.refused(challengeOf('n2')), {
    kind: 'refused',
    why: 'the user name or the password is not accepted',
  })
  assert.equal(session.next('u', 'p', 'POST', '/'), null)
})

test('one session proves requests of several paths and methods, each for itself, and goes on counting', () => {
  const session = new DigestSession('c')
  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  session.refused('Digest realm="r", nonce="n", qop="auth"')
  const requests = [
    ['POST', '/a'],
    ['POST', '/a'],
    ['POST', '/b'],
    ['PUT', '/b'],
  ] as const
  for (const [place, [method, path]] of requests.entries()) {
    const sent = readParameters((session.next('u', 'p', method, path) ?? '').slice('Digest '.length))
    const count = `0000000${place + 1}`
    assert.equal(sent['uri'], path)
    assert.equal(sent['nc'], count)
    assert.equal(sent['response'], md5(`${md5('u:r:p')}:n:${count}:c:auth:${md5(`${method}:${path}`)}`))
  }
  session.accepted('nextnonce="m"')
  const sent = readParameters((session.next('u', 'p', 'PUT', '/b') ?? '').slice('Digest '.length))
  assert.equal(sent['response'], md5(`${md5('u:r:p')}:m:00000001:c:auth:${md5('PUT:/b')}`))
  const other = readParameters((session.next('u', 'q', 'PUT', '/b') ?? '').slice('Digest '.length))
  assert.equal(other['response'], md5(`${md5('u:r:q')}:m:00000002:c:auth:${md5('PUT:/b')}`))
})

test('responses that are made ahead are those of their counts, and none outlives its nonce, its path or its password', () => {
  const session = new DigestSession('c')
  const sha = (text: string) => createHash('sha256').update(text).digest('hex')
  session.refused('Digest realm="r", nonce="n0", qop="auth", algorithm=SHA-256')
  let count = 0
  const prove = (times: number, nonce: string, path: string, password: string) => {
    for (let time = 0; time < times; time += 1) {
      count += 1
      const sent = readParameters((session.next('u', password, 'POST', path) ?? '').slice('Digest '.length))
      const nc = count.toString(16).padStart(8, '0')
      assert.equal(sent['nc'], nc)
      assert.equal(sent['response'], sha(`${sha(`u:r:${password}`)}:${nonce}:${nc}:c:auth:${sha(`POST:${path}`)}`))
      session.accepted(undefined)
    }
  }
  prove(300, 'n0', '/a', 'p')
  prove(12, 'n0', '/b', 'p')
  prove(5, 'n0', '/b', 'q')
  session.accepted('nextnonce="n1"')
  count = 0
  prove(30, 'n1', '/b', 'q')
  session.refused('Digest realm="r", nonce="n2", qop="auth", algorithm=SHA-256')
  count = 0
  prove(30, 'n2', '/b', 'q')
})
