// The mailbox of `npm start`: a real mail server, and a small page where its mails are read.
// Enter: mails by SMTP. Leave: what came, in order; a page in the browser. Never: a mail that leaves this machine, a mail's own
// script (its HTML is shown in a sandbox).
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import PostalMime from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { renderMailbox } from './render-mailbox.ts'

export type BoxedMail = {
  readonly to: string
  readonly subject: string
  readonly date: string
  readonly messageId: string
  /** The Message-IDs of the conversation's earlier mails. */
  readonly references: readonly string[]
  readonly text: string
  readonly html: string
}

export type StartMailbox = AsyncDisposable & {
  /** For `SMTP_URL`. */
  readonly smtpUrl: string
  /** Of the page. */
  readonly origin: string
  readonly mails: readonly BoxedMail[]
}

/** @param onMail told of each mail once it is taken */
export async function openMailbox(onMail: (mail: BoxedMail) => void): Promise<StartMailbox> {
  const mails: BoxedMail[] = []
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    closeTimeout: 100,
    onData: (stream, session, done) => {
      const to = session.envelope.rcptTo.map(({ address }) => address).join(', ')
      buffer(stream)
        .then((raw) => readMail(raw, to))
        .then((mail) => {
          mails.push(mail)
          done()
          onMail(mail)
        }, done)
    },
  })
  // A sender that goes away in the middle is none of ours.
  smtp.on('error', () => undefined)
  const listener = smtp.listen(0, '127.0.0.1')
  const page = createServer((request, response) => answer(response, request.url ?? '/', mails))
  page.listen(0, '127.0.0.1')
  await Promise.all([once(listener, 'listening'), once(page, 'listening')])
  return {
    smtpUrl: `smtp://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    origin: `http://127.0.0.1:${(page.address() as AddressInfo).port}`,
    mails,
    [Symbol.asyncDispose]: async () => {
      page.closeAllConnections()
      await Promise.all([
        new Promise<void>((resolve) => smtp.close(resolve)),
        new Promise<void>((resolve) => page.close(() => resolve())),
      ])
    },
  }
}

async function readMail(raw: Buffer, to: string): Promise<BoxedMail> {
  const { subject = '', date = '', messageId = '', references = '', text = '', html = '' } = await PostalMime.parse(raw)
  return { to, subject, date, messageId, references: references.split(/\s+/).filter((id) => id !== ''), text, html }
}

/** `/` lists, `/mail/<n>` shows one, `/mail/<n>.html` is what it looks like. */
function answer(response: ServerResponse, url: string, mails: readonly BoxedMail[]): void {
  const [, number, isHtml] = /^\/mail\/(\d+)(\.html)?$/.exec(url) ?? []
  const mail = number === undefined ? undefined : mails[Number(number) - 1]
  const isKnown = url === '/' || mail !== undefined
  response.writeHead(isKnown ? 200 : 404, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': `default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; ${isHtml ? 'sandbox allow-popups' : ''}`,
    'Cache-Control': 'no-store',
  })
  response.end(mail && isHtml ? mail.html : renderMailbox(mails, mail))
}
