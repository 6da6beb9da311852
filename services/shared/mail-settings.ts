// The settings of the notifier: their rows of the table, and how they go together. Enter: values. Leave: what the notifier needs,
// or every problem. Never: a password, a key or a secret in a problem.
import type { Millis } from './clock.ts'
import {
  SHORTEST_SECRET,
  anyText,
  matching,
  oneOf,
  readHttpsOrigin,
  readPath,
  readPrivateKey,
  readSecrets,
  readSmtpUrl,
  readTokenUrl,
  readWait,
  readWhole,
  type Reading,
} from './setting-readers.ts'

export type SmtpSettings = {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (`smtps://`). */
  readonly tls: boolean
  readonly startTls: 'required' | 'if-offered' | 'never'
  /** The authority's certificate as PEM; null: those that the machine knows. */
  readonly ca: string | null
  readonly auth:
    | { readonly kind: 'none' }
    | {
        readonly kind: 'password'
        readonly user: string
        readonly password: string
        readonly method: 'plain' | 'login' | null
      }
    | {
        readonly kind: 'oauth2'
        readonly user: string
        readonly clientId: string
        readonly clientSecret: string
        readonly refreshToken: string
        readonly tokenUrl: string
      }
}

export type MailSettings = {
  /** null: SMTP_URL is not set, and the notifier does not start. */
  readonly smtp: SmtpSettings | null
  readonly from: string | null
  readonly groupId: string
  readonly dailyCap: number
  readonly quiet: Millis
  readonly gather: Millis
  readonly templatesDir: string | null
  readonly dkim: { readonly domain: string; readonly selector: string; readonly key: string } | null
  /** Where people reach the notifier's page, without a slash at the end. */
  readonly publicUrl: string | null
  /** The first signs, all are accepted. */
  readonly linkSecrets: readonly string[]
}

const DAY: Millis = 86_400_000

export const MAIL_SETTINGS = {
  SMTP_URL: {
    default: null,
    description:
      'The mail server: `smtp://user:password@mail.example:587`, or `smtps://` for TLS from the first byte. Special characters of user and password are written `%40`. Required by the notifier.',
    readBy: 'notifier',
    secret: true,
    read: readSmtpUrl,
  },
  SMTP_STARTTLS: {
    default: 'if-offered',
    description:
      '`required`, `if-offered` or `never`. With a user name in `SMTP_URL`, `if-offered` is `required` too: a password never goes in the clear unless this says `never`.',
    readBy: 'notifier',
    read: oneOf(['required', 'if-offered', 'never']),
  },
  SMTP_CA_FILE: {
    default: null,
    description: "PEM file of the authority that signed the mail server's certificate.",
    readBy: 'notifier',
    read: readPath,
  },
  SMTP_AUTH_METHOD: {
    default: 'auto',
    description: '`auto` (what the server offers), `plain`, `login` or `oauth2`.',
    readBy: 'notifier',
    read: oneOf(['auto', 'plain', 'login', 'oauth2']),
  },
  SMTP_OAUTH_TOKEN_URL: {
    default: null,
    description: 'Where access tokens are fetched, for `oauth2`.',
    readBy: 'notifier',
    read: readTokenUrl,
  },
  SMTP_OAUTH_CLIENT_ID: { default: null, description: 'Client id, for `oauth2`.', readBy: 'notifier', read: anyText },
  SMTP_OAUTH_CLIENT_SECRET: {
    default: null,
    description: 'Client secret, for `oauth2`.',
    readBy: 'notifier',
    secret: true,
    read: anyText,
  },
  SMTP_OAUTH_REFRESH_TOKEN: {
    default: null,
    description: 'Refresh token, for `oauth2`.',
    readBy: 'notifier',
    secret: true,
    read: anyText,
  },
  ONWARD_MAIL_FROM: {
    default: null,
    description:
      'Who the mails come from: `onward@example.org` or `Onward <onward@example.org>`. Required by the notifier.',
    readBy: 'notifier',
    read: matching(
      /^(?:[^<>\r\n"]+ <[^\s@<>]+@[a-zA-Z0-9.-]+>|[^\s@<>]+@[a-zA-Z0-9.-]+)$/,
      'must be an address such as onward@example.org or Onward <onward@example.org>',
    ),
  },
  ONWARD_MAIL_DAILY_CAP: {
    default: '50',
    description:
      'Most mails to one address in a day (UTC). The last one says so; what comes later is told the next day, in one.',
    readBy: 'notifier',
    read: (text: string) => readWhole(text, 1, 10_000),
  },
  ONWARD_MAIL_QUIET: {
    default: '2m',
    description:
      'How long a connection must be well before its recovery is told. Trouble that comes back sooner belongs to the same incident.',
    readBy: 'notifier',
    read: (text: string) => readWait(text, DAY),
  },
  ONWARD_MAIL_GATHER: {
    default: '10s',
    description:
      'How long a mail waits for other connections that fail for the same cause: they are told in one. At most half of `ONWARD_MAIL_QUIET`.',
    readBy: 'notifier',
    read: (text: string) => readWait(text, 600_000),
  },
  ONWARD_MAIL_TEMPLATES_DIR: {
    default: null,
    description:
      'A folder with templates of your own: what is in it replaces ours of the same name (`subject.txt`, `mail.txt`, `mail.html`, …). Ours are in `services/shared/mail/templates`.',
    readBy: 'notifier',
    read: readPath,
  },
  ONWARD_NOTIFIER_GROUP_ID: {
    default: 'onward-notifier',
    description: 'The consumer group of the notifiers: one of them works, the others stand by.',
    readBy: 'notifier',
    read: matching(/^[\x21-\x7e]{1,249}$/, 'must be 1 to 249 printable characters without spaces'),
  },
  ONWARD_DKIM_DOMAIN: {
    default: null,
    description: 'Signs mails (DKIM) for this domain. Goes with the next two.',
    readBy: 'notifier',
    read: matching(/^[a-zA-Z0-9.-]{1,253}$/, 'must be a domain name'),
  },
  ONWARD_DKIM_SELECTOR: {
    default: null,
    description: 'Names the key in the DNS: `<selector>._domainkey.<domain>`.',
    readBy: 'notifier',
    read: matching(/^[a-zA-Z0-9.-]{1,63}$/, 'must be a DKIM selector'),
  },
  ONWARD_DKIM_KEY: {
    default: null,
    description: 'The private key, as PEM.',
    readBy: 'notifier',
    secret: true,
    read: readPrivateKey,
  },
  ONWARD_PUBLIC_URL: {
    default: null,
    description:
      'Where people reach the notifier from outside, for the links that stop notices: `https://onward.example.org`. Without it mails name the command instead.',
    readBy: 'notifier',
    read: readHttpsOrigin,
  },
  ONWARD_LINK_SECRET: {
    default: null,
    description: `Signs those links: at least ${SHORTEST_SECRET} characters, such as \`openssl rand -hex 32\` prints. Several, with commas between, while one is replaced: the first signs, all are accepted.`,
    readBy: 'notifier',
    secret: true,
    read: readSecrets,
  },
} as const

type Values = { readonly [Name in keyof typeof MAIL_SETTINGS]: ValueOf<Name> | null }
type ValueOf<Name extends keyof typeof MAIL_SETTINGS> =
  ReturnType<(typeof MAIL_SETTINGS)[Name]['read']> extends Reading<infer Value> ? Value : never

/** @returns undefined when it cannot be read, which is a problem then */
type ReadText = (name: string, file: string, problems: string[]) => string | undefined

/** Only what is wrong together, or with a file, is told here: what one of them lacks was told before. */
export function assembleMail(values: Values, problems: string[], readText: ReadText): MailSettings {
  return {
    smtp: assembleSmtp(values, problems, readText),
    from: values.ONWARD_MAIL_FROM,
    groupId: values.ONWARD_NOTIFIER_GROUP_ID ?? '',
    dailyCap: values.ONWARD_MAIL_DAILY_CAP ?? 1,
    quiet: values.ONWARD_MAIL_QUIET ?? 0,
    gather: values.ONWARD_MAIL_GATHER ?? 0,
    templatesDir: values.ONWARD_MAIL_TEMPLATES_DIR,
    dkim: assembleDkim(values, problems),
    publicUrl: values.ONWARD_PUBLIC_URL,
    linkSecrets: assembleSecrets(values, problems),
  }
}

function assembleSmtp(values: Values, problems: string[], readText: ReadText): SmtpSettings | null {
  const url = values.SMTP_URL
  if (url === null) return null
  const method = values.SMTP_AUTH_METHOD ?? 'auto'
  const { user, password } = url
  const caFile = values.SMTP_CA_FILE
  const base = {
    host: url.host,
    port: url.port,
    tls: url.tls,
    startTls:
      user !== '' && values.SMTP_STARTTLS === 'if-offered' ? 'required' : (values.SMTP_STARTTLS ?? 'if-offered'),
    ca: caFile === null ? null : (readText('SMTP_CA_FILE', caFile, problems) ?? null),
  } as const
  if (method === 'oauth2') {
    const named = {
      clientId: values.SMTP_OAUTH_CLIENT_ID,
      clientSecret: values.SMTP_OAUTH_CLIENT_SECRET,
      refreshToken: values.SMTP_OAUTH_REFRESH_TOKEN,
      tokenUrl: values.SMTP_OAUTH_TOKEN_URL,
    }
    const { clientId, clientSecret, refreshToken, tokenUrl } = named
    if (user !== '' && clientId !== null && clientSecret !== null && refreshToken !== null && tokenUrl !== null) {
      return { ...base, auth: { kind: 'oauth2', user, clientId, clientSecret, refreshToken, tokenUrl } }
    }
    problems.push(
      'SMTP_AUTH_METHOD oauth2 needs a user name in SMTP_URL, SMTP_OAUTH_TOKEN_URL, SMTP_OAUTH_CLIENT_ID, SMTP_OAUTH_CLIENT_SECRET and SMTP_OAUTH_REFRESH_TOKEN.',
    )
  }
  if (user === '') return { ...base, auth: { kind: 'none' } }
  return {
    ...base,
    auth: { kind: 'password', user, password, method: method === 'plain' || method === 'login' ? method : null },
  }
}

function assembleDkim(values: Values, problems: string[]): MailSettings['dkim'] {
  const domain = values.ONWARD_DKIM_DOMAIN
  const selector = values.ONWARD_DKIM_SELECTOR
  const key = values.ONWARD_DKIM_KEY
  if (domain !== null && selector !== null && key !== null) return { domain, selector, key }
  if (domain !== null || selector !== null || key !== null) {
    problems.push('ONWARD_DKIM_DOMAIN, ONWARD_DKIM_SELECTOR and ONWARD_DKIM_KEY go together: set all three or none.')
  }
  return null
}

function assembleSecrets(values: Values, problems: string[]): readonly string[] {
  const secrets = values.ONWARD_LINK_SECRET ?? []
  if (values.ONWARD_PUBLIC_URL !== null && secrets.length === 0) {
    problems.push('ONWARD_LINK_SECRET is not set, and ONWARD_PUBLIC_URL needs it: run openssl rand -hex 32.')
  }
  return secrets
}
