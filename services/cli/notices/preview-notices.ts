// Shows mails of each kind. Enter: a kind, or none for all; a folder to write to. Leave: an exit code. Never: a cluster.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Millis } from '../../shared/clock.ts'
import { composeMail } from '../../shared/mail/compose-mail.ts'
import { readMailTemplates } from '../../shared/mail/read-templates.ts'
import { SAMPLE_ADDRESS, SAMPLE_NAMES, sampleConnection, sampleNotices } from '../../shared/mail/sample-notices.ts'
import { didYouMean } from '../../shared/nearest.ts'
import { renderScope } from '../../shared/notices/notice-record.ts'
import { UsageError } from '../arguments.ts'
import { styled, type Terminal } from '../terminal.ts'
import { EXIT } from '../verb.ts'

/** Of the cap in the sample that tells of it. */
const CAP = 50

/** @throws UsageError when there is no such kind */
export function previewNotices(
  kind: string | undefined,
  out: string | undefined,
  templatesDir: string | undefined,
  now: Millis,
  terminal: Terminal,
): number {
  const names = SAMPLE_NAMES.filter((name) => kind === undefined || name === kind)
  if (names.length === 0) {
    throw new UsageError(
      `there is no kind ${kind ?? ''}${didYouMean(kind ?? '', SAMPLE_NAMES)}: ${SAMPLE_NAMES.join(', ')}`,
    )
  }
  const templates = readMailTemplates(templatesDir ?? null)
  if (out !== undefined) mkdirSync(out, { recursive: true })
  for (const name of names) {
    const mail = composeMail(
      {
        address: SAMPLE_ADDRESS,
        notices: sampleNotices(name, now),
        surplus: 0,
        cap: name === 'last-of-the-day' ? CAP : null,
        now,
        connection: sampleConnection,
        stopLink: (scope) => `https://onward.example/stop?t=${encodeURIComponent(renderScope(scope))}`,
      },
      templates,
    )
    if (out === undefined) {
      terminal.stdout(`${styled(terminal, 'bold', `${name}: ${mail.subject}`)}\n\n${mail.text}\n\n`)
      continue
    }
    const write = (suffix: string, content: string) => writeFileSync(join(out, `${name}${suffix}`), content)
    write('.subject.txt', `${mail.subject}\n`)
    write('.txt', mail.text)
    write('.html', mail.html)
  }
  if (out !== undefined) terminal.stdout(`${names.length} mails written to ${out}\n`)
  return EXIT.done
}
