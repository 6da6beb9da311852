// Does the mail server take what the notifier would send? Enter: the mail settings and a time limit. Leave: findings.
// Never: a mail; a password in a finding.
import { assertNever } from '../../shared/assert-never.ts'
import type { Millis } from '../../shared/clock.ts'
import { tryMailServer, type TriedServer } from '../../shared/mail/mailer.ts'
import type { MailSettings, SmtpSettings } from '../../shared/mail-settings.ts'
import type { Finding } from './finding.ts'

const about = 'mail server'

const FIXES = {
  'tls-failed': 'Check SMTP_STARTTLS, and SMTP_CA_FILE if the certificate is of an authority of your own.',
  'login-failed': 'Check user and password in SMTP_URL, SMTP_AUTH_METHOD, and with oauth2 the SMTP_OAUTH_ settings.',
  refused: 'Check SMTP_URL: is that a mail server which takes mail of this machine?',
} as const

/** @param timeout of each step: connecting, the greeting, each reply */
export async function checkMail({ smtp, from }: MailSettings, timeout: Millis): Promise<readonly Finding[]> {
  if (!smtp) return [{ kind: 'note', about, text: 'SMTP_URL is not set: the notifier needs it, nothing else does' }]
  const tried = await tryMailServer(smtp, timeout)
  const missing: readonly Finding[] =
    from === null
      ? [{ kind: 'bad', about, text: 'ONWARD_MAIL_FROM is not set, and the notifier does not start without it' }]
      : []
  return [describe(smtp, tried), ...missing]
}

function describe(smtp: SmtpSettings, tried: TriedServer): Finding {
  const where = `${smtp.host}:${smtp.port}`
  switch (tried.kind) {
    case 'accepted':
      return {
        kind: 'good',
        about,
        text: `${where} answers${smtp.auth.kind === 'none' ? '' : ', and takes the login'}`,
      }
    case 'away':
      return { kind: 'unreachable', about, text: `${where}: ${tried.error}. Check SMTP_URL.` }
    case 'tls-failed':
    case 'login-failed':
    case 'refused':
      return { kind: 'bad', about, text: `${where}: ${tried.error}. ${FIXES[tried.kind]}` }
    default:
      return assertNever(tried)
  }
}
