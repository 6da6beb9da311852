import assert from 'node:assert/strict'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { systemClock } from '../../../services/shared/clock.ts'
import { kafkaGround } from '../../support/kafka-ground.ts'
import { untilBrokersDo } from '../../support/group-member.ts'

/** Beyond the lease of the shortest session that brokers allow, and within that session. */
const STOPPED_FOR_MS = 4_500

test('a process that was stopped and goes on holds no lease until its group has heard of it', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1)
  const script = join(import.meta.dirname, '..', '..', 'support', 'leased-member.ts')
  const child = spawn(process.execPath, [script, ground.brokers.join(','), topic], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const said: string[] = []
  createInterface(child.stdout).on('line', (line) => said.push(line))
  await untilBrokersDo('it holds the lease', () => said.includes('held'))
  child.kill('SIGSTOP')
  await systemClock.sleep(STOPPED_FOR_MS)
  child.kill('SIGCONT')
  await untilBrokersDo('it goes on', () => said.some((line) => line.startsWith('went on')))
  assert.deepEqual(
    said.find((line) => line.startsWith('went on')),
    'went on: lost',
  )
  await untilBrokersDo('it holds the lease again', () => said.at(-1) === 'held')
})
