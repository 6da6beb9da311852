// Notices → the JSON of a webhook. Pure. `text` is what Slack and those that read its form show; `onward` is for machines.
// Enter and leave as in compose-mail.ts, whose values it shares. Never: text that Slack takes for a link or a mention.
import type { Notice } from '../notices/notice.ts'
import { visibleUrl } from './describe-notice.ts'
import type { ComposedMail, MailContent } from './compose-mail.ts'

/** schemas/webhook.schema.json describes it. */
export function composeWebhook(
  { notices, surplus, connection }: MailContent,
  { subject, brief }: ComposedMail,
): string {
  return JSON.stringify({
    text: escapeSlack(`${subject}\n${brief}`),
    onward: {
      v: 1,
      subject,
      more: surplus,
      incidents: notices.map((notice) => describe(notice, connection(notice.connection)?.url ?? null)),
    },
  })
}

const describe = ({ incident, sequence, kinds, connection, project, facts }: Notice, url: string | null) => ({
  incident,
  sequence,
  kind: kinds.at(-1),
  connection,
  project,
  url: url === null ? null : visibleUrl(url),
  since: instant(facts.since),
  until: instant(facts.until),
  failed: facts.failed,
  affected: facts.affected,
  waiting: facts.waiting,
  deadLetters: facts.deadLetters,
  status: facts.last?.status ?? null,
  words: facts.last?.text ?? null,
  samples: facts.samples,
  nextTryAt: instant(facts.nextTryAt),
})

const instant = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())

/** https://api.slack.com/reference/surfaces/formatting#escaping: these three begin everything that is not plain text. */
const escapeSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
