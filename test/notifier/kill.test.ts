// Two notifiers, one of them killed at each step: every incident is told at least once, and twice only after a kill between the
// send and the note of it, by the same Message-ID. Real processes, broker and mail server; the test kills from within the server.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { SMTPServerOptions } from 'smtp-server'
import { connectionId } from '../../services/shared/ids.ts'
import { ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import { renderFailureRecord, type FailureRecord } from '../../services/shared/notices/failure-record.ts'
import { demo } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import { mailbox } from '../support/mailbox.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { until } from '../support/until.ts'

const RULES = `project: demo
connections:
  - { id: a, url: 'https://a.example/', notify: [ops@example.org] }
`
/** A member that is killed is missed after ten seconds; then the group is joined anew. */
const TAKEN_OVER_WITHIN_MS = 40_000

const failing = (sequence: number, overrides: Partial<FailureRecord> = {}): FailureRecord => ({
  kind: 'failing',
  state: 'failing',
  connection: connectionId(demo, 'a'),
  project: demo,
  member: 'host:1',
  run: 1,
  sequence,
  at: Date.now(),
  since: Date.now() - 40_000,
  failed: 3,
  affected: 1,
  delivered: 0,
  lastFailedAt: Date.now(),
  deadLettered: 0,
  waiting: 1,
  nextTryAt: null,
  reason: null,
  last: { outcome: 'answered', status: 503, text: '503', at: Date.now() },
  samples: [],
  letters: [],
  ...overrides,
})

async function openPair(
  t: TestContext,
  server: Partial<SMTPServerOptions>,
  settings: Readonly<Record<string, string>> = {},
) {
  const ground = await openGround(t, 1)
  const box = await mailbox(t, server)
  await ground.configure(RULES)
  const environment = {
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: 'onward@example.org',
    ONWARD_MAIL_GATHER: '100ms',
    ...settings,
  }
  const first = await ground.startNotifier(environment)
  const second = await ground.startNotifier(environment)
  const isActive = async (process: ServiceProcess) => (await process.metric('onward_notifier_active')) === 1
  return {
    ground,
    box,
    /** The member that works now: a join may have moved the partition. */
    working: async () => {
      let working: ServiceProcess | undefined
      await until(
        'one of them works',
        async () => {
          const [one, two] = await Promise.all([isActive(first), isActive(second)])
          working = one === two ? undefined : one ? first : second
          return working !== undefined
        },
        TAKEN_OVER_WITHIN_MS,
      )
      return working === first ? { working: first, other: second } : { working: second, other: first }
    },
    fail: (record: FailureRecord) =>
      ground.producer.send(ownTopic(ground.prefix, 'failures'), [renderFailureRecord(record)]),
    /** What the newest record of the address says. */
    boxed: async (): Promise<string> =>
      (await ground.readOwn('notices'))
        .findLast(({ key }) => key?.toString() === 'address/ops@example.org')
        ?.value?.toString() ?? '',
  }
}

test('killed before the mail is made: the other sends it, once', async (t) => {
  // The notice lies in its box for so long.
  const { box, working, fail, boxed } = await openPair(t, {}, { ONWARD_MAIL_GATHER: '3s', ONWARD_MAIL_QUIET: '1m' })
  await fail(failing(1))
  await until('the notice is written down', async () => (await boxed()).includes('"pending":[{'))
  await (await working()).working.stop('SIGKILL')
  assert.equal(box.mails.length, 0)
  await box.took(1)
  await until('it is noted', async () => /"pending":\[\],.*"mail":null/.test(await boxed()), TAKEN_OVER_WITHIN_MS)
  assert.equal(box.mails.length, 1)
})

test('killed before the mail is sent: the other sends it, once', async (t) => {
  let victim: ServiceProcess | undefined
  const { box, working, fail, boxed } = await openPair(t, {
    onMailFrom: (_address, _session, done) => {
      const killed = victim
      victim = undefined
      if (!killed) return done()
      killed.stop('SIGKILL').then(() => done(), done)
    },
  })
  victim = (await working()).working
  await fail(failing(1))
  await box.took(1)
  await until('it is noted', async () => (await boxed()).includes('"mail":null'), TAKEN_OVER_WITHIN_MS)
  assert.equal(box.mails.length, 1)
})

test('killed after the mail was sent and before that was noted: the other sends it again, by the same Message-ID', async (t) => {
  const taken: string[] = []
  let victim: ServiceProcess | undefined
  const { working, fail, boxed } = await openPair(t, {
    onData: (stream, _session, done) => {
      let text = ''
      stream.on('data', (bytes: Buffer) => {
        text += bytes.toString()
      })
      stream.on('end', () => {
        taken.push(/^Message-ID: (.+)$/im.exec(text)?.[1] ?? '')
        const killed = victim
        victim = undefined
        if (!killed) return done()
        killed.stop('SIGKILL').then(() => done(), done)
      })
    },
  })
  victim = (await working()).working
  await fail(failing(1))
  await until('both are taken', async () => taken.length >= 2, TAKEN_OVER_WITHIN_MS)
  await until('it is noted', async () => (await boxed()).includes('"mail":null'), TAKEN_OVER_WITHIN_MS)
  assert.deepEqual([taken.length, new Set(taken).size], [2, 1])
})

test('a member that stops hands over within seconds, and nothing is told twice', async (t) => {
  const { box, working, fail } = await openPair(t, {})
  await fail(failing(1))
  await box.took(1)
  const { working: leaving, other } = await working()
  const startedAt = performance.now()
  assert.equal(await leaving.stop('SIGTERM'), 0)
  await until('the other works', async () => (await other.metric('onward_notifier_active')) === 1, TAKEN_OVER_WITHIN_MS)
  t.diagnostic(`handed over within ${Math.round(performance.now() - startedAt)} ms`)
  // Read twice, as after a crash before the commit; then what is new.
  await fail(failing(1))
  await fail(failing(2, { kind: 'open', state: 'open', reason: 'credentials' }))
  await box.took(2)
  const [first, second] = box.mails
  assert.deepEqual(
    [first, second].map((mail) => mail?.parsed.subject),
    ['[demo] a is failing', '[demo] a is failing: requests are on hold'],
  )
  assert.equal(second?.header('in-reply-to'), first?.header('message-id'))
})
