// Headless Chromium for a test; closed with it.
import type { TestContext } from 'node:test'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { findBrowser } from '../../deploy/local/browser.ts'

export async function openBrowser(t: TestContext): Promise<Browser> {
  const executablePath = findBrowser()
  if (executablePath === undefined) throw new Error('there is no Chromium: npm run test:browser installs it')
  // Root may not use the sandbox; what is opened here is our own.
  const browser = await puppeteer.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  })
  t.after(() => browser.close())
  return browser
}

export type Look = { readonly width: number; readonly theme: 'light' | 'dark' }

/** A page without scripts, as wide as a window or a telephone, in a theme. */
export async function openPage(browser: Browser, { width, theme }: Look): Promise<Page> {
  const page = await browser.newPage()
  await page.setJavaScriptEnabled(false)
  await page.setViewport({ width, height: 700, deviceScaleFactor: 1 })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }])
  return page
}
