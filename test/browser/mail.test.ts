// How the mails look: every kind, in a wide and a narrow window, light and dark, as pictures in .cache/mail-pictures.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { composeMail } from '../../services/shared/mail/compose-mail.ts'
import { readMailTemplates } from '../../services/shared/mail/read-templates.ts'
import {
  SAMPLE_ADDRESS,
  SAMPLE_NAMES,
  sampleConnection,
  sampleNotices,
} from '../../services/shared/mail/sample-notices.ts'
import { openBrowser, openPage, type Look } from '../support/browser.ts'

const PICTURES = join(REPOSITORY, '.cache', 'mail-pictures')
const NOW = Date.UTC(2026, 10, 25, 22, 12, 4)
const LOOKS: readonly Look[] = [360, 800].flatMap((width) =>
  (['light', 'dark'] as const).map((theme) => ({ width, theme })),
)
const templates = readMailTemplates(null)

/** The least contrast of text that is read comfortably (WCAG 2, level AA). */
const LEAST_CONTRAST = 4.5

test('every kind fits both widths, in both themes, with text that can be told from what is behind it', async (t) => {
  mkdirSync(PICTURES, { recursive: true })
  const browser = await openBrowser(t)
  for (const look of LOOKS) {
    const page = await openPage(browser, look)
    for (const name of SAMPLE_NAMES) {
      const { html } = composeMail(
        {
          address: SAMPLE_ADDRESS,
          notices: sampleNotices(name, NOW),
          surplus: 0,
          cap: name === 'last-of-the-day' ? 50 : null,
          now: NOW,
          connection: sampleConnection,
          stopLink: () => 'https://onward.example/stop?t=token',
        },
        templates,
      )
      await page.setContent(html)
      const seen = await page.evaluate(MEASURE)
      const what = `${name}, ${look.width}, ${look.theme}`
      assert.ok(seen.width <= look.width, `${what}: ${seen.width} pixels wide`)
      assert.ok(seen.contrast >= LEAST_CONTRAST, `${what}: contrast ${seen.contrast} of "${seen.text}"`)
      await page.screenshot({ path: join(PICTURES, `${name}-${look.width}-${look.theme}.png`), fullPage: true })
    }
  }
})

/** Runs in the page: the page's width, and the text with the least contrast to the nearest background behind it. */
const MEASURE = `(() => {
  const channel = (value) => { const part = value / 255; return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4 }
  const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number)
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b)
  let worst = { contrast: 21, text: '' }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim()
    if (text === '') continue
    let behind = texts.currentNode.parentElement
    const color = rgb(getComputedStyle(behind).color)
    while (behind && rgb(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement
    const back = behind ? rgb(getComputedStyle(behind).backgroundColor) : [255, 255, 255]
    const [bright, dim] = [light(color), light(back)].sort((a, b) => b - a)
    const contrast = (bright + 0.05) / (dim + 0.05)
    if (contrast < worst.contrast) worst = { contrast, text: text.slice(0, 60) }
  }
  return { width: document.documentElement.scrollWidth, ...worst }
})()` as unknown as () => { readonly width: number; readonly contrast: number; readonly text: string }
