// A real OAuth 2 server, oidc-provider, with an API behind it that takes its tokens. Leaves on standard output one JSON line
// with the two ports and a refresh token of the account `onward`, as a person's consent would have left one for the client `mailer`.
// On standard input: `revoke` destroys every token given so far, `counts` tells how often each was asked, `whose <token>` says
// which account an access token is of.
// Ends when its standard input does.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { Provider } from 'oidc-provider'

const client = (id, method) => ({
  client_id: id,
  client_secret: `${id} secret: % + &`,
  grant_types: ['client_credentials'],
  scope: 'records.write',
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: method,
})
const MAILER = {
  ...client('mailer', 'client_secret_post'),
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid offline_access',
  redirect_uris: ['https://onward.example/consent'],
  response_types: ['code'],
}
const counts = { tokens: 0, requests: 0, refused: 0 }
const given = new Set()

const provider = new Provider('http://127.0.0.1', {
  clients: [client('in-header', 'client_secret_basic'), client('in-body', 'client_secret_post'), MAILER],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  scopes: ['records.read', 'records.write', 'openid', 'offline_access'],
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // Mail services keep a refresh token as it is.
  rotateRefreshToken: false,
  ttl: { ClientCredentials: 600, AccessToken: 600, RefreshToken: 86_400, Grant: 86_400 },
})
provider.on('client_credentials.saved', (token) => {
  counts.tokens++
  given.add(token)
})
provider.on('access_token.saved', (token) => {
  counts.tokens++
  given.add(token)
})
provider.proxy = true

async function consent() {
  const grant = new provider.Grant({ accountId: 'onward', clientId: 'mailer' })
  grant.addOIDCScope(MAILER.scope)
  const token = new provider.RefreshToken({
    accountId: 'onward',
    client: await provider.Client.find('mailer'),
    grantId: await grant.save(),
    gty: 'authorization_code',
    scope: MAILER.scope,
  })
  return token.save()
}

const api = createServer(async (request, response) => {
  counts.requests++
  const value = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  const token = value && (await provider.ClientCredentials.find(value))
  request.resume()
  if (!token) counts.refused++
  response.writeHead(token ? 200 : 401, token ? {} : { 'WWW-Authenticate': 'Bearer error="invalid_token"' }).end()
})
const authority = createServer(provider.callback())
const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
console.log(
  JSON.stringify({ authority: await listen(authority), api: await listen(api), refreshToken: await consent() }),
)

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    if (line === 'revoke') for (const token of given) await token.destroy()
    const [, asked] = /^whose (.+)$/.exec(line) ?? []
    if (asked === undefined) return console.log(JSON.stringify(counts))
    console.log(JSON.stringify((await provider.AccessToken.find(asked))?.accountId ?? null))
  })
  .on('close', () => process.exit(0))
