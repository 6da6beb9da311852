// The page where people stop notices, clicked in a real browser without scripts, served by a real notifier.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'puppeteer-core'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { connectionId } from '../../services/shared/ids.ts'
import { renderStopToken } from '../../services/shared/notices/stop-token.ts'
import { demo } from '../support/changes.ts'
import { openBrowser, openPage } from '../support/browser.ts'
import { openGround } from '../support/ground.ts'

const SECRET = 's'.repeat(32)

/** Looked at by people, beside those of the mails. */
const PICTURES = join(REPOSITORY, '.cache', 'mail-pictures')

test('the page says what will stop, stops at a click, offers to undo, and undoes', async (t) => {
  const ground = await openGround(t, 1)
  await ground.configure(`project: demo
connections:
  - { id: registry, name: "National <i>registry</i>", url: 'https://a.example/', notify: [ops@example.org] }
`)
  const notifier = await ground.startNotifier({
    SMTP_URL: 'smtp://127.0.0.1:9',
    ONWARD_MAIL_FROM: 'onward@example.org',
    ONWARD_PUBLIC_URL: 'http://127.0.0.1',
    ONWARD_LINK_SECRET: SECRET,
  })
  const stops = async () =>
    (await ground.readOwn('notices')).flatMap(({ key, value }) =>
      key?.toString().startsWith('stop/') ? [value === null ? 'resumed' : 'stopped'] : [],
    )
  const scope = { kind: 'connection', connection: connectionId(demo, 'registry') } as const
  const token = renderStopToken(SECRET, { address: 'ops@example.org', scope }, Date.now())
  const browser = await openBrowser(t)
  const complaints: string[] = []
  mkdirSync(PICTURES, { recursive: true })

  for (const look of [
    { width: 360, theme: 'dark' },
    { width: 800, theme: 'light' },
  ] as const) {
    const page = await openPage(browser, look)
    page.on('console', (message) => complaints.push(message.text()))
    const before = (await stops()).length
    await page.goto(`http://127.0.0.1:${notifier.port}/stop?t=${token}`)
    assert.match(
      await textOf(page),
      /Stop these mails\?.*ops@example\.org will get no more mails about National <i>registry<\/i>/s,
    )
    await page.reload()
    assert.equal((await stops()).length, before, 'a look changes nothing')
    const picture = (name: string) =>
      page.screenshot({ path: join(PICTURES, `${name}-${look.width}-${look.theme}.png`), fullPage: true })
    await picture('page-stop')

    await click(page)
    assert.match(await textOf(page), /^Stopped\s.*gets no more mails/s)
    assert.equal((await stops()).at(-1), 'stopped')
    await picture('page-stopped')
    await click(page)
    assert.match(await textOf(page), /You get them again/)
    assert.equal((await stops()).at(-1), 'resumed')
    await picture('page-resumed')
    await page.close()
  }
  const forged = await openPage(browser, { width: 360, theme: 'light' })
  await forged.goto(`http://127.0.0.1:${notifier.port}/stop?t=${token.slice(0, -3)}abc`)
  assert.match(await textOf(forged), /This link does not work/)
  assert.equal(await forged.$('button'), null)
  await forged.screenshot({ path: join(PICTURES, 'page-forged-360-light.png'), fullPage: true })
  assert.deepEqual(complaints, [], 'the browser refused something of the page')
})

const textOf = (page: Page): Promise<string> =>
  page.$eval('main', (main) => (main as unknown as { innerText: string }).innerText)

async function click(page: Page): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.click('button')])
}
