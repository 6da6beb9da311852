#!/usr/bin/env node
// What `npx onward` starts, on any Node from 20: hands over to main.ts on a Node that runs TypeScript as it stands, which is
// the running one from 24 on, else the one that npm installed beside the packages. Enter and leave: arguments, exit code.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
const main = new URL('./main.ts', import.meta.url)
const installed = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  await import(main.href)
} else if (existsSync(installed)) {
  const child = spawn(installed, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' })
  // A terminal's Ctrl-C reaches the whole group, the child too: passed on, it would count as the second, which does not wait.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
} else {
  process.stderr.write(
    `onward needs Node ${NEEDED} (this is ${process.versions.node}): run npm ci, which brings it along.\n`,
  )
  process.exit(1)
}
