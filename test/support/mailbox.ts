// A real SMTP server on a free port, and what it took, read by a MIME parser that is not the sender's. Closed with the test.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import './root-hook.ts'
import { until } from './until.ts'

export type TakenMail = {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
  readonly parsed: Email
  /** The whole value of a header, unfolded; undefined when there is none. */
  readonly header: (name: string) => string | undefined
}

export type Mailbox = {
  readonly port: number
  /** For `SMTP_URL`. */
  readonly url: string
  readonly mails: readonly TakenMail[]
  /** Resolves once so many were taken. */
  took(count: number): Promise<readonly TakenMail[]>
  /** The server goes away, and comes back at the same port. */
  close(): Promise<void>
  open(): Promise<void>
}

export async function mailbox(t: TestContext, options: Partial<SMTPServerOptions> = {}): Promise<Mailbox> {
  const mails: TakenMail[] = []
  let port = 0
  let server: SMTPServer | undefined
  const open = async () => {
    const opened = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      logger: false,
      // Connections that a sender keeps for the next mail do not hold the test up.
      closeTimeout: 50,
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const raw = Buffer.concat(chunks)
          readMail(
            raw,
            session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
            session.envelope.rcptTo.map(({ address }) => address),
          ).then(
            (mail) => {
              mails.push(mail)
              done()
            },
            (error: unknown) => done(error as Error),
          )
        })
      },
      ...options,
    })
    // A client that goes away in the middle is none of the server's errors.
    opened.on('error', () => undefined)
    const listener = opened.listen(port, '127.0.0.1')
    await once(listener, 'listening')
    port = (listener.address() as AddressInfo).port
    server = opened
  }
  const close = async () => {
    const open = server
    server = undefined
    if (open) await new Promise<void>((resolve) => open.close(resolve))
  }
  await open()
  t.after(close)
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails,
    async took(count) {
      await until(
        `${count} mails (taken: ${mails.map(({ parsed }) => parsed.subject).join('; ')})`,
        () => mails.length >= count,
        MAIL_WITHIN_MS,
      )
      return mails
    },
    close,
    open,
  }
}

/** A notifier that has just been started joins its group first. */
const MAIL_WITHIN_MS = 60_000

async function readMail(raw: Buffer, from: string, to: readonly string[]): Promise<TakenMail> {
  const parsed = await PostalMime.parse(raw)
  return {
    from,
    to,
    raw: raw.toString('utf8'),
    parsed,
    header: (name) => parsed.headers.find(({ key }) => key === name.toLowerCase())?.value,
  }
}
