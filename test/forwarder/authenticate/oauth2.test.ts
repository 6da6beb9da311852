// The token request and its answers, as RFC 6749 has them and as servers are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTokenReply, renderTokenRequest } from '../../../services/forwarder/authenticate/oauth2.ts'
import type { OAuth2 } from '../../../services/shared/forwarding/connection.ts'

const CLIENT: OAuth2 = {
  type: 'oauth2-client-credentials',
  tokenUrl: 'https://login.example/token',
  clientId: 's6BhdRkqt3',
  clientSecret: 'gX1fBat3bV',
  clientAuth: 'header',
  scope: null,
  audience: null,
  parameters: {},
}
const rendered = (auth: OAuth2, refreshToken: string | null = null) => {
  const { headers, body } = renderTokenRequest(auth, (text) => text, refreshToken)
  const at = headers.indexOf('Authorization')
  return {
    form: Object.fromEntries(new URLSearchParams(String(body))),
    authorization: at === -1 ? null : headers[at + 1],
  }
}

test('RFC 6749, 4.4.2: the client credentials grant, secret in the header', () => {
  assert.deepEqual(rendered(CLIENT), {
    form: { grant_type: 'client_credentials' },
    authorization: 'Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW',
  })
})

test('RFC 6749, 4.3.2: the password grant', () => {
  const auth: OAuth2 = { ...CLIENT, type: 'oauth2-password', username: 'johndoe', password: 'A3ddj3w' }
  assert.deepEqual(rendered(auth).form, { grant_type: 'password', username: 'johndoe', password: 'A3ddj3w' })
})

test('the secret goes into the body where it is asked for, with scope, audience and further parameters', () => {
  const auth: OAuth2 = {
    ...CLIENT,
    clientAuth: 'body',
    scope: 'a b',
    audience: 'https://api.example',
    parameters: { resource: 'x y' },
  }
  assert.deepEqual(rendered(auth), {
    form: {
      grant_type: 'client_credentials',
      scope: 'a b',
      audience: 'https://api.example',
      resource: 'x y',
      client_id: 's6BhdRkqt3',
      client_secret: 'gX1fBat3bV',
    },
    authorization: null,
  })
})

test('RFC 6749, 2.3.1: id and secret are form-encoded before they are joined for the header', () => {
  const { authorization } = rendered({ ...CLIENT, clientId: 'a:b', clientSecret: 'c d+ö' })
  assert.equal(Buffer.from(authorization?.slice(6) ?? '', 'base64').toString(), 'a%3Ab:c+d%2B%C3%B6')
})

test('RFC 6749, 6: a refresh token takes the place of the grant', () => {
  assert.deepEqual(rendered({ ...CLIENT, scope: 'a', audience: 'x' }, 'tGzv3J').form, {
    grant_type: 'refresh_token',
    refresh_token: 'tGzv3J',
    scope: 'a',
  })
})

const JSON_TYPE = 'application/json;charset=UTF-8'

for (const [what, expiresIn, seconds] of [
  ['a number', 3600, 3600],
  ['text', '3600', 3600],
  ['nothing', undefined, null],
  ['null', null, null],
  ['0', 0, null],
  ['a negative number', -1, null],
  ['words', 'soon', null],
  ['an object', {}, null],
] as const) {
  test(`a token whose expires_in is ${what} lives ${seconds === null ? 'until a 401' : `${seconds} s`}`, () => {
    const body = JSON.stringify({ access_token: 'a', token_type: 'bearer', expires_in: expiresIn })
    assert.deepEqual(readTokenReply(200, JSON_TYPE, body), {
      kind: 'granted',
      token: { accessToken: 'a', refreshToken: null, expiresIn: seconds },
    })
  })
}

test('RFC 6749, 5.1: the whole answer', () => {
  const body =
    '{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}'
  assert.deepEqual(readTokenReply(200, JSON_TYPE, body), {
    kind: 'granted',
    token: { accessToken: '2YotnFZFEjr1zCsicMWpAA', refreshToken: 'tGzv3JOkF0XG5Qx2TlKWIA', expiresIn: 3600 },
  })
})

for (const [what, status, type, body, told] of [
  ['RFC 6749, 5.2', 400, JSON_TYPE, '{"error":"invalid_request"}', /^it answered 400 invalid_request: check scope/],
  [
    'a wrong client',
    401,
    JSON_TYPE,
    '{"error":"invalid_client","error_description":"no\\u202e such\\nclient"}',
    /^it answered 401 invalid_client: check clientId, clientSecret and clientAuth \(no such client\)$/,
  ],
  ['an error with 200', 200, JSON_TYPE, '{"error":"invalid_scope"}', /^it answered 200 invalid_scope: check scope$/],
  ['a page', 200, 'text/html', '<html>log in</html>', /with a page instead of a token: is tokenUrl/],
  ['an error as a page', 502, 'text/html', '<html>Bad Gateway</html>', /^it answered 502 \(a page\)$/],
  ['text', 200, 'text/plain', 'access_token=a', /with no JSON instead of a token/],
  ['an empty body', 204, '', '', /with no JSON instead of a token/],
  ['a list', 200, JSON_TYPE, '[]', /with no JSON instead of a token/],
  ['no token', 200, JSON_TYPE, '{"token_type":"bearer"}', /^it answered 200 without an access_token$/],
  ['a token that no header can carry', 200, JSON_TYPE, '{"access_token":"a\\r\\nX: y"}', /without an access_token$/],
  ['another type of token', 200, JSON_TYPE, '{"access_token":"a","token_type":"mac"}', /^it gives tokens of type mac/],
  ['a redirect', 302, 'text/html', '', /^it answered 302/],
] as const) {
  test(`a token endpoint that answers with ${what} is told of in one sentence`, () => {
    const read = readTokenReply(status, type, body)
    assert(read.kind === 'refused')
    assert.match(read.error, told)
    assert.doesNotMatch(read.error, /[\n\u202e]/)
  })
}
