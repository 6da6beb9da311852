// The page where people stop notices, over HTTP. Enter: requests. Leave: a page, after what it says was written down.
// Never: a script, a cookie, a referrer (the address of the page is the key to it), a page in a frame, a body that is kept.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { Log } from '../shared/log.ts'
import type { Template } from '../shared/mail/render-template.ts'
import type { StopScope } from '../shared/notices/notice.ts'
import { decidePage, PAGE_PATHS, refusal, type PageDecision } from './decide-page.ts'
import type { NoticeStore } from './notice-store.ts'
import { RateLimit } from './rate-limit.ts'

export type StopPageOptions = {
  readonly store: NoticeStore
  readonly secrets: readonly string[]
  readonly template: Template
  readonly describe: (scope: StopScope) => string
  readonly onStopped: (kind: 'stop' | 'resume') => void
  readonly clock: Clock
  readonly log: Log
}

/** A person clicks a few times; whoever tries tokens does more. For each peer: behind a proxy that is everybody together. */
const BURST = 30
const PER_SECOND = 2
const PEERS_LIMIT = 10_000
/** A click waits so long for the brokers. */
const WRITTEN_WITHIN = 8_000
/** A form or a one-click POST is a few bytes; more is thrown away unread. */
const LONGEST_BODY = 4_096

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  // Styles stand in the page; nothing else is loaded, run, framed or sent elsewhere.
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'X-Robots-Tag': 'noindex, nofollow',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'interest-cohort=()',
}

/** @returns what answers a request, and whether it did */
export function openStopPage(
  options: StopPageOptions,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { clock, log, template } = options
  const limit = new RateLimit(BURST, PER_SECOND, PEERS_LIMIT)

  const answer = (response: ServerResponse, { status, values, allow }: PageDecision, withBody: boolean) => {
    const body = template(values)
    const headers = {
      ...HEADERS,
      'Content-Length': Buffer.byteLength(body),
      ...(allow === undefined ? {} : { Allow: allow }),
    }
    response.writeHead(status, headers)
    response.end(withBody ? body : undefined)
  }
  const decide = async (request: IncomingMessage, path: string, token: string): Promise<PageDecision> => {
    if (!limit.take(request.socket.remoteAddress ?? '', clock.monotonic())) {
      return refusal(429, 'Too many requests', 'Wait a minute, then open the link again.')
    }
    const decision = decidePage(
      { method: request.method ?? '', path, token },
      options.secrets,
      options.describe,
      clock.now(),
    )
    return decision.statement === null ? decision : write(decision, decision.statement)
  }
  const write = async (
    decision: PageDecision,
    statement: NonNullable<PageDecision['statement']>,
  ): Promise<PageDecision> => {
    const ended = new AbortController()
    const written = await Promise.race([
      options.store.write([statement], ended.signal).then(() => !ended.signal.aborted),
      clock.sleep(WRITTEN_WITHIN, ended.signal).then(() => false),
    ])
    ended.abort()
    if (!written) return refusal(503, 'That did not work just now', 'Try again in a few minutes.')
    const kind = statement.kind === 'resume' ? 'resume' : 'stop'
    options.onStopped(kind)
    log.info('notices-stopped', { kind, by: 'link' })
    return decision
  }

  return (request, response) => {
    const { path, token } = readUrl(request.url ?? '')
    if (!PAGE_PATHS.includes(path)) return false
    drain(request)
    decide(request, path, token).then(
      (decision) => answer(response, decision, request.method !== 'HEAD'),
      (error: unknown) => {
        log.error('stop-page-failed', { error: errorText(error) })
        answer(response, refusal(500, 'That did not work', 'It is our fault, and was noted.'), true)
      },
    )
    return true
  }
}

function readUrl(url: string): { path: string; token: string } {
  const [path = '', query = ''] = url.split('?')
  return { path, token: new URLSearchParams(query).get('t') ?? '' }
}

/** What is in the body says nothing that the link does not say. */
function drain(request: IncomingMessage): void {
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > LONGEST_BODY) request.destroy()
  })
}
