// A webhook, told over a real socket.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { PortRange } from '../../services/shared/setting-readers.ts'
import { openWebhooks } from '../../services/notifier/webhook.ts'
import { openAddressGuard } from '../../services/shared/address-guard.ts'
import { composeMail, type MailContent } from '../../services/shared/mail/compose-mail.ts'
import { composeWebhook } from '../../services/shared/mail/compose-webhook.ts'
import { readMailTemplates } from '../../services/shared/mail/read-templates.ts'
import { sampleConnection, sampleNotices } from '../../services/shared/mail/sample-notices.ts'
import { targetServer, type Reply } from '../support/target-server.ts'

const schema = JSON.parse(readFileSync(new URL('../../schemas/webhook.schema.json', import.meta.url), 'utf8')) as object
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema)

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

/** @param forbids told the webhook's own port */
async function ground(
  t: TestContext,
  replies: readonly Reply[],
  allow: readonly string[] = ['127.0.0.0/8'],
  forbids: (port: number) => readonly PortRange[] = () => [],
) {
  const remote = await targetServer(t, { replies })
  const webhooks = openWebhooks(openAddressGuard(allow, forbids(remote.port)), {
    variable: (name) =>
      name === 'HOOK'
        ? { kind: 'found', value: `${remote.url}services/hunter2` }
        : { kind: 'absent', why: 'it is not set' },
    file: () => ({ kind: 'absent', why: 'there is no such file' }),
  })
  t.after(() => webhooks[Symbol.asyncDispose]())
  const tell = (to = remote.url) => webhooks.tell({ to, messageId: '<a.1@onward.example>', body: '{"text":"x"}' })
  return { remote, tell }
}

test('a webhook gets JSON, and a key that is the same for each try', async (t) => {
  const { remote, tell } = await ground(t, [200])
  assert.deepEqual(await tell(), { kind: 'accepted' })
  const [request] = remote.requests
  const headers = (request?.rawHeaders ?? []).map((each) => each.toLowerCase())
  assert.equal(request?.method, 'POST')
  assert.ok(headers.includes('application/json') && headers.includes('"a.1@onward.example"'))
  assert.equal(request.body.toString(), '{"text":"x"}')
})

const REPLIES: readonly (readonly [what: string, reply: Reply, kind: string])[] = [
  ['an error for now', 503, 'not-sent'],
  ['too often', 429, 'not-sent'],
  ['gone', 410, 'refused'],
  ['not found', 404, 'refused'],
  ['a redirect, which is not followed', { status: 302, headers: { Location: 'http://127.0.0.1:9/' } }, 'not-sent'],
  ['well, and then with a body without end', { endless: 200 }, 'accepted'],
  ['well, and is cut off', { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok', then: 'reset' }, 'accepted'],
  ['a reset', 'reset', 'unknown'],
]

for (const [what, reply, kind] of REPLIES) {
  test(`a webhook that answers ${what}: ${kind}`, async (t) => {
    const { remote, tell } = await ground(t, [reply])
    assert.equal((await tell()).kind, kind)
    assert.equal(remote.requests.length, 1)
  })
}

test('a webhook at an address that the guard refuses is not dialled, by its number or by its name', async (t) => {
  const { remote, tell } = await ground(t, [200], [])
  for (const to of [
    remote.url,
    remote.url.replace('127.0.0.1', 'localhost'),
    'http://169.254.169.254/latest',
    'http://[::1]:9/',
  ]) {
    const outcome = await tell(to)
    assert.ok(outcome.kind === 'not-sent', to)
    assert.match(outcome.error, /ONWARD_ALLOW_ADDRESSES/)
  }
  assert.equal(remote.requests.length, 0)
})

test('a webhook at a forbidden port is not dialled', async (t) => {
  const { remote, tell } = await ground(t, [200], ['127.0.0.0/8'], (port) => [[port, port]])
  const error = `ONWARD_FORBID_PORTS lists its port ${remote.port}`
  assert.deepEqual(await tell(), { kind: 'not-sent', error })
  assert.equal(remote.wire.length, 0)
})

test('the URL behind a reference is in no outcome', async (t) => {
  const { remote, tell } = await ground(t, [500, 'reset'])
  const outcome = await tell('${env:HOOK}')
  assert.equal(remote.requests[0]?.path, '/services/hunter2')
  const broken = await tell('${env:HOOK}')
  const missing = await tell('${env:NONE}')
  assert.deepEqual([outcome.kind, broken.kind, missing.kind], ['not-sent', 'unknown', 'not-sent'])
  assert.doesNotMatch(JSON.stringify([outcome, broken, missing]), /hunter2/)
})

test('what a webhook gets is text for Slack, and the facts for machines', () => {
  const content: MailContent = {
    address: 'https://hooks.example/',
    notices: sampleNotices('failing', NOW),
    surplus: 0,
    cap: null,
    now: NOW,
    connection: (id) => ({
      ...sampleConnection(id),
      name: '<!channel> & <https://evil.example|registry>',
      url: 'https://a.example/?key=hidden',
    }),
    stopLink: () => null,
  }
  const body = composeWebhook(content, composeMail(content, readMailTemplates(null)))
  const { text, onward } = JSON.parse(body) as { text: string; onward: { incidents: Record<string, unknown>[] } }
  assert.match(text, /^\[demo\] &lt;!channel&gt; &amp; &lt;https:\/\/evil\.example\|registry&gt; is failing\n/)
  assert.match(text, /^The remote API has trouble of its own \(503\)\./m)
  assert.match(text, /^What the remote API said: 503: /m)
  assert.doesNotMatch(body, /hidden/)
  assert.equal(validate(JSON.parse(body)), true, JSON.stringify(validate.errors))
  const [incident] = onward.incidents
  assert.deepEqual(
    [incident?.['kind'], incident?.['connection'], incident?.['failed'], incident?.['status'], incident?.['since']],
    ['failing', 'demo/registry', 12, 503, '2026-01-02T03:03:25.000Z'],
  )
})
