// Sends one mail, or only asks whether the mail server would take one. The door to nodemailer, and the only room that knows SMTP.
// Enter: a composed mail. Leave: how it ended; it never throws for what a mail server may do. Never: a second try of its own, for
// the state of a mail is written down by the notifier; a secret of ours in a server's words.
import nodemailer from 'nodemailer'
import type { Millis } from '../clock.ts'
import { errorText } from '../error-text.ts'
import type { ComposedMail } from './compose-mail.ts'
import type { MailSettings, SmtpSettings } from '../mail-settings.ts'
import { safeText } from '../safe-text.ts'
import { TLS_FAILURE } from '../tls-failure.ts'
import type { SendOutcome } from './send-outcome.ts'

export type OutgoingMail = Omit<ComposedMail, 'brief'> & {
  readonly to: string
  readonly messageId: string
  readonly inReplyTo: string | null
  readonly references: readonly string[]
  /** Of the Date header. */
  readonly date: Millis
}

export type Mailer = Disposable & {
  send(mail: OutgoingMail): Promise<SendOutcome>
}

const CONNECTIONS = 3
const CONNECT_WITHIN: Millis = 15_000
const GREETING_WITHIN: Millis = 30_000
/** A silent server: RFC 5321 allows ten minutes after the data; nobody waits that long, and the same mail goes again. */
const SILENT_FOR: Millis = 60_000

export function openMailer(settings: SmtpSettings, from: string, dkim: MailSettings['dkim']): Mailer {
  const transport = nodemailer.createTransport({
    pool: true,
    maxConnections: CONNECTIONS,
    // A connection that breaks while it sends may have sent: only the notifier knows what to do then.
    maxRequeues: 0,
    ...wayTo(settings),
    connectionTimeout: CONNECT_WITHIN,
    greetingTimeout: GREETING_WITHIN,
    socketTimeout: SILENT_FOR,
    // What a template brings along must never make the mailer read a file or fetch a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(dkim === null ? {} : { dkim: { domainName: dkim.domain, keySelector: dkim.selector, privateKey: dkim.key } }),
  })
  return {
    async send(mail) {
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: mail.to },
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: mail.messageId,
          date: new Date(mail.date),
          ...(mail.inReplyTo === null ? {} : { inReplyTo: mail.inReplyTo }),
          ...(mail.references.length === 0 ? {} : { references: [...mail.references] }),
          headers: {
            // RFC 3834: no vacation notice answers this.
            'Auto-Submitted': 'auto-generated',
            'X-Auto-Response-Suppress': 'All',
            ...(mail.stopLink === null
              ? {}
              : {
                  'List-Unsubscribe': `<${mail.stopLink}>`,
                  // RFC 8058: a click in the mail program is one POST.
                  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
                }),
          },
        })
        return { kind: 'accepted' }
      } catch (error) {
        return readSendError(error, settings.auth)
      }
    },
    [Symbol.dispose]: () => transport.close(),
  }
}

export type TriedServer =
  | { readonly kind: 'accepted' }
  /** What did not go well, as far as is known. */
  | { readonly kind: 'away' | 'tls-failed' | 'login-failed' | 'refused'; readonly error: string }

/**
 * Connects, asks for TLS and logs in, as for a mail, and sends none.
 * @param patience for each step
 */
export async function tryMailServer(settings: SmtpSettings, patience: Millis): Promise<TriedServer> {
  const transport = nodemailer.createTransport({
    ...wayTo(settings),
    // A server that offers no login would pass over ours in silence.
    forceAuth: settings.auth.kind !== 'none',
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
  })
  try {
    await transport.verify()
    return { kind: 'accepted' }
  } catch (error) {
    return { kind: kindOfFailure(error), error: wordsOf(error, settings.auth) }
  } finally {
    transport.close()
  }
}

const wayTo = (settings: SmtpSettings) => ({
  host: settings.host,
  port: settings.port,
  secure: settings.tls,
  requireTLS: !settings.tls && settings.startTls === 'required',
  ignoreTLS: settings.startTls === 'never',
  tls: settings.ca === null ? {} : { ca: settings.ca },
  ...authOf(settings.auth),
})

function authOf(auth: SmtpSettings['auth']): object {
  switch (auth.kind) {
    case 'none':
      return {}
    case 'password':
      return {
        auth: { user: auth.user, pass: auth.password },
        ...(auth.method === null ? {} : { authMethod: auth.method.toUpperCase() }),
      }
    case 'oauth2':
      return {
        auth: {
          type: 'OAuth2',
          user: auth.user,
          clientId: auth.clientId,
          clientSecret: auth.clientSecret,
          refreshToken: auth.refreshToken,
          accessUrl: auth.tokenUrl,
        },
      }
  }
}

/** Before the mail itself went out, whatever failed has sent nothing. */
const BEFORE_THE_MAIL: readonly unknown[] = ['EDNS', 'ETLS', 'EAUTH', 'EOAUTH2', 'EREQUIRETLS', 'EPROXY']

/**
 * | what the server or the network did | outcome |
 * |---|---|
 * | a reply 5xx to the recipient or to the mail | refused |
 * | of those, what is said of us and not of the address: 53x (log in first), and 5.7.x to the recipient (no relaying) | not sent |
 * | any other reply that is an error (4xx; 5xx to the login, the sender, the greeting: our own settings) | not sent |
 * | no connection, no TLS, no name | not sent |
 * | silence, or a connection that broke | unknown |
 */
export function readSendError(error: unknown, auth: SmtpSettings['auth']): SendOutcome {
  const { response, responseCode, command, code, originalCode, syscall } = error as Readonly<Record<string, unknown>>
  const text = wordsOf(error, auth)
  if (typeof responseCode === 'number' && responseCode >= 400) {
    const isOfAddress = command === 'DATA' || (command === 'RCPT TO' && !/^5\d\d[ -]5\.7\./.test(String(response)))
    const isForGood = responseCode >= 500 && !isLogin(responseCode) && isOfAddress
    return { kind: isForGood ? 'refused' : 'not-sent', error: text }
  }
  const neverConnected =
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    /ECONNREFUSED|Connection timeout|Greeting never received/.test(text)
  if (neverConnected || isUntrusted(originalCode) || BEFORE_THE_MAIL.includes(code))
    return { kind: 'not-sent', error: text }
  return { kind: 'unknown', error: text }
}

function kindOfFailure(error: unknown): Exclude<TriedServer['kind'], 'accepted'> {
  const { code, originalCode } = error as Readonly<Record<string, unknown>>
  if (code === 'EAUTH' || code === 'EOAUTH2') return 'login-failed'
  if (code === 'ETLS' || isUntrusted(originalCode)) return 'tls-failed'
  return AWAY.includes(code) ? 'away' : 'refused'
}

/** What nodemailer calls a server that was not reached, or said nothing in time. */
const AWAY: readonly unknown[] = ['ECONNECTION', 'ESOCKET', 'ETIMEDOUT', 'EDNS']

const isUntrusted = (originalCode: unknown): boolean =>
  typeof originalCode === 'string' && TLS_FAILURE.test(originalCode)

const wordsOf = (error: unknown, auth: SmtpSettings['auth']): string => safeText(conceal(errorText(error), auth))

/** RFC 4954: 530, 534, 535 and 538 ask for another login, or for one at all. */
const isLogin = (code: number): boolean => code >= 530 && code < 540

/** Some servers say back what they were sent. */
function conceal(text: string, auth: SmtpSettings['auth']): string {
  let concealed = text
  for (const secret of secretsOf(auth)) concealed = concealed.replaceAll(secret, '***')
  return concealed
}

function secretsOf(auth: SmtpSettings['auth']): readonly string[] {
  switch (auth.kind) {
    case 'none':
      return []
    case 'password':
      return [auth.password, base64(auth.password), base64(`\0${auth.user}\0${auth.password}`)].filter(isSecret)
    case 'oauth2':
      return [auth.clientSecret, auth.refreshToken].filter(isSecret)
  }
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
/** Shorter ones would be found everywhere. */
const isSecret = ({ length }: string): boolean => length >= 4
