// One Metadata request over a plain socket: does this broker answer, of which cluster is it, how many brokers does it see?
// Enters: a loopback port. Leaves: the answer, or undefined while there is none. Never: a retry, or anything that waits long.
import { once } from 'node:events'
import { connect } from 'node:net'

type Metadata = { readonly clusterId: string | null; readonly brokers: number }

const METADATA = 3
/** The first version whose answer names the cluster. */
const VERSION = 2
const CORRELATION = 1
/** A broker that is still booting may accept and say nothing. */
const ANSWER_WITHIN_MS = 2_000
/** The length field in front of every request and answer. */
const PREFIX = 4

export async function askMetadata(port: number): Promise<Metadata | undefined> {
  const socket = connect({ port, host: '127.0.0.1' })
  const giveUp = setTimeout(() => socket.destroy(), ANSWER_WITHIN_MS)
  try {
    await once(socket, 'connect')
    socket.write(request())
    let received = Buffer.alloc(0)
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer])
      if (received.length >= PREFIX && received.length >= PREFIX + received.readInt32BE(0))
        return readMetadata(received)
    }
    return undefined
  } catch {
    return undefined
  } finally {
    clearTimeout(giveUp)
    socket.destroy()
  }
}

function request(): Buffer {
  const body = Buffer.alloc(14)
  body.writeInt16BE(METADATA, 0)
  body.writeInt16BE(VERSION, 2)
  body.writeInt32BE(CORRELATION, 4)
  // No client name, and no topics.
  body.writeInt16BE(-1, 8)
  body.writeInt32BE(0, 10)
  const prefix = Buffer.alloc(PREFIX)
  prefix.writeInt32BE(body.length)
  return Buffer.concat([prefix, body])
}

/** `brokers[] { node_id, host, port, rack }`, then `cluster_id`; more follows. */
function readMetadata(answer: Buffer): Metadata {
  let at = PREFIX + 4
  const text = (): string | null => {
    const length = answer.readInt16BE(at)
    at += 2 + Math.max(length, 0)
    return length < 0 ? null : answer.toString('utf8', at - length, at)
  }
  const brokers = answer.readInt32BE(at)
  at += 4
  for (let broker = 0; broker < brokers; broker++) {
    at += 4
    text()
    at += 4
    text()
  }
  return { clusterId: text(), brokers }
}
