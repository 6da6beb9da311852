// Every way to authenticate against servers that we did not write, through the command line as a person runs it:
// right is accepted, wrong ends in the sentence that names the fault.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { PYTHON } from '../../deploy/local/foreign-clients.ts'
import type { Tls } from '../../services/shared/forwarding/connection.ts'
import { aConnection } from '../support/changes.ts'
import { makeCertificate } from '../support/make-certificate.ts'
import { openProven } from '../support/proven.ts'
import { until } from '../support/until.ts'
import { startApache } from './apache.ts'
import { startOidc } from './start-oidc.ts'
import { startServer } from './start-server.ts'
import { PASSWORD, PLAIN, temporary, tryAll } from './try-all.ts'

const authority = makeCertificate({ name: 'Test authority', authority: true })
const host = makeCertificate({ name: '127.0.0.1', hosts: ['127.0.0.1'], issuer: authority })
const client = makeCertificate({ name: 'onward', issuer: authority })
const stranger = makeCertificate({ name: 'stranger' })

const NO_TLS: Tls = {
  ...{ cert: null, key: null, keyPassphrase: null, ca: null },
  ...{ verify: true, minVersion: 'TLSv1.2', serverName: null },
}

test('Apache httpd: basic and digest (MD5), right and wrong', async (t) => {
  const { basic, digest } = await startApache(t, { username: 'zoë', password: PASSWORD, host, authority })
  const auth = (type: string, password: string, username = 'zoë') =>
    `auth: { type: ${type}, username: "${username}", password: "\${env:${password}}" }`
  await tryAll(
    t,
    {
      'basic-right': `url: "${basic}", ${auth('basic', 'PASSWORD')}`,
      'basic-wrong': `url: "${basic}", ${auth('basic', 'WRONG')}`,
      'basic-none': `url: "${basic}"`,
      'digest-right': `url: "${digest}", ${auth('digest', 'PASSWORD')}`,
      'digest-wrong': `url: "${digest}", ${auth('digest', 'WRONG')}`,
      'digest-nobody': `url: "${digest}", ${auth('digest', 'PASSWORD', 'bob')}`,
      'digest-at-basic': `url: "${basic}", ${auth('digest', 'PASSWORD')}`,
    },
    {
      'basic-wrong': /refuses the credentials \(401\): check username and password of auth/,
      'basic-none': /refuses the credentials \(401\): it asks who we are; write auth:/,
      'digest-wrong': /It says: digest: the user name or the password is not accepted/,
      'digest-nobody': /It says: digest: the user name or the password is not accepted/,
      'digest-at-basic': /write another type of auth\. It says: digest: it asks for basic, not for digest/,
    },
  )
})

test('Apache httpd: an API key and a bearer token, right and wrong', async (t) => {
  const { apiKey, bearer } = await startApache(t, { username: 'u', password: PASSWORD, key: PLAIN, host, authority })
  const key = (header: string, name: string) => `auth: { type: api-key, header: ${header}, value: "\${env:${name}}" }`
  const token = (name: string) => `auth: { type: bearer, token: "\${env:${name}}" }`
  await tryAll(
    t,
    {
      'api-key-right': `url: "${apiKey}", ${key('X-Api-Key', 'PLAIN')}`,
      'api-key-wrong': `url: "${apiKey}", ${key('X-Api-Key', 'WRONG')}`,
      'api-key-elsewhere': `url: "${apiKey}", ${key('X-Key', 'PLAIN')}`,
      'api-key-gone': `url: "${apiKey}", ${key('X-Api-Key', 'GONE')}`,
      'bearer-right': `url: "${bearer}", ${token('PLAIN')}`,
      'bearer-wrong': `url: "${bearer}", ${token('WRONG')}`,
    },
    {
      'api-key-wrong': /refuses the credentials \(401\): check header and value of auth/,
      'api-key-elsewhere': /refuses the credentials \(401\): check header and value of auth/,
      'api-key-gone': /\$\{env:GONE\}: this environment variable is not set/,
      'bearer-wrong': /refuses the credentials \(401\): check token of auth, and whether it has ended/,
    },
  )
})

test('Apache httpd: digest under load costs a challenge a slot, and nonces that end cost none', async (t) => {
  const apache = await startApache(t, { username: 'zoë', password: PASSWORD, host, authority })
  const { post } = openProven(t, { secrets: { PASSWORD } })
  const concurrency = 8
  const auth = { type: 'digest', username: 'zoë', password: '${env:PASSWORD}' } as const
  const limits = { concurrency, rate: null, timeout: 30_000 }
  const connection = aConnection({ url: apache.digest, auth, limits })
  let left = 200
  const lane = async () => {
    while (left-- > 0) {
      const { outcome } = await post(connection)
      assert(outcome.kind === 'answered')
      assert.equal(outcome.status, 200)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  const answered = (status: string) => apache.log().filter((line) => line.endsWith(` ${status}`)).length
  // Apache answers first, and notes it down after.
  await until('Apache has noted them all', () => answered('200') === 200)
  const challenges = answered('401')
  t.diagnostic(`200 deliveries, ${concurrency} slots: ${challenges} challenges`)
  assert(challenges <= concurrency)

  // Its nonces live for a second: with each answer it gives the next one, and following it costs no challenge at all.
  const short = aConnection({ url: apache.shortDigest, auth: { ...auth }, limits: { ...limits, concurrency: 1 } })
  const until3Lifetimes = performance.now() + 3_500
  let posted = 0
  for (; performance.now() < until3Lifetimes; posted++) {
    const { outcome } = await post(short)
    assert(outcome.kind === 'answered')
    assert.equal(outcome.status, 200)
  }
  const noted = (status: string) => apache.log().filter((line) => line === `POST /short ${status}`).length
  await until('Apache has noted them, too', () => noted('200') === posted)
  t.diagnostic(`${posted} deliveries over nonces of a second: ${noted('401')} challenges`)
  assert.equal(noted('401'), 1)
})

test('Apache httpd: client certificates, right and wrong', async (t) => {
  const { mutual } = await startApache(t, { username: 'u', password: PASSWORD, host, authority })
  const folder = temporary(t, {
    'ca.pem': authority.cert,
    'cert.pem': client.cert,
    'key.pem': client.key,
    'encrypted.pem': client.encryptedKey('planted-plain'),
    'stranger.pem': stranger.cert,
    'stranger-key.pem': stranger.key,
  })
  const file = (name: string) => `"\${file:${folder}/${name}.pem}"`
  await tryAll(
    t,
    {
      'tls-right': `url: "${mutual}", tls: { ca: ${file('ca')}, cert: ${file('cert')}, key: ${file('key')} }`,
      'tls-encrypted-right': `url: "${mutual}", tls: { ca: ${file('ca')}, cert: ${file('cert')}, key: ${file('encrypted')}, keyPassphrase: "\${env:PLAIN}" }`,
      'tls-no-ca': `url: "${mutual}", tls: { cert: ${file('cert')}, key: ${file('key')} }`,
      'tls-mixed': `url: "${mutual}", tls: { ca: ${file('ca')}, cert: ${file('cert')}, key: ${file('stranger-key')} }`,
      'tls-closed': `url: "${mutual}", tls: { ca: ${file('ca')}, cert: ${file('cert')}, key: ${file('encrypted')} }`,
      'tls-stranger': `url: "${mutual}", tls: { ca: ${file('ca')}, cert: ${file('stranger')}, key: ${file('stranger-key')} }`,
      'tls-none': `url: "${mutual}", tls: { ca: ${file('ca')} }`,
    },
    {
      'tls-no-ca': /if it is an authority of your own, put its certificate into the connection's tls: ca/,
      'tls-mixed': /tls\.key does not belong to the certificate of onward/,
      'tls-closed': /tls\.key is encrypted and cannot be opened: add keyPassphrase:/,
      'tls-stranger': /client certificate.*: check tls: cert and key/,
      'tls-none': /client certificate.*: (check )?tls: cert and key/,
    },
    { ONWARD_SECRETS_DIR: folder },
  )
  // It refuses after our handshake is done, and the request is on its way: no delivery spends a try for it.
  const secrets = { '/ca': authority.cert, '/cert': stranger.cert, '/key': stranger.key }
  const { post } = openProven(t, { secrets })
  const none = { ...NO_TLS, ca: '${file:/ca}' }
  for (const tls of [none, { ...none, cert: '${file:/cert}', key: '${file:/key}' }]) {
    const { outcome } = await post(aConnection({ url: mutual, tls }))
    assert.equal(outcome.kind, 'unreachable')
  }
})

test('httpbin: digest SHA-256 and SHA-512 beside MD5, and a bearer token, right and wrong', async (t) => {
  const { first: port } = await startServer(t, PYTHON, [join(import.meta.dirname, 'python_servers.py'), 'httpbin'])
  const url = `http://127.0.0.1:${port}`
  const auth = (type: string, key: string, name: string) => `auth: { type: ${type}, ${key}: "\${env:${name}}" }`
  const digest = (algorithm: string, password: string) =>
    `url: "${url}/digest/auth/u/open-sesame/${algorithm}", ${auth('digest', 'username: u, password', password)}`
  await tryAll(
    t,
    {
      'sha-256-right': digest('SHA-256', 'KNOWN'),
      'sha-256-wrong': digest('SHA-256', 'WRONG'),
      'md5-right': digest('MD5', 'KNOWN'),
      'sha-512': digest('SHA-512', 'KNOWN'),
      'bearer-right': `url: "${url}/bearer-too", ${auth('bearer', 'token', 'PLAIN')}`,
      'bearer-none': `url: "${url}/bearer-too"`,
    },
    {
      'sha-256-wrong': /It says: digest: the user name or the password is not accepted/,
      'sha-512': /its challenge \(algorithm SHA-512; qop auth\) is none that Onward can meet/,
      'bearer-none': /refuses the credentials \(401\): it asks who we are; write auth:/,
    },
    // httpbin has the password in its path, where everybody sees it.
    { KNOWN: 'open-sesame' },
  )
})

test('oauthlib verifies OAuth 1 signatures, both methods, with a query and without a token', async (t) => {
  const { first: port } = await startServer(t, PYTHON, [join(import.meta.dirname, 'python_servers.py'), 'oauth1'])
  const url = `http://127.0.0.1:${port}/in/a%20b?x=1&x=0&y=a+b&z=%C3%B6&q='()*!`
  const auth = (secret: string, more: string) =>
    `auth: { type: oauth1, consumerKey: consumer, consumerSecret: "\${env:${secret}}"${more} }`
  const token = ', token: tok-1, tokenSecret: "${env:TOKEN_SECRET}"'
  await tryAll(
    t,
    {
      'sha1-right': `url: "${url}", ${auth('CONSUMER_SECRET', token)}`,
      'sha256-right': `url: "${url}", ${auth('CONSUMER_SECRET', `${token}, method: HMAC-SHA256`)}`,
      'realm-right': `url: "${url}", ${auth('CONSUMER_SECRET', `${token}, realm: Photos`)}`,
      'no-token-right': `url: "${url}", ${auth('CONSUMER_SECRET', '')}`,
      wrong: `url: "${url}", ${auth('WRONG', token)}`,
    },
    {
      wrong:
        /check consumerKey, consumerSecret, token, tokenSecret and method of auth.* It says: the signature is not valid/,
    },
    { CONSUMER_SECRET: 'consumer secret & more', TOKEN_SECRET: 'token+secret' },
  )
})

test('oidc-provider: client credentials in header and body, right and wrong', async (t) => {
  const { tokenUrl, api } = await startOidc(t)
  const auth = (id: string, secret: string, more: string, at = tokenUrl) =>
    `url: "${api}", auth: { type: oauth2-client-credentials, tokenUrl: "${at}", clientId: ${id}, clientSecret: "\${env:${secret}}"${more} }`
  await tryAll(
    t,
    {
      'header-right': auth('in-header', 'IN_HEADER', ''),
      'scope-right': auth('in-header', 'IN_HEADER', ', scope: records.write'),
      'body-right': auth('in-body', 'IN_BODY', ', clientAuth: body'),
      'wrong-secret': auth('in-header', 'WRONG', ''),
      'wrong-scope': auth('in-header', 'IN_HEADER', ', scope: records.read'),
      'wrong-place': auth('in-header', 'IN_HEADER', '', api),
      'wrong-grant': auth('in-header', 'IN_HEADER', '')
        .replace('oauth2-client-credentials', 'oauth2-password')
        .replace('clientId', 'username: u, password: "${env:PLAIN}", clientId'),
    },
    {
      'wrong-secret':
        /Nothing could be sent: token endpoint: it answered 401 invalid_client: check clientId, clientSecret and clientAuth/,
      'wrong-scope': /token endpoint: it answered 400 invalid_scope: check scope/,
      'wrong-place': /token endpoint: it answered 401: check clientId, clientSecret and clientAuth/,
      'wrong-grant': /token endpoint: it answered 400 (unsupported_grant_type|unauthorized_client)/,
    },
    { IN_HEADER: 'in-header secret: % + &', IN_BODY: 'in-body secret: % + &' },
  )
})

test('oidc-provider: 200 deliveries at once take one token; revoked in mid-traffic, one more', async (t) => {
  const { tokenUrl, api, counts, revoke } = await startOidc(t)
  const { post } = openProven(t, { secrets: { SECRET: 'in-header secret: % + &' } })
  const connection = aConnection({
    url: api,
    auth: {
      type: 'oauth2-client-credentials',
      tokenUrl,
      clientId: 'in-header',
      clientSecret: '${env:SECRET}',
      clientAuth: 'header',
      scope: null,
      audience: null,
      parameters: {},
    },
    limits: { concurrency: 50, rate: null, timeout: 30_000 },
  })
  const all = async () => {
    const attempted = await Promise.all(Array.from({ length: 200 }, () => post(connection)))
    for (const { outcome } of attempted) assert(outcome.kind === 'answered' && outcome.status === 200)
  }
  await all()
  assert.equal((await counts()).tokens, 1)
  const underWay = all()
  await revoke()
  await underWay
  await all()
  const { tokens, requests, refused } = await counts()
  t.diagnostic(`${requests} requests, ${refused} refused, ${tokens} tokens`)
  assert.equal(tokens, 2)
})
