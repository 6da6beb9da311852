// Both OAuth 2 grants against a real Keycloak, which `npm run test:keycloak` starts. An API behind it checks each token.
import assert from 'node:assert/strict'
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { tryAll } from '../servers/try-all.ts'

const REALM = `${process.env['KEYCLOAK_REALM_URL'] ?? ''}/protocol/openid-connect`

type Key = JsonWebKey & { readonly kid: string }

/** As an API that takes Keycloak's tokens does: the signature by the realm's keys, and the time. */
async function isGood(token: string): Promise<boolean> {
  const [head = '', claims = '', signature = ''] = token.split('.')
  if (signature === '') return false
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Readonly<Record<string, unknown>>
  const { keys } = (await (await fetch(`${REALM}/certs`)).json()) as { readonly keys: readonly Key[] }
  const key = keys.find(({ kid }) => kid === read(head)['kid'])
  if (!key) return false
  const publicKey = createPublicKey({ key, format: 'jwk' })
  const signed = verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))
  return signed && Number(read(claims)['exp']) * 1_000 > Date.now()
}

async function startApi(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    request.resume()
    isGood(token).then(
      (good) => response.writeHead(good ? 200 : 401).end(),
      () => response.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test('Keycloak: client credentials and password, right and wrong', async (t) => {
  assert.match(REALM, /^http/, 'npm run test:keycloak starts it')
  const api = await startApi(t)
  const auth = (grant: string, client: string, more = '') =>
    `url: "${api}", auth: { type: oauth2-${grant}, tokenUrl: "${REALM}/token", clientId: onward, clientSecret: "\${env:${client}}"${more} }`
  const user = (password: string) => `, username: zoe, password: "\${env:${password}}"`
  await tryAll(
    t,
    {
      'client-right': auth('client-credentials', 'CLIENT'),
      'client-body-right': auth('client-credentials', 'CLIENT', ', clientAuth: body'),
      'client-wrong': auth('client-credentials', 'WRONG'),
      'password-right': auth('password', 'CLIENT', user('USER')),
      'password-scope-right': auth('password', 'CLIENT', `${user('USER')}, scope: openid`),
      'password-wrong': auth('password', 'CLIENT', user('WRONG')),
      'password-wrong-client': auth('password', 'WRONG', user('USER')),
    },
    {
      'client-wrong': /token endpoint: it answered 401 unauthorized_client/,
      'password-wrong':
        /token endpoint: it answered 40[01] invalid_grant: check username and password, or whether the grant was revoked/,
      'password-wrong-client': /token endpoint: it answered 401 unauthorized_client/,
    },
    { CLIENT: 'planted-client-secret', USER: 'planted-user-password' },
  )
})
