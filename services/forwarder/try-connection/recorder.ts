// Remotes that note what passes. Enter: remotes. Leave: the same, and each exchange as lines for a person, secrets masked.
import type { Attempted } from '../outcome.ts'
import type { RemotesWithTokens } from '../attempt.ts'
import { emptyReply, type Conceal, type Reply } from '../exchange.ts'
import { readBody, type ResponseHeaders } from '../read-words.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Connection } from '../../shared/forwarding/connection.ts'
import type { Request } from '../render-request.ts'
import { safeText } from '../../shared/safe-text.ts'

export type Recorded = {
  readonly what: 'request' | 'token'
  readonly attempted: Attempted
  readonly headers: ResponseHeaders
  readonly lines: readonly string[]
}

export type Recorder = { readonly remotes: RemotesWithTokens; readonly recorded: readonly Recorded[] }

/** Lines of a body that a person reads at a prompt. */
const MOST_LINES = 12

export function openRecorder(remotes: RemotesWithTokens, clock: Clock, conceal: Conceal): Recorder {
  const recorded: Recorded[] = []
  const note = (what: Recorded['what'], connection: Connection, request: Request, attempted: Attempted, reply: Reply) =>
    recorded.push({
      what,
      attempted,
      headers: reply.headers,
      lines: [
        ...renderRequestLines(request, what).map((line) => `> ${safeText(conceal(connection, line))}`),
        ...renderReplyLines(attempted, reply, what).map((line) => `< ${safeText(conceal(connection, line))}`),
      ],
    })
  return {
    recorded,
    remotes: {
      attempt(connection, request, running, reply = emptyReply(), hear = (outcome) => outcome) {
        const startedAt = clock.monotonic()
        return remotes.attempt(connection, request, running, reply, (outcome) => {
          // First: whoever hears it may send the request again, with other lines.
          note('request', connection, request, { outcome, duration: clock.monotonic() - startedAt }, reply)
          return hear(outcome)
        })
      },
      async askForToken(connection, request, running, reply) {
        const attempted = await remotes.askForToken(connection, request, running, reply)
        note('token', connection, request, attempted, reply)
        return attempted
      },
      keepOnly: (configured) => remotes.keepOnly(configured),
      [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose](),
    },
  }
}

/** Proofs are secrets as a whole, whatever they were made of; a digest and a signature are not, and help to find a fault. */
const masked = (name: string, value: string): string => {
  if (name.toLowerCase() !== 'authorization') return value
  return /^(Digest|OAuth) /.test(value) ? value : value.replace(/^(\S+) .*$/, '$1 ***')
}

export function renderRequestLines(
  { method, origin, path, headers, body }: Request,
  what: Recorded['what'],
): readonly string[] {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${new URL(origin).host}`]
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = headers.slice(at, at + 2)
    lines.push(`${name}: ${masked(name, value)}`)
  }
  lines.push(`Content-Length: ${body.length}`, '')
  // A token request is nothing but secrets.
  if (what === 'token')
    return [...lines, ...[...new URLSearchParams(body.toString('utf8')).keys()].map((name) => `${name}=***`)]
  return [...lines, ...firstLines(body.toString('utf8'))]
}

function renderReplyLines(
  { outcome }: Attempted,
  { headers, pieces }: Reply,
  what: Recorded['what'],
): readonly string[] {
  if (outcome.kind !== 'answered') return []
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((one) => `${name}: ${/^set-cookie$/i.test(name) ? '***' : one}`),
  )
  const body = readBody(headers, Buffer.concat(pieces)) ?? '(compressed)'
  const granted = what === 'token' && outcome.status < 300
  return [`HTTP/1.1 ${outcome.status}`, ...lines, '', ...(granted ? ['(a token)'] : firstLines(body))]
}

function firstLines(text: string): readonly string[] {
  const lines = text === '' ? [] : text.split(/\r?\n/)
  return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), '…'] : lines
}
