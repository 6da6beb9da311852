// The healthy remote API of the hostile workload, a process of its own: answers 200 at once, and knows how long each change took from
// its publishing. Enter: requests whose body names the instant (`sent_at`, a property: nanoseconds of the system's monotonic clock,
// which is the same in all processes of a machine). Leaves: its port as a line; for each line of its standard input the milliseconds of
// what arrived since the last one, as a JSON list. Ends when its standard input does.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import type { AddressInfo } from 'node:net'

const SENT_AT = /"sent_at": ?"(\d+)"/
let took: number[] = []

const server = createServer((request, response) => {
  const now = process.hrtime.bigint()
  let body = ''
  request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
  request.on('end', () => {
    const sentAt = SENT_AT.exec(body)?.[1]
    if (sentAt !== undefined) took.push(Number(now - BigInt(sentAt)) / 1e6)
    response.end()
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(String((server.address() as AddressInfo).port)))
createInterface({ input: process.stdin })
  .on('line', () => {
    console.log(JSON.stringify(took))
    took = []
  })
  .on('close', () => process.exit(0))
