// The whole way, with processes, a real broker and a real SMTP server: an endpoint fails, somebody is told, it heals, somebody is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import { caseValue } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import { mailbox } from '../support/mailbox.ts'
import { targetServer } from '../support/target-server.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { until } from '../support/until.ts'

const FROM = 'Onward <onward@example.org>'

const rules = (url: string, notify: string): string => `project: demo
connections:
  - { id: registry, name: National registry, url: '${url}?token=hunter2', notify: [${notify}], schedule: [1s, 1s, 1s, 1s, 1s, 1s, 1s] }
repeaters:
  - { id: cases, connection: registry, forward: cases, supersede: never }
`

const FORMS = 12
const formValue = (index: number): string =>
  JSON.stringify({
    project: 'demo',
    form_id: `form-${index}`,
    xmlns: 'http://example.org/visit',
    received_on: '2026-01-01T00:00:00Z',
    case_ids: [`case-${index}`],
    xml: '<data/>',
  })

/** Incidents made known = mails + digested + capped + opted out + what waits. */
const accountsClose = (notifier: ServiceProcess): Promise<void> =>
  until('the accounts close', async () => {
    const [made, told, suppressed, pending] = await Promise.all(
      ['made_total', 'total', 'suppressed_total', 'pending'].map((name) => notifier.metric(`onward_notices_${name}`)),
    )
    return made === (told ?? 0) + (suppressed ?? 0) + (pending ?? 0) && pending === 0
  })

test('a failing endpoint brings one mail, its recovery the second, in one conversation', async (t) => {
  const ground = await openGround(t, 2)
  const box = await mailbox(t)
  const remote = await targetServer(t, {
    replies: [{ status: 503, body: 'the database\r\nBcc: <b>evil</b>' }, 503, 503, 200],
  })
  await ground.configure(rules(remote.url, 'ops@example.org'))
  const notifier = await ground.startNotifier({
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: FROM,
    ONWARD_MAIL_QUIET: '1s',
    ONWARD_MAIL_GATHER: '100ms',
  })
  await ground.startForwarder({ ONWARD_FAILING_AFTER: '1s' })
  await ground.producer.send(ground.topics.cases, [{ key: 'case-1', value: caseValue({ caseId: 'case-1' }) }])

  const [first, second] = await box.took(2)
  assert.ok(first && second)
  assert.equal(first.parsed.subject, '[demo] National registry is failing')
  assert.equal(second.parsed.subject, '[demo] National registry is back to normal')
  assert.deepEqual(first.to, ['ops@example.org'])
  assert.match(first.header('message-id') ?? '', /^<[\w.]+@example\.org>$/)
  assert.equal(second.header('in-reply-to'), first.header('message-id'))
  assert.equal(second.header('references'), first.header('message-id'))
  assert.equal(first.header('auto-submitted'), 'auto-generated')
  assert.match(first.header('date') ?? '', /[+-]\d{4}$/)
  const { text = '', html = '' } = first.parsed
  for (const words of ['demo/registry', '/?…', 'case case-1', '1 delivery', '503'])
    assert.ok(text.includes(words), `${words} in\n${text}`)
  assert.doesNotMatch(first.raw + second.raw, /hunter2/)
  assert.ok(html.includes('National registry') && !html.includes('<b>evil'))
  await until('both are noted', async () => (await notifier.metric('onward_notices_total', 'way="mail"')) === 2)
  assert.equal(await notifier.metric('onward_notices_made_total'), 2)
  await accountsClose(notifier)
  assert.ok((await notifier.metric('onward_notifier_last_success_timestamp_seconds')) > 1_700_000_000)
  assert.equal(box.mails.length, 2)
  assert.equal(await notifier.stop('SIGTERM'), 0)
})

test('a mail about forms names them by their own ids, and says how many wait, parked ones too', async (t) => {
  const ground = await openGround(t, 2, {}, ['1s', '3s'])
  const box = await mailbox(t)
  let isDown = true
  const remote = await targetServer(t, { reply: () => (isDown ? 503 : 200) })
  // Longer than the first retry topic's delay: every failure is parked.
  await ground.configure(`project: demo
connections:
  - { id: registry, url: '${remote.url}', notify: [ops@example.org], schedule: [${Array(40).fill('2s').join(', ')}] }
repeaters:
  - { id: visits, connection: registry, forward: forms }
`)
  const notifier = await ground.startNotifier({
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: FROM,
    // How many wait is told one, three and seven seconds after the recovery: by then the last has come back from its retry topic.
    ONWARD_MAIL_QUIET: '10s',
    ONWARD_MAIL_GATHER: '100ms',
  })
  const forwarder = await ground.startForwarder({ ONWARD_FAILING_AFTER: '5s' })
  const forms = Array.from({ length: FORMS }, (_, index) => ({ key: `case-${index}`, value: formValue(index) }))
  await ground.producer.send(ground.topics.forms, forms)
  const [failing] = await box.took(1)
  assert.match(failing?.parsed.text ?? '', /^ {4}form form-\d+$/m)
  assert.doesNotMatch(failing?.parsed.text ?? '', /case case-/)
  assert.match(failing?.parsed.text ?? '', new RegExp(`^Waiting +${FORMS}$`, 'm'))
  assert.ok((await forwarder.metric('onward_deliveries_parked_total')) > 0)
  isDown = false
  await box.took(2)
  const recovered = box.mails.find(({ parsed }) => parsed.subject?.includes('is back to normal'))
  assert.match(recovered?.parsed.text ?? '', /^Waiting +0$/m)
  await accountsClose(notifier)
})

test('one click stops, a look does not, undo works, a changed token does not; others go on getting mail', async (t) => {
  const ground = await openGround(t, 2)
  const box = await mailbox(t)
  let isDown = true
  const remote = await targetServer(t, { reply: () => (isDown ? 503 : 200) })
  await ground.configure(rules(remote.url, 'ops@example.org, lead@example.org'))
  const notifier = await ground.startNotifier({
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: FROM,
    ONWARD_MAIL_QUIET: '1s',
    ONWARD_MAIL_GATHER: '100ms',
    ONWARD_PUBLIC_URL: 'https://onward.example/mails',
    ONWARD_LINK_SECRET: 'n'.repeat(32),
  })
  await ground.startForwarder({ ONWARD_FAILING_AFTER: '1s' })
  await ground.producer.send(ground.topics.cases, [{ key: 'case-1', value: caseValue({ caseId: 'case-1' }) }])
  await box.took(2)
  const ofOps = box.mails.find(({ to }) => to[0] === 'ops@example.org')
  const link =
    /^<https:\/\/onward\.example\/mails(\/stop\?t=[\w.-]+)>$/.exec(ofOps?.header('list-unsubscribe') ?? '')?.[1] ?? ''
  assert.equal(ofOps?.header('list-unsubscribe-post'), 'List-Unsubscribe=One-Click')
  assert.ok(ofOps.parsed.text?.includes(link) && ofOps.parsed.html?.includes(link))
  const page = `http://127.0.0.1:${notifier.port}`
  const ask = async (path: string, method: string, body?: string) => {
    const response = await fetch(`${page}${path}`, { method, ...(body === undefined ? {} : { body }) })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  const stops = async () =>
    (await ground.readOwn('notices')).flatMap(({ key, value }) =>
      key?.toString().startsWith('stop/') ? [`${key.toString()} ${value === null ? 'resumed' : 'stopped'}`] : [],
    )

  for (const method of ['GET', 'HEAD', 'GET']) assert.equal((await ask(link, method)).status, 200)
  const looked = await ask(link, 'GET')
  assert.match(looked.text, /<b>ops@example\.org<\/b> will get no more mails about National registry/)
  assert.doesNotMatch(looked.text, /<script/)
  assert.match(looked.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  assert.equal(looked.headers.get('referrer-policy'), 'no-referrer')
  assert.equal(looked.headers.get('cache-control'), 'no-store')
  const changed = `${link.slice(0, -5)}${link.endsWith('AAAAA') ? 'BBBBB' : 'AAAAA'}`
  for (const token of [changed, link.slice(0, -1), '/stop?t=', '/stop?t=a.b', `${link}.x`, '/stop']) {
    assert.equal((await ask(token, 'POST')).status, 400, token)
  }
  assert.equal((await ask(link, 'PUT')).status, 405)
  assert.deepEqual(await stops(), [])

  assert.equal((await ask(link, 'POST', 'List-Unsubscribe=One-Click')).status, 200)
  const resume = link.replace('/stop', '/resume')
  const undone = await ask(resume, 'POST')
  assert.match(undone.text, /gets mails about National registry again/)
  const stopped = await ask(link, 'POST', 'List-Unsubscribe=One-Click')
  assert.match(stopped.text, /gets no more mails about National registry/)
  const key = 'stop/connection/demo/registry/ops@example.org'
  assert.deepEqual(await stops(), [`${key} stopped`, `${key} resumed`, `${key} stopped`])

  isDown = false
  await box.took(3)
  const noted = () => notifier.metric('onward_notices_suppressed_total', 'reason="opted-out"')
  await until('the one that is not told is noted', async () => (await noted()) === 1)
  assert.deepEqual(
    box.mails.slice(2).map(({ to, parsed }) => `${to.join()} ${parsed.subject ?? ''}`),
    ['lead@example.org [demo] National registry is back to normal'],
  )
  assert.equal(await notifier.metric('onward_notice_stops_total'), 3)
  await accountsClose(notifier)
})

test('a memory that a later version has written is not guessed at: the notifier ends and says which version to start', async (t) => {
  const ground = await openGround(t, 1)
  const box = await mailbox(t)
  await ground.producer.send(ownTopic(ground.prefix, 'notices'), [
    { key: 'address/ops@example.org', value: '{"v":2,"what":"else"}' },
  ])
  await assert.rejects(
    ground.startNotifier({ SMTP_URL: box.url, ONWARD_MAIL_FROM: FROM }),
    /ended with 1: .*holds a record of a later version of Onward \(address\/ops@example\.org, version 2\)/s,
  )
})
