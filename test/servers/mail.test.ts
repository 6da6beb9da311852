// A mail to mail servers of other makers, over STARTTLS and with a login, and what their own MIME parsers make of it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { PYTHON } from '../../deploy/local/foreign-clients.ts'
import { freePorts } from '../../deploy/local/free-ports.ts'
import { MAILPIT } from '../../deploy/local/mail-server.ts'
import { openMailer, type OutgoingMail } from '../../services/shared/mail/mailer.ts'
import { composeMail } from '../../services/shared/mail/compose-mail.ts'
import { readMailTemplates } from '../../services/shared/mail/read-templates.ts'
import { sampleNotices } from '../../services/shared/mail/sample-notices.ts'
import { TLS_CERTIFICATE, TLS_KEY } from '../support/tls-pair.ts'
import { until } from '../support/until.ts'

const USER = 'onward'
const PASSWORD = 'open sesame: ü'
const LISTENS_WITHIN_MS = 30_000
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

/** A name with everything that could break a header, a MIME part or a page. */
const NAME = 'Données\r\nBcc: evil@example.org <script>alert(1)</script> \u202eกขค'

const mail = (): OutgoingMail => ({
  ...composeMail(
    {
      address: 'ops@example.org',
      notices: sampleNotices('failing', NOW),
      surplus: 0,
      cap: null,
      now: NOW,
      connection: () => ({ name: NAME, url: 'https://registry.example/api' }),
      stopLink: () => 'https://onward.example/stop?t=token',
    },
    readMailTemplates(null),
  ),
  to: 'ops@example.org',
  messageId: '<abc.1@example.org>',
  inReplyTo: '<root@example.org>',
  references: ['<root@example.org>'],
  date: NOW,
})

function tlsFiles(t: TestContext): { folder: string; cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'onward-mail-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  writeFileSync(cert, TLS_CERTIFICATE.trimStart())
  writeFileSync(key, TLS_KEY.trimStart())
  return { folder, cert, key }
}

function sender(t: TestContext, port: number, password = PASSWORD) {
  const auth = { kind: 'password', user: USER, password, method: null } as const
  const mailer = openMailer(
    { host: '127.0.0.1', port, tls: false, startTls: 'required', ca: TLS_CERTIFICATE, auth },
    'Onward <onward@example.org>',
    null,
  )
  t.after(() => mailer[Symbol.dispose]())
  return mailer
}

test('mailpit takes a mail over STARTTLS and a login, and shows it as it was meant', async (t) => {
  const { folder, cert, key } = tlsFiles(t)
  const users = join(folder, 'users')
  // Its file of users is one of lines and colons.
  const password = 'open-sesame'
  writeFileSync(users, `${USER}:${password}\n`)
  const [smtp = 0, http = 0] = await freePorts(2)
  const child = spawn(
    MAILPIT,
    [
      ...['--smtp', `127.0.0.1:${smtp}`, '--listen', `127.0.0.1:${http}`],
      ...[
        '--smtp-tls-cert',
        cert,
        '--smtp-tls-key',
        key,
        '--smtp-require-starttls',
        '--smtp-auth-file',
        users,
        '--quiet',
      ],
      ...['--database', join(folder, 'mails.db'), '--disable-version-check'],
    ],
    { stdio: 'ignore' },
  )
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill()
    await exited
  })
  const ask = async (path: string): Promise<Record<string, unknown>> =>
    (await (await fetch(`http://127.0.0.1:${http}${path}`)).json()) as Record<string, unknown>
  await until('mailpit listens', () => ask('/api/v1/info').then(Boolean, () => false), LISTENS_WITHIN_MS)

  assert.equal((await sender(t, smtp, 'wrong').send(mail())).kind, 'not-sent')
  assert.deepEqual(await sender(t, smtp, password).send(mail()), { kind: 'accepted' })
  const shown = await ask('/api/v1/message/latest')
  assert.match(
    String(shown['Subject']),
    /^\[demo\] Données Bcc: evil@example\.org <script>alert\(1\)<\/script> กขค is failing$/,
  )
  assert.equal(shown['MessageID'], 'abc.1@example.org')
  assert.deepEqual([shown['Bcc'], shown['Cc']], [[], []])
  const { Links, Errors, HeaderPost } = shown['ListUnsubscribe'] as Record<string, unknown>
  assert.deepEqual(
    [Links, Errors, HeaderPost],
    [['https://onward.example/stop?t=token'], '', 'List-Unsubscribe=One-Click'],
  )
  assert.doesNotMatch(String(shown['HTML']), /<script/)
  assert.match(String(shown['HTML']), /&lt;script&gt;/)
  assert.match(String(shown['Text']), /Connection {3}demo\/registry/)
})

test('aiosmtpd takes a mail over STARTTLS and a login, and Python reads it without a defect', async (t) => {
  const { cert, key } = tlsFiles(t)
  const [port = 0] = await freePorts(1)
  const child = spawn(PYTHON, [join(import.meta.dirname, 'smtp_server.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.stdin.end()
    await exited
  })
  const told: Record<string, unknown>[] = []
  createInterface({ input: child.stdout }).on('line', (line) => told.push(JSON.parse(line) as Record<string, unknown>))
  child.stdin.write(`${JSON.stringify({ port, cert, key, user: USER, password: PASSWORD })}\n`)
  await until('aiosmtpd listens', async () => told.length > 0, LISTENS_WITHIN_MS)

  assert.equal((await sender(t, port, 'wrong').send(mail())).kind, 'not-sent')
  assert.deepEqual(await sender(t, port).send(mail()), { kind: 'accepted' })
  const [, taken] = told
  assert.deepEqual(
    [taken?.['sender'], taken?.['to'], taken?.['tls'], taken?.['defects']],
    ['onward@example.org', ['ops@example.org'], true, []],
  )
  const headers = taken?.['headers'] as Record<string, string>
  assert.match(headers['subject'] ?? '', /^\[demo\] Données Bcc: evil@example\.org/)
  assert.equal(headers['bcc'], undefined)
  assert.equal(headers['auto-submitted'], 'auto-generated')
  assert.equal(headers['in-reply-to'], '<root@example.org>')
  assert.equal(headers['list-unsubscribe-post'], 'List-Unsubscribe=One-Click')
  assert.match(String(taken?.['text']), /case 8d6a1d0e-5c0b-4c55-9b7f-6f8f6c0a8f11/)
  assert.doesNotMatch(String(taken?.['html']), /<script/)
})

test('a certificate that nobody vouches for gets no mail and no password', async (t) => {
  const { cert, key } = tlsFiles(t)
  const [port = 0] = await freePorts(1)
  const child = spawn(PYTHON, [join(import.meta.dirname, 'smtp_server.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.stdin.end()
    await exited
  })
  const listening = once(createInterface({ input: child.stdout }), 'line')
  child.stdin.write(`${JSON.stringify({ port, cert, key, user: USER, password: PASSWORD })}\n`)
  await listening
  const auth = { kind: 'password', user: USER, password: PASSWORD, method: null } as const
  const smtp = { host: '127.0.0.1', port, tls: false, startTls: 'if-offered', ca: null, auth } as const
  const mailer = openMailer(smtp, 'onward@example.org', null)
  t.after(() => mailer[Symbol.dispose]())
  const outcome = await mailer.send(mail())
  assert.equal(outcome.kind, 'not-sent', JSON.stringify(outcome))
})
