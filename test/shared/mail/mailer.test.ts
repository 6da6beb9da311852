// One mail to a real SMTP server that does what a test says.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { SMTPServerOptions } from 'smtp-server'
import { openMailer, readSendError, tryMailServer, type OutgoingMail } from '../../../services/shared/mail/mailer.ts'
import type { MailSettings, SmtpSettings } from '../../../services/shared/mail-settings.ts'
import { mailbox } from '../../support/mailbox.ts'

const MAIL: OutgoingMail = {
  to: 'ops@example.org',
  subject: 'It fails: données',
  text: 'words\n.\nmore',
  html: '<p>words</p>',
  stopLink: 'https://onward.example/stop?t=1',
  messageId: '<abc.1@example.org>',
  inReplyTo: '<root@example.org>',
  references: ['<root@example.org>', '<next@example.org>'],
  date: Date.UTC(2026, 0, 2, 3, 4, 5),
}

async function ground(
  t: TestContext,
  server: Partial<SMTPServerOptions> = {},
  settings: Partial<SmtpSettings> = {},
  dkim: MailSettings['dkim'] = null,
) {
  const box = await mailbox(t, server)
  const smtp: SmtpSettings = {
    host: '127.0.0.1',
    port: box.port,
    tls: false,
    startTls: 'if-offered',
    ca: null,
    auth: { kind: 'none' },
    ...settings,
  }
  const mailer = openMailer(smtp, 'Onward <onward@example.org>', dkim)
  t.after(() => mailer[Symbol.dispose]())
  return { box, mailer }
}

const replying = (code: number, words = 'says the server'): Error =>
  Object.assign(new Error(words), { responseCode: code })

test('a mail arrives with both texts and with every header', async (t) => {
  const { box, mailer } = await ground(t)
  assert.deepEqual(await mailer.send(MAIL), { kind: 'accepted' })
  const [mail] = await box.took(1)
  assert.ok(mail)
  assert.deepEqual([mail.from, mail.to], ['onward@example.org', ['ops@example.org']])
  assert.equal(mail.parsed.subject, 'It fails: données')
  assert.equal(mail.parsed.text?.trimEnd(), 'words\n.\nmore')
  assert.equal(mail.parsed.html?.trimEnd(), '<p>words</p>')
  assert.equal(mail.header('message-id'), '<abc.1@example.org>')
  assert.equal(mail.header('in-reply-to'), '<root@example.org>')
  assert.equal(mail.header('references'), '<root@example.org> <next@example.org>')
  assert.equal(mail.header('list-unsubscribe'), '<https://onward.example/stop?t=1>')
  assert.equal(mail.header('list-unsubscribe-post'), 'List-Unsubscribe=One-Click')
  assert.equal(mail.header('date'), 'Fri, 02 Jan 2026 03:04:05 +0000')
})

test('a line break that came this far begins no header', async (t) => {
  const { box, mailer } = await ground(t)
  await mailer.send({ ...MAIL, subject: 'a\r\nBcc: evil@example.org', stopLink: null })
  const [mail] = await box.took(1)
  assert.equal(mail?.header('bcc'), undefined)
  assert.deepEqual(mail?.to, ['ops@example.org'])
  assert.equal(mail.header('list-unsubscribe'), undefined)
})

const REPLIES: readonly (readonly [what: string, server: Partial<SMTPServerOptions>, kind: string])[] = [
  ['the recipient for now', { onRcptTo: (_a, _s, done) => done(replying(451)) }, 'not-sent'],
  ['the recipient for good', { onRcptTo: (_a, _s, done) => done(replying(550)) }, 'refused'],
  [
    'to relay, which says nothing of the recipient',
    { onRcptTo: (_a, _s, done) => done(replying(554, '5.7.1 relaying denied, says the server')) },
    'not-sent',
  ],
  [
    'recipients of those who have not logged in',
    { onRcptTo: (_a, _s, done) => done(replying(530, '5.7.0 log in first, says the server')) },
    'not-sent',
  ],
  ['the sender for good', { onMailFrom: (_a, _s, done) => done(replying(550)) }, 'not-sent'],
  [
    'the mail for now',
    {
      onData: (stream, _s, done) => {
        stream.resume().on('end', () => done(replying(452)))
      },
    },
    'not-sent',
  ],
  [
    'the mail for good',
    {
      onData: (stream, _s, done) => {
        stream.resume().on('end', () => done(replying(554)))
      },
    },
    'refused',
  ],
  ['the connection', { onConnect: (_s, done) => done(replying(554)) }, 'not-sent'],
]

for (const [what, server, kind] of REPLIES) {
  test(`a server that refuses ${what}: ${kind}`, async (t) => {
    const { mailer } = await ground(t, server)
    const outcome = await mailer.send(MAIL)
    assert.equal(outcome.kind, kind, JSON.stringify(outcome))
    assert.match(outcome.kind === 'accepted' ? '' : outcome.error, /says the server/)
  })
}

test('nobody listens: not sent', async (t) => {
  const { box, mailer } = await ground(t)
  await box.close()
  assert.equal((await mailer.send(MAIL)).kind, 'not-sent')
})

test('a connection that breaks while the mail is on its way: unknown, and the mailer itself tries no second time', async (t) => {
  let taken = 0
  const server = createServer((socket) => {
    let data = false
    socket.on('error', () => undefined)
    socket.write('220 here\r\n')
    socket.on('data', (bytes) => {
      const text = bytes.toString()
      if (data && text.includes('\r\n.\r\n')) {
        taken++
        socket.destroy()
      } else if (!data) {
        data = text.startsWith('DATA')
        socket.write(data ? '354 go on\r\n' : '250 yes\r\n')
      }
    })
  })
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { mailer } = await ground(t, {}, { port: (server.address() as AddressInfo).port })
  const outcome = await mailer.send(MAIL)
  assert.equal(outcome.kind, 'unknown', JSON.stringify(outcome))
  assert.equal(taken, 1)
})

test('a login that is refused is our own trouble: nothing is refused for good', async (t) => {
  const { mailer } = await ground(
    t,
    { authOptional: false, allowInsecureAuth: true, onAuth: (_a, _s, done) => done(replying(535)) },
    { startTls: 'never', auth: { kind: 'password', user: 'onward', password: 'hunter2', method: 'login' } },
  )
  const outcome = await mailer.send(MAIL)
  assert.equal(outcome.kind, 'not-sent')
  assert.doesNotMatch(JSON.stringify(outcome), /hunter2/)
})

test('a server that says back what it was sent tells no secret of ours', async (t) => {
  const password = 'open sesame: hunter2'
  const { mailer } = await ground(
    t,
    {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password: given }, _s, done) => {
        const sent = Buffer.from(`\0${username ?? ''}\0${given ?? ''}`).toString('base64')
        done(replying(535, `you sent ${given ?? ''}, that is ${sent}`))
      },
    },
    { startTls: 'never', auth: { kind: 'password', user: 'onward', password, method: 'plain' } },
  )
  const outcome = await mailer.send(MAIL)
  assert.match(outcome.kind === 'accepted' ? '' : outcome.error, /you sent \*\*\*, that is \*\*\*/)
})

test('a mail server is tried without a mail', async (t) => {
  const { box } = await ground(t)
  const settings = {
    host: '127.0.0.1',
    tls: false,
    startTls: 'if-offered',
    ca: null,
    auth: { kind: 'none' },
  } as const
  assert.deepEqual(await tryMailServer({ ...settings, port: box.port }, 5_000), { kind: 'accepted' })
  assert.equal(box.mails.length, 0)
  await box.close()
  assert.equal((await tryMailServer({ ...settings, port: box.port }, 5_000)).kind, 'away')
})

test('a password never goes in the clear where TLS is required', async (t) => {
  let asked = 0
  const { mailer } = await ground(
    t,
    {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_a, _s, done) => {
        asked++
        done(null, { user: 'onward' })
      },
    },
    { startTls: 'required', auth: { kind: 'password', user: 'onward', password: 'hunter2', method: null } },
  )
  assert.equal((await mailer.send(MAIL)).kind, 'not-sent')
  assert.equal(asked, 0)
})

test('a mail is signed where a key is given', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const { box, mailer } = await ground(t, {}, {}, { domain: 'example.org', selector: 's1', key })
  assert.equal((await mailer.send(MAIL)).kind, 'accepted')
  const [mail] = await box.took(1)
  assert.match(mail?.header('dkim-signature') ?? '', /d=example\.org;.*s=s1;/s)
})

test('errors without a reply: what surely was not sent, and what may have been', () => {
  const kindOf = (fields: object) => readSendError(Object.assign(new Error('trouble'), fields), { kind: 'none' }).kind
  assert.equal(kindOf({ code: 'ESOCKET', syscall: 'connect' }), 'not-sent')
  assert.equal(kindOf({ code: 'EDNS' }), 'not-sent')
  assert.equal(kindOf({ code: 'ESOCKET', originalCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'not-sent')
  assert.equal(kindOf({ code: 'ETLS' }), 'not-sent')
  assert.equal(kindOf({ code: 'ESOCKET', syscall: 'read' }), 'unknown')
  assert.equal(kindOf({ code: 'ETIMEDOUT', command: 'CONN' }), 'unknown')
  assert.equal(kindOf({}), 'unknown')
})
