// What the page for stopping notices answers. Pure. Enter: a request's method, path and token. Leave: what is asked to be changed,
// and which page is shown. A GET changes nothing: mail scanners open every link.
//
// | request | token | asks | page |
// |---|---|---|---|
// | GET `/stop` | valid | nothing | what will stop, with a button |
// | POST `/stop` (the button, or one click in the mail program) | valid | stop | stopped, with a button that undoes it |
// | POST `/resume` | valid | resume | resumed, with a button that stops again |
// | any | old, forged | nothing | that the link does not work, and what else to do |
import type { Millis } from '../shared/clock.ts'
import type { StopScope } from '../shared/notices/notice.ts'
import { readStopToken, type StopWish } from '../shared/notices/stop-token.ts'
import type { NoticeStatement } from '../shared/notices/notice-record.ts'
import type { Values } from '../shared/mail/render-template.ts'
import { safeText } from '../shared/safe-text.ts'

export type PageRequest = {
  readonly method: string
  readonly path: string
  readonly token: string
}

export type PageDecision = {
  readonly status: number
  /** To be written down before the page is shown; null: nothing changes. */
  readonly statement: NoticeStatement | null
  readonly values: Values
  readonly allow?: string
}

export const PAGE_PATHS: readonly string[] = ['/stop', '/resume']

/** @param describe how people call what a scope is about */
export function decidePage(
  { method, path, token }: PageRequest,
  secrets: readonly string[],
  describe: (scope: StopScope) => string,
  now: Millis,
): PageDecision {
  const isStop = path === '/stop'
  const allowed = isStop ? ['GET', 'HEAD', 'POST'] : ['POST']
  if (!allowed.includes(method))
    return { ...refusal(405, 'This is not how it works', 'Open the link of a mail.'), allow: allowed.join(', ') }
  const read = readStopToken(secrets, token, now)
  if (read.kind === 'expired') {
    return refusal(410, 'This link is too old', 'Use the link of a newer mail, or ask those who run Onward.')
  }
  if (read.kind === 'forged') {
    return refusal(
      400,
      'This link does not work',
      'It may have been cut: copy it whole, or use the link of another mail.',
    )
  }
  const wish: StopWish = { address: read.address, scope: read.scope }
  // Relative, for a proxy may have put something before the path.
  const values = {
    ...describeWish(wish, describe),
    token,
    stopAction: `stop?t=${token}`,
    resumeAction: `resume?t=${token}`,
  }
  if (method === 'POST' && isStop) {
    const statement = { kind: 'stop', stop: { ...wish, at: now, by: 'link', why: '' } } as const
    return { status: 200, statement, values: { ...values, title: 'Stopped', stopped: true } }
  }
  if (method === 'POST') {
    return {
      status: 200,
      statement: { kind: 'resume', ...wish },
      values: { ...values, title: 'You get them again', resumed: true },
    }
  }
  return { status: 200, statement: null, values: { ...values, title: 'Stop these mails?', asks: true } }
}

export const refusal = (status: number, title: string, words: string): PageDecision => ({
  status,
  statement: null,
  values: { title, words },
})

const describeWish = ({ address, scope }: StopWish, describe: (scope: StopScope) => string): Values => ({
  address: safeText(address),
  what: safeText(describe(scope)),
})
