// Preloaded into a forwarder. After SIGUSR2 its consumer beats and gets nothing, as if the Kafka client had lost its way: until it
// joins the group again, or for good where STALLED_FETCH says so. From the line `fetch-stalled` on no record gets through.
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

const require = createRequire(import.meta.url)
const { prototype } = require('kafkajs/src/consumer/consumerGroup')
const { fetch, joinAndSync } = prototype
const forGood = process.env.STALLED_FETCH === 'for-good'
let stalled = false
let told = false

process.on('SIGUSR2', () => {
  stalled = true
})
prototype.joinAndSync = async function () {
  stalled &&= forGood
  await joinAndSync.call(this)
}
prototype.fetch = async function (nodeId) {
  // What is not handed on moves no position: it comes again.
  const batches = await fetch.call(this, nodeId)
  if (!stalled) return batches
  if (!told) process.stdout.write(`${JSON.stringify({ event: 'fetch-stalled' })}\n`)
  told = true
  await sleep(100)
  return []
}
