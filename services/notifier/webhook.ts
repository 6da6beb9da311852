// Tells one webhook. Enter: where, and a composed notice. Leave: how it ended; it never throws for what a webhook may do.
// Never: an address that the guard refuses, a redirect that is followed, the URL in an error: it may be a secret.
import { Agent, request } from 'undici'
import type { AddressGuard } from '../shared/address-guard.ts'
import type { Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import { guardedLookup, refuseLiteral } from '../shared/guarded-lookup.ts'
import { resolveSecret, type SecretSource } from '../shared/forwarding/secret.ts'
import { TLS_FAILURE } from '../shared/tls-failure.ts'
import type { SendOutcome } from '../shared/mail/send-outcome.ts'
import { safeText } from '../shared/safe-text.ts'
import { USER_AGENT } from '../shared/version.ts'

export type WebhookNotice = {
  /** As `notify:` has it: a URL, or a reference to one. */
  readonly to: string
  /** The same for each try. */
  readonly messageId: string
  /** JSON. */
  readonly body: string
}

export type Webhooks = AsyncDisposable & {
  tell(notice: WebhookNotice): Promise<SendOutcome>
}

const ANSWERS_WITHIN: Millis = 15_000
const CONNECTS_WITHIN: Millis = 10_000
/** At most this of an answer is read. */
const BODY_LIMIT_BYTES = 64 * 1024
/** What says that nobody will ever listen there again. */
const GONE: readonly number[] = [404, 410]

export function openWebhooks(guard: AddressGuard, secrets: SecretSource): Webhooks {
  const agent = new Agent({
    connect: { timeout: CONNECTS_WITHIN, lookup: guardedLookup(guard) },
    allowH2: false,
    headersTimeout: ANSWERS_WITHIN,
    bodyTimeout: ANSWERS_WITHIN,
  })
  return {
    async tell({ to, messageId, body }) {
      const resolved = resolveSecret(to, secrets)
      if (resolved.kind === 'missing') return { kind: 'not-sent', error: resolved.error }
      const url = URL.canParse(resolved.value) ? new URL(resolved.value) : undefined
      if (!url || !/^https?:$/.test(url.protocol)) return { kind: 'not-sent', error: 'the reference holds no URL' }
      if (refuseLiteral(guard, url.hostname))
        return { kind: 'not-sent', error: 'its address is not allowed unless ONWARD_ALLOW_ADDRESSES lists it' }
      const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
      if (guard.forbidsPort(port)) return { kind: 'not-sent', error: `ONWARD_FORBID_PORTS lists its port ${port}` }
      try {
        const answer = await request(url, {
          method: 'POST',
          dispatcher: agent,
          headers: {
            'Content-Type': 'application/json',
            'User-Agent': USER_AGENT,
            'Idempotency-Key': `"${messageId.slice(1, -1)}"`,
          },
          body,
          signal: AbortSignal.timeout(ANSWERS_WITHIN),
        })
        await answer.body.dump({ limit: BODY_LIMIT_BYTES })
        return judge(answer.statusCode)
      } catch (error) {
        return readFailure(error, url.hostname)
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}

function judge(status: number): SendOutcome {
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  return { kind: GONE.includes(status) ? 'refused' : 'not-sent', error: `it answered ${status}` }
}

/** Before a connection was made nothing was said; after that we do not know. */
const NOT_CONNECTED = /^(ENOTFOUND|EAI_|ECONNREFUSED|EHOST|ENET|ADDRESS_NOT_ALLOWED|UND_ERR_CONNECT_TIMEOUT)/

function readFailure(error: unknown, host: string): SendOutcome {
  const code = (error as { readonly code?: unknown }).code
  const text = safeText(errorText(error)).replaceAll(host, '(host)')
  const isNotSent = typeof code === 'string' && (NOT_CONNECTED.test(code) || TLS_FAILURE.test(code))
  return { kind: isNotSent ? 'not-sent' : 'unknown', error: text }
}
