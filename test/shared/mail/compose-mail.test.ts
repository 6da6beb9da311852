import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { composeMail, type MailContent } from '../../../services/shared/mail/compose-mail.ts'
import { readMailTemplates } from '../../../services/shared/mail/read-templates.ts'
import { SAMPLE_NAMES, sampleConnection, sampleNotices } from '../../../services/shared/mail/sample-notices.ts'
import { NOTICES_LIMIT, type Notice } from '../../../services/shared/notices/notice.ts'
import { holdsFor } from '../../support/property.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const templates = readMailTemplates(null)

const compose = (notices: readonly Notice[], overrides: Partial<MailContent> = {}) =>
  composeMail(
    {
      address: 'ops@example.org',
      notices,
      surplus: 0,
      cap: null,
      now: NOW,
      connection: sampleConnection,
      stopLink: () => 'https://onward.example/stop?t=token',
      ...overrides,
    },
    templates,
  )

/** The tags of a page, in order. */
const tagsOf = (html: string): readonly string[] => html.match(/<[^>]*>/g) ?? []

const HOSTILE = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constantFrom(
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    'a\r\nBcc: evil@example.org\r\n\r\n<b>',
    '\u202egnp.exe',
    '{{#incidents}}{{address}}{{/incidents}}',
    'x'.repeat(100_000),
    '\ud800',
  ),
)

test('whatever a remote, a name or an id says, it begins no header, no tag and no section', (t) => {
  const [sample] = sampleNotices('failing', NOW)
  assert.ok(sample)
  const tame = tagsOf(compose([sample]).html)
  holdsFor(
    t,
    fc.property(HOSTILE, HOSTILE, HOSTILE, (words, name, id) => {
      const facts = {
        ...sample.facts,
        last: { outcome: 'answered', status: 500, text: words, at: NOW },
        samples: sample.facts.samples.map((each) => ({ ...each, id })),
      }
      const mail = compose([{ ...sample, facts }], { connection: () => ({ name, url: 'https://a.example/x?y=z' }) })
      assert.doesNotMatch(mail.subject, /[\p{Cc}\u2028\u2029\u202a-\u202e]/u)
      assert.ok(mail.subject.length <= 150)
      // No words at all leave their own part of the page out; words never add any.
      const tags = tagsOf(mail.html)
      assert.ok(tags.length <= tame.length, `${tags.length} tags instead of ${tame.length}`)
      for (const tag of tags) assert.ok(tame.includes(tag), tag)
      assert.doesNotMatch(mail.text, /^Bcc:/im)
      assert.ok(mail.html.length < 60_000 && mail.text.length < 20_000)
    }),
  )
})

test('every kind says what it is about, who gets it and why, and how to stop', () => {
  for (const name of SAMPLE_NAMES) {
    const { subject, text, html } = compose(sampleNotices(name, NOW))
    assert.match(subject, /^\[demo\] \S/, name)
    for (const body of [text, html]) {
      assert.ok(body.includes('ops@example.org') && body.includes('https://onward.example/stop?t=token'), name)
      assert.doesNotMatch(body, /key=hidden/, name)
    }
  }
})

test('without a page the mail names the command that stops it', () => {
  const { text, stopLink } = compose(sampleNotices('failing', NOW), { stopLink: () => null })
  assert.equal(stopLink, null)
  assert.match(text, /npx onward notices stop ops@example\.org --connection demo\/registry/)
})

test('a mail about a thousand connections stays readable: some in full, some in a line, the rest as a count', () => {
  const [sample] = sampleNotices('failing', NOW)
  assert.ok(sample)
  const notices = Array.from({ length: NOTICES_LIMIT }, () => sample)
  const { subject, text, html } = compose(notices, { surplus: 780 })
  assert.equal(subject, '[demo] 1000 connections: 220 failing, 780 more')
  assert.match(text, /and 780 connections more/)
  assert.ok(html.length < 300_000, `${html.length} characters`)
})

test('of a dead letter that holds its case the mail says so, and what to run; of others it does not', () => {
  const [sample] = sampleNotices('dead-letters', NOW)
  const [letter] = sample?.facts.letters ?? []
  assert.ok(sample && letter)
  const of = (letters: typeof sample.facts.letters) => compose([{ ...sample, facts: { ...sample.facts, letters } }])
  const held = of([letter, { ...letter, held: true }])
  for (const body of [held.text, held.html]) {
    assert.match(body, /holds its case; \w+/)
    assert.match(body, /wait for you: put the letter back/)
    for (const verb of ['requeue', 'cancel']) assert.ok(body.includes(`npx onward dead-letters ${verb} --connection`))
  }
  assert.doesNotMatch(of([letter]).text, /holds its case|cancel/)
})
