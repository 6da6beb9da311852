// Mails → the page of the mailbox, and a line of the terminal. Pure. Enter: the mails, and the one that is read. Leave: HTML; text.
// The answers of a conversation are indented.
import { escapeHtml } from '../../../services/shared/mail/render-template.ts'
import { fitText } from './fit-text.ts'
import type { BoxedMail } from './mailbox.ts'
import type { Paint } from './screen.ts'

const STYLE = `:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; padding: 16px; }
ol { list-style: none; margin: 0 0 16px; padding: 0; }
li { padding: 6px 0; border-bottom: 1px solid #8884; overflow-wrap: anywhere; }
li.answer { padding-left: 24px; }
small { opacity: .7; }
iframe { width: 100%; height: 70vh; border: 1px solid #8884; border-radius: 8px; background: #fff; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8884; border-radius: 8px; padding: 12px; }`

export function renderMailbox(mails: readonly BoxedMail[], read: BoxedMail | undefined): string {
  const items = mails.map((mail, index) => {
    const isAnswer = mail.references.some((id) => mails.some(({ messageId }) => messageId === id))
    const subject = `<a href="/mail/${index + 1}">${escapeHtml(mail.subject)}</a>`
    const details = `<small>to ${escapeHtml(mail.to)}, ${escapeHtml(mail.date)}</small>`
    return `<li${isAnswer ? ' class="answer"' : ''}>${isAnswer ? '↳ ' : ''}${subject}<br>${details}</li>`
  })
  const list = items.length === 0 ? '<p>No mail yet.</p>' : `<ol>${items.join('')}</ol>`
  const shown = read
    ? `<iframe src="/mail/${mails.indexOf(read) + 1}.html" title="The mail"></iframe><pre>${escapeHtml(read.text)}</pre>`
    : ''
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Mailbox of npm start</title><style>${STYLE}</style></head><body><h1>Mailbox</h1>${list}${shown}</body></html>`
}

/** A mail that came, below the attempts that it is about. @param width columns of the terminal */
export const renderMail = ({ to, subject }: BoxedMail, width: number, paint: Paint): string =>
  `${INDENT}${paint('cyan', fitText(`✉ ${to}: ${subject}`, width - INDENT.length))}`

const INDENT = ' '.repeat(10)
