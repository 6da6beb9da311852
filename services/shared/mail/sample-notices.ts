// A notice of each kind, as it might come: for `onward notices preview`, the pictures in the documents, and tests. Pure.
import type { Millis } from '../clock.ts'
import { connectionId, projectId, type ConnectionId } from '../ids.ts'
import type { Notice, NoticeFacts, NoticeKind } from '../notices/notice.ts'
import type { KnownConnection } from './compose-mail.ts'

export const SAMPLE_ADDRESS = 'ops@example.org'

/** What a preview can show: the kinds, some causes that say more than the others, and mails that tell several. */
export const SAMPLE_NAMES = [
  'failing',
  'open',
  'credentials',
  'forbidden',
  'address-not-allowed',
  'exhausted',
  'dead-letters',
  'digest',
  'recovered',
  'address-refused',
  'one-cause',
  'after-an-outage',
  'last-of-the-day',
] as const
export type SampleName = (typeof SAMPLE_NAMES)[number]

const DEMO = projectId('demo')
const MINUTE: Millis = 60_000

export const sampleConnection = (id: ConnectionId): KnownConnection => {
  const local = id.slice(id.indexOf('/') + 1)
  return { name: NAMES[local] ?? local, url: `https://${local}.example/api/forms?key=hidden` }
}

const NAMES: Readonly<Record<string, string>> = {
  registry: 'National registry',
  clinic: 'Clinic of the north',
  warehouse: 'Data warehouse',
}

/** @param now the time of the preview */
export function sampleNotices(name: SampleName, now: Millis): readonly Notice[] {
  switch (name) {
    case 'one-cause':
      return ['registry', 'clinic', 'warehouse'].map((id) => {
        const text = `getaddrinfo ENOTFOUND ${id}.example`
        return noticeOf(id, ['failing'], now, {
          last: { outcome: 'unreachable', status: null, text, at: now - 2_000 },
          since: now - 40_000,
        })
      })
    case 'after-an-outage':
      return [
        noticeOf('registry', ['failing', 'digest', 'recovered'], now, recovered(now)),
        noticeOf('clinic', ['failing', 'dead-letters', 'digest'], now, { ...lasting(now), ...letters(4) }),
      ]
    case 'last-of-the-day':
      return [noticeOf('registry', ['failing'], now, {})]
    case 'credentials':
      return [noticeOf('registry', ['open'], now, { ...said(401, '401: token expired', now), reason: 'credentials' })]
    case 'forbidden':
      return [noticeOf('registry', ['failing'], now, said(403, '403: this account may only read', now))]
    case 'address-not-allowed':
      return [noticeOf('registry', ['open'], now, { ...notDialled(now), reason: 'address-not-allowed' })]
    case 'exhausted':
      return [noticeOf('registry', ['failing', 'dead-letters'], now, exhausted(now))]
    default:
      return [noticeOf('registry', [name], now, factsOf(name, now))]
  }
}

function factsOf(kind: NoticeKind, now: Millis): Partial<NoticeFacts> {
  switch (kind) {
    case 'failing':
      return {}
    case 'open':
      return { reason: 'failures' }
    case 'dead-letters':
      return { ...letters(3), failed: 0, affected: 0, last: null, samples: [], since: now, waiting: 0, nextTryAt: null }
    case 'digest':
      return lasting(now)
    case 'recovered':
      return recovered(now)
    case 'address-refused':
      return { refusal: { address: 'former@example.org', text: '550 5.1.1 no such user' }, failed: 0 }
  }
}

const said = (status: number, text: string, now: Millis): Partial<NoticeFacts> => ({
  last: { outcome: 'answered', status, text, at: now - 2_000 },
})

const notDialled = (now: Millis): Partial<NoticeFacts> => {
  const text = '10.0.3.7 is private: not allowed unless ONWARD_ALLOW_ADDRESSES lists it'
  return { last: { outcome: 'address-not-allowed', status: null, text, at: now - 2_000 } }
}

const exhausted = (now: Millis): Partial<NoticeFacts> => ({
  ...lasting(now),
  deadLetters: 2,
  letters: [
    {
      what: 'form',
      id: 'c0ffee00-1234-4cde-8f00-aa55aa55aa55',
      repeater: 'demo/visits',
      reason: 'exhausted',
      text: '503: the database is restarting',
    },
  ],
})

const lasting = (now: Millis): Partial<NoticeFacts> => ({
  since: now - 61 * MINUTE,
  failed: 1_874,
  affected: 212,
  waiting: 212,
  nextDigestAt: now + 299 * MINUTE,
  flaps: 2,
})

const recovered = (now: Millis): Partial<NoticeFacts> => ({
  ...lasting(now),
  until: now - 2 * MINUTE,
  ...said(503, '503: the database is restarting', now - 3 * MINUTE),
  waiting: 0,
  nextTryAt: null,
  nextDigestAt: null,
})

const letters = (count: number): Partial<NoticeFacts> => ({
  deadLetters: count,
  letters: [
    {
      what: 'case',
      id: '8d6a1d0e-5c0b-4c55-9b7f-6f8f6c0a8f11',
      repeater: 'demo/patients',
      reason: 'rejected',
      text: '422: {"title":"height is not a number"}',
    },
  ],
})

function noticeOf(id: string, kinds: readonly NoticeKind[], now: Millis, facts: Partial<NoticeFacts>): Notice {
  return {
    incident: `sample-${id}`,
    sequence: 1,
    kinds,
    connection: connectionId(DEMO, id),
    project: DEMO,
    at: now,
    facts: {
      failed: 12,
      affected: 7,
      delivered: 0,
      since: now - 40_000,
      until: null,
      deadLetters: 0,
      waiting: 9,
      flaps: 0,
      nextTryAt: now + 30_000,
      nextDigestAt: now + 15 * MINUTE,
      reason: null,
      last: {
        outcome: 'answered',
        status: 503,
        text: '503: {"title":"Service unavailable","detail":"the database is restarting"}',
        at: now - 2_000,
      },
      samples: [
        { what: 'case', id: '8d6a1d0e-5c0b-4c55-9b7f-6f8f6c0a8f11', repeater: 'demo/patients' },
        { what: 'case', id: '17f3a5b2-0b8e-4b9a-8f0d-0d0f3f0f9a52', repeater: 'demo/patients' },
        { what: 'form', id: 'c0ffee00-1234-4cde-8f00-aa55aa55aa55', repeater: 'demo/visits' },
      ],
      letters: [],
      refusal: null,
      ...facts,
    },
  }
}
