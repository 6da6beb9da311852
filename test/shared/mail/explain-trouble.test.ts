// Which words a mail has for which trouble: what happened, what happens next, what somebody can do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeMail } from '../../../services/shared/mail/compose-mail.ts'
import { readMailTemplates } from '../../../services/shared/mail/read-templates.ts'
import {
  SAMPLE_ADDRESS,
  sampleConnection,
  sampleNotices,
  type SampleName,
} from '../../../services/shared/mail/sample-notices.ts'
import type { Words } from '../../../services/shared/notices/failure-record.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const templates = readMailTemplates(null)

function textOf(name: SampleName, last?: Partial<Words>): string {
  const notices = sampleNotices(name, NOW).map((notice) => {
    const { facts } = notice
    return last && facts.last ? { ...notice, facts: { ...facts, last: { ...facts.last, ...last } } } : notice
  })
  const content = { address: SAMPLE_ADDRESS, notices, surplus: 0, cap: null, now: NOW, connection: sampleConnection }
  return composeMail({ ...content, stopLink: () => null }, templates).text
}

const ON_HOLD =
  'Only one request now and then is made until one succeeds; the next goes out at 2026-01-02 03:04:35 UTC.'
const BY_SCHEDULE = 'The next request goes out at 2026-01-02 03:04:35 UTC. What waits is kept, in order per case.'

const SAMPLES: readonly (readonly [name: SampleName, words: readonly string[]])[] = [
  [
    'credentials',
    [
      'The remote API does not accept our credentials (401).',
      'Put right what "auth" of the connection says, or the secret that it refers to, and apply the file again.',
      ON_HOLD,
      'npx onward test connection demo/registry',
    ],
  ],
  ['forbidden', ['The remote API says that we may not do this (403).', 'which rights this account lacks', BY_SCHEDULE]],
  [
    'address-not-allowed',
    [
      'Its URL leads to an address that Onward may not connect to.',
      'list its network in ONWARD_ALLOW_ADDRESSES of the forwarders',
      'What went wrong, at',
      ON_HOLD,
    ],
  ],
  [
    'exhausted',
    [
      'form c0ffee00-1234-4cde-8f00-aa55aa55aa55: tried as often and as long as its connection says: 503: the database',
      'npx onward dead-letters requeue --connection demo/registry',
    ],
  ],
  ['dead-letters', ['Deliveries to it were given up.', ': refused for good: 422: ']],
]

for (const [name, words] of SAMPLES) {
  test(`a mail of the kind ${name} says what happened, what happens next and what to run`, () => {
    const text = textOf(name)
    for (const each of words) assert.ok(text.includes(each), `${each} in\n${text}`)
  })
}

const SEEN: readonly (readonly [last: Partial<Words>, words: RegExp])[] = [
  [{ status: 407 }, /does not accept our credentials \(407\)/],
  [{ status: 404 }, /nothing at this URL \(404\)\.\nCheck "url"/],
  [{ status: 429 }, /asks for fewer requests \(429\)/],
  [{ status: 308 }, /a redirect, which is never followed \(308\)/],
  [{ status: 400 }, /refuses what it gets \(400\)/],
  [{ status: 200 }, /answers as if all were well, and says that it failed \(200\)/],
  [{ status: null, outcome: 'unreachable' }, /No connection to it can be made[^]*What went wrong, at/],
  [{ status: null, outcome: 'broken' }, /a request may have reached it all the same/],
  [{ status: null, outcome: 'unsendable' }, /something they need is missing here\.\nSet what is named below/],
]

for (const [last, words] of SEEN) {
  test(`${last.outcome ?? last.status ?? ''} has words of its own`, () => assert.match(textOf('failing', last), words))
}

test('a mail that says that it is over explains no trouble', () => {
  assert.doesNotMatch(textOf('recovered'), /has trouble of its own/)
})

test('the URL of a webhook that is gone is in no mail: it may be a secret', () => {
  const [notice] = sampleNotices('address-refused', NOW)
  assert.ok(notice)
  const refusal = { address: 'https://hooks.example/services/hunter2', text: 'it answered 410' }
  const notices = [{ ...notice, facts: { ...notice.facts, refusal } }]
  const content = { address: SAMPLE_ADDRESS, notices, surplus: 0, cap: null, now: NOW, connection: sampleConnection }
  const { subject, text, html } = composeMail({ ...content, stopLink: () => null }, templates)
  assert.doesNotMatch(subject + text + html, /hunter2/)
  assert.match(text, /The webhook https:\/\/hooks\.example\/… is not there any more:\n {4}it answered 410/)
})
