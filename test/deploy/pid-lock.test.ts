import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test, type TestContext } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { ownIdentity } from '../../deploy/local/living-process.mjs'
import { takePidLock } from '../../deploy/local/pid-lock.mjs'

const MODULE = pathToFileURL(join(REPOSITORY, 'deploy', 'local', 'pid-lock.mjs')).href

test('a lock names its holder, and leaves nothing behind when it is given back', async (t) => {
  const lock = lockFile(t)
  const release = await takePidLock(lock)
  assert.equal(readFileSync(lock, 'utf8'), ownIdentity)
  release()
  assert.deepEqual(readdirSync(join(lock, '..')), [])
})

test('the lock of a holder that lives is waited for', async (t) => {
  const lock = lockFile(t)
  const release = await takePidLock(lock)
  let waits = 0
  const second = takePidLock(lock, () => {
    waits += 1
    release()
  })
  const releaseSecond = await second
  assert.equal(waits, 1)
  releaseSecond()
})

test('waiting for a lock ends with the reason of the signal that aborts it', async (t) => {
  const lock = lockFile(t)
  await takePidLock(lock)
  const controller = new AbortController()
  const waiting = takePidLock(lock, () => controller.abort(), controller.signal)
  await assert.rejects(waiting, { name: 'AbortError' })
})

test('the lock of a holder that died is taken, also when its process id was given out again', async (t) => {
  const lock = lockFile(t)
  writeFileSync(lock, `${process.pid}-1`)
  const release = await takePidLock(lock)
  assert.equal(readFileSync(lock, 'utf8'), ownIdentity)
  release()
})

test('many that find a dead holder’s lock at the same moment get it one after the other', async (t) => {
  const lock = lockFile(t)
  writeFileSync(lock, '1-0')
  const counter = join(lock, '..', 'counter')
  writeFileSync(counter, '0')
  // Each reads the counter, lets others run, and writes it back: two at once would lose a count.
  const code = `
    import { readFileSync, writeFileSync } from 'node:fs'
    import { takePidLock } from ${JSON.stringify(MODULE)}
    for (let round = 0; round < 3; round++) {
      const release = await takePidLock(${JSON.stringify(lock)})
      const count = Number(readFileSync(${JSON.stringify(counter)}, 'utf8'))
      await new Promise((resolve) => setTimeout(resolve, 5))
      writeFileSync(${JSON.stringify(counter)}, String(count + 1))
      release()
    }`
  const processes = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  t.after(() => processes.forEach((child) => child.kill('SIGKILL')))
  const codes = await Promise.all(processes.map(async (child) => (await once(child, 'exit'))[0] as number))
  assert.deepEqual(codes, [0, 0, 0, 0])
  assert.equal(readFileSync(counter, 'utf8'), '12')
})

function lockFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'onward-lock-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'some.lock')
}
