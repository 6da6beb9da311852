// One notice → the values that the templates show. Pure. Everything that came from outside is made safe here, once.
import type { Millis } from '../clock.ts'
import type { Letter, Sample } from '../notices/failure-record.ts'
import type { Notice, NoticeFacts, NoticeKind } from '../notices/notice.ts'
import { showAddress, wayOf } from '../notices/way.ts'
import { safeText } from '../safe-text.ts'
import type { KnownConnection } from './compose-mail.ts'
import { explainLetter, explainTrouble } from './explain-trouble.ts'
import { renderMoment, renderSpan } from './render-moment.ts'
import type { Values } from './render-template.ts'

export function describeNotice(notice: Notice, known: KnownConnection, now: Millis): Values {
  const { facts, kinds } = notice
  const kind = kinds.at(-1) ?? 'failing'
  const isOver = kind === 'recovered'
  const isTrouble = facts.failed > 0
  const connection = safeText(notice.connection)
  const next = isOver ? [] : nextOf(facts, kind, now)
  const commands = commandsOf(connection, facts, isOver)
  const { happened, remedy } = explainTrouble(facts)
  return {
    title: safeText(known?.name ?? localName(notice.connection)),
    connection,
    project: safeText(notice.project),
    url: known ? visibleUrl(known.url) : null,
    state: stateOf(kinds, facts),
    ...toneOf(isOver ? 'good' : kind === 'dead-letters' || !isTrouble ? 'warn' : 'bad'),
    badge: kind === 'digest' && !isTrouble ? BADGES['dead-letters'] : BADGES[kind],
    happened: isOver ? null : happened,
    remedy: isOver ? null : remedy,
    refusal: facts.refusal && describeRefusal(facts.refusal),
    about: kind !== 'address-refused',
    since: isTrouble || isOver ? renderMoment(facts.since) : null,
    lasted: isTrouble || isOver ? renderSpan((facts.until ?? now) - facts.since) : null,
    until: facts.until === null ? null : renderMoment(facts.until),
    flaps: facts.flaps > 0 ? times(facts.flaps) : null,
    failed: isTrouble
      ? `${counted(facts.failed, 'attempt')} of ${counted(facts.affected, 'delivery', 'deliveries')}`
      : null,
    waiting: `${facts.waiting}`,
    deadLetters: facts.deadLetters > 0 ? facts.deadLetters : null,
    deadLettersShown: `${facts.deadLetters}`,
    wordsFrom: facts.last?.status == null ? 'What went wrong' : 'What the remote API said',
    words: facts.last === null ? null : safeText(facts.last.text),
    status: facts.last?.status ?? null,
    wordsAt: facts.last === null ? null : renderMoment(facts.last.at),
    hasSamples: facts.samples.length > 0,
    samples: facts.samples.map(describeSample),
    moreSamples: Math.max(0, facts.affected - facts.samples.length) || null,
    letters: facts.letters.map(describeLetter),
    moreLetters: Math.max(0, facts.deadLetters - facts.letters.length) || null,
    hasNext: next.length > 0,
    next,
    commands,
  }
}

/** The end of a sentence that begins with the connection's name. */
function stateOf(kinds: readonly NoticeKind[], facts: NoticeFacts): string {
  const kind = kinds.at(-1) ?? 'failing'
  const letters = counted(facts.deadLetters, 'dead letter')
  switch (kind) {
    case 'failing':
      return 'is failing'
    case 'open':
      return 'is failing: requests are on hold'
    case 'dead-letters':
      return facts.failed > 0 ? `is failing, with ${letters}` : `has ${letters}`
    case 'digest':
      return facts.failed > 0 ? 'is still failing' : `has ${letters} now`
    case 'recovered':
      return kinds.length > 1 ? 'failed and is back to normal' : 'is back to normal'
    case 'address-refused':
      return `cannot tell ${shown(facts.refusal?.address ?? 'an address')} any more`
  }
}

const BADGES: Readonly<Record<NoticeKind, string>> = {
  failing: 'Failing',
  open: 'On hold',
  'dead-letters': 'Dead letters',
  digest: 'Still failing',
  recovered: 'Back to normal',
  'address-refused': 'Address refused',
}

/** A section for each, since a template compares nothing. */
const toneOf = (tone: 'good' | 'warn' | 'bad'): Values => ({
  tone,
  toneGood: tone === 'good',
  toneWarn: tone === 'warn',
  toneBad: tone === 'bad',
})

function nextOf(
  { nextTryAt, nextDigestAt, waiting, failed, reason, letters }: NoticeFacts,
  kind: NoticeKind,
  now: Millis,
): readonly string[] {
  if (kind === 'address-refused') return []
  const goesOut = nextTryAt !== null && nextTryAt > now ? ` goes out at ${renderMoment(nextTryAt)}` : ''
  const onHold = `Only one request now and then is made until one succeeds${goesOut === '' ? '' : `; the next${goesOut}`}.`
  const bySchedule =
    goesOut === '' ? 'Requests go on by the schedule of the connection.' : `The next request${goesOut}.`
  const tries = waiting === 0 ? [] : [`${reason === null ? bySchedule : onHold} What waits is kept, in order per case.`]
  const held = letters.some(isHeld)
    ? [
        'Later changes of a case that its dead letter holds wait for you: put the letter back (requeue), and they follow it, or let them go on without it (cancel). Both are dry runs until --yes.',
      ]
    : []
  if (nextDigestAt === null) return [...held, ...tries]
  const at = renderMoment(nextDigestAt)
  // Dead letters alone are never over: nobody is promised a mail that says so.
  const later =
    failed > 0
      ? `While it lasts, the next mail comes at ${at}; one comes when it is over.`
      : `Should there be more, they are told at ${at}.`
  return [...held, ...tries, later]
}

const isHeld = ({ held }: Letter): boolean => held === true

const commandsOf = (connection: string, { deadLetters, letters }: NoticeFacts, isOver: boolean): readonly Values[] => [
  ...(isOver
    ? []
    : [{ label: 'To send it a sample and see each step:', command: `npx onward test connection ${connection}` }]),
  ...(deadLetters > 0
    ? [
        { label: 'To see what was given up:', command: `npx onward dead-letters list --connection ${connection}` },
        {
          label: 'To put it back, a dry run first:',
          command: `npx onward dead-letters requeue --connection ${connection}`,
        },
      ]
    : []),
  ...(letters.some(isHeld)
    ? [
        {
          label: 'To let the cases that they hold go on without them, a dry run first:',
          command: `npx onward dead-letters cancel --connection ${connection}`,
        },
      ]
    : []),
]

function describeRefusal({ address, text }: { readonly address: string; readonly text: string }): Values {
  const isShown = showAddress(address) === address
  return {
    happened:
      wayOf(address) === 'mail'
        ? `The mail server of ${shown(address)} refuses mail to it:`
        : `The webhook ${shown(address)} is not there any more:`,
    text: safeText(text),
    resume: isShown ? `npx onward notices resume '${shown(address)}' --all` : 'npx onward notices list',
  }
}

const shown = (address: string): string => safeText(showAddress(address))

const describeSample = ({ what, id, repeater }: Sample): Values => ({
  what,
  id: safeText(id),
  repeater: safeText(repeater),
})

const describeLetter = ({ what, id, repeater, reason, text, held }: Letter): Values => ({
  what,
  id: safeText(id),
  repeater: safeText(repeater),
  why: held ? `holds its case; ${explainLetter(reason)}` : explainLetter(reason),
  text: safeText(text),
})

const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`)

const localName = (connection: string): string => connection.slice(connection.indexOf('/') + 1)

/** A query may hold a token, and an address what a name hides: origin and path say where it goes. */
export function visibleUrl(url: string): string {
  if (!URL.canParse(url)) return ''
  const { origin, pathname, search } = new URL(url)
  return safeText(`${origin}${pathname}${search === '' ? '' : '?…'}`)
}
