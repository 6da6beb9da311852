// The browser that the tests click with: Chromium, as Debian has it.
// Enter: nothing. Leave: the path of one, installed where there is none and we may. Never: a download of a browser of our own.
import { spawnSync } from 'node:child_process'
import { installDebian } from './debian.ts'
import type { Progress } from './progress.mjs'

/** As distributions call it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** @throws Error with the line to run where it may not install by itself */
export async function installBrowser(progress: Progress): Promise<void> {
  if (findBrowser() === undefined) await installDebian(['chromium', 'fonts-dejavu-core'], progress)
}

/** undefined where there is none. */
export function findBrowser(): string | undefined {
  for (const name of NAMES) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()
    if (found !== '') return found
  }
  return undefined
}
