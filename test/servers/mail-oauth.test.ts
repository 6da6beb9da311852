// Mails to a server that takes nothing but tokens (XOAUTH2) over STARTTLS, with tokens of a real OAuth 2 server.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openMailer, type OutgoingMail } from '../../services/shared/mail/mailer.ts'
import type { SmtpSettings } from '../../services/shared/mail-settings.ts'
import { mailbox } from '../support/mailbox.ts'
import { TLS_CERTIFICATE, TLS_KEY } from '../support/tls-pair.ts'
import { startServer } from './start-server.ts'

type Login = Extract<SmtpSettings['auth'], { kind: 'oauth2' }>

const mail = (count: number): OutgoingMail => ({
  to: 'ops@example.org',
  subject: `It fails, ${count}`,
  text: 'words',
  html: '<p>words</p>',
  stopLink: null,
  messageId: `<abc.${count}@example.org>`,
  inReplyTo: null,
  references: [],
  date: Date.UTC(2026, 0, 2, 3, 4, 5),
})

/** @param before asked for the token of the first login, before it is judged */
async function ground(t: TestContext, before?: 'revoke') {
  const authority = await startServer(t, process.execPath, [join(import.meta.dirname, 'oidc-server.mjs')])
  const started = JSON.parse(authority.first) as { readonly authority: number; readonly refreshToken: string }
  const logins: string[] = []
  const box = await mailbox(t, {
    authOptional: false,
    authMethods: ['XOAUTH2'],
    disabledCommands: [],
    key: TLS_KEY,
    cert: TLS_CERTIFICATE,
    onAuth: ({ username, accessToken = '' }, _session, done) => {
      const judge = async () => {
        if (before === 'revoke' && logins.length === 0) await authority.tell('revoke')
        return authority.tell(`whose ${accessToken}`)
      }
      judge().then((told) => {
        const isRight = JSON.parse(told) === username
        logins.push(isRight ? 'taken' : 'refused')
        done(null, isRight ? { user: username } : { data: { status: '401', schemes: 'bearer' } })
      }, done)
    },
  })
  const login: Login = {
    kind: 'oauth2',
    user: 'onward',
    clientId: 'mailer',
    clientSecret: 'mailer secret: % + &',
    refreshToken: started.refreshToken,
    tokenUrl: `http://127.0.0.1:${started.authority}/token`,
  }
  const open = (overrides: Partial<Login> = {}) => {
    const auth = { ...login, ...overrides }
    const settings = {
      host: '127.0.0.1',
      port: box.port,
      tls: false,
      startTls: 'required',
      ca: TLS_CERTIFICATE,
      auth,
    } as const
    const mailer = openMailer(settings, 'onward@example.org', null)
    t.after(() => mailer[Symbol.dispose]())
    return mailer
  }
  const tokens = async () => (JSON.parse(await authority.tell('counts')) as { readonly tokens: number }).tokens
  return { box, logins, open, tokens }
}

test('a refresh token becomes an access token, one a connection at most, and the mail server takes it', async (t) => {
  const { box, logins, open, tokens } = await ground(t)
  const mailer = open()
  const outcomes = await Promise.all([1, 2, 3, 4, 5].map((count) => mailer.send(mail(count))))
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    Array.from({ length: 5 }, () => 'accepted'),
  )
  assert.equal(box.mails.length, 5)
  assert.ok(logins.length > 0 && logins.every((each) => each === 'taken'))
  const asked = await tokens()
  assert.ok(asked <= 3, `${asked} tokens`)
})

test('a token that was taken back is replaced, and the mail goes out', async (t) => {
  const { box, logins, open, tokens } = await ground(t, 'revoke')
  assert.deepEqual(await open().send(mail(1)), { kind: 'accepted' })
  assert.equal(box.mails.length, 1)
  assert.deepEqual(logins, ['refused', 'taken'])
  assert.equal(await tokens(), 2)
})

const WRONG: readonly (readonly [what: string, overrides: Partial<Login>, says: RegExp])[] = [
  ['a wrong client secret', { clientSecret: 'wrong-secret-hunter2' }, /invalid_client/],
  ['a refresh token that was taken back', { refreshToken: 'no-such-token-hunter2' }, /invalid_grant/],
  ['a token endpoint that is away', { tokenUrl: 'http://127.0.0.1:9/token' }, /ECONNREFUSED/],
  ['another user', { user: 'somebody' }, /Invalid login/],
]

test('what is wrong with the login is said, nothing is sent, and no secret is in the words', async (t) => {
  const { box, open } = await ground(t)
  for (const [what, overrides, says] of WRONG) {
    const outcome = await open(overrides).send(mail(1))
    assert.ok(outcome.kind === 'not-sent', `${what}: ${JSON.stringify(outcome)}`)
    assert.match(outcome.error, says, what)
    assert.doesNotMatch(outcome.error, /hunter2|mailer secret/)
  }
  assert.equal(box.mails.length, 0)
})
