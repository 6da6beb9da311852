// The templates' files. Enter: a folder of one's own, if any. Leave: templates, checked. A file that is there replaces ours.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MailTemplates } from './compose-mail.ts'
import { asIs, escapeHtml, readTemplate, type Escape, type Template } from './render-template.ts'

const OURS = join(import.meta.dirname, 'templates')

/** @throws TemplateError when one has a mistake; Error when a file cannot be read */
export function readMailTemplates(folder: string | null): MailTemplates & { readonly page: Template } {
  const read = (name: string, escape: Escape): Template => {
    const own = folder === null ? undefined : join(folder, name)
    const file = own !== undefined && existsSync(own) ? own : join(OURS, name)
    return readTemplate(file, readFileSync(file, 'utf8'), escape)
  }
  return {
    subject: read('subject.txt', asIs),
    text: read('mail.txt', asIs),
    html: read('mail.html', escapeHtml),
    brief: read('webhook.txt', asIs),
    page: read('page.html', escapeHtml),
  }
}
