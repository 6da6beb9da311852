// Doors before the brokers, one of each broker for each forwarder: what passes is seen, request by request, and may be kept back.
// Enter: the brokers, the forwarders' names, and who is to be told. Leave: addresses for each forwarder. A broker tells its clients
// where the brokers are, so the ports in those answers are replaced by those of the doors.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What a forwarder is about to do, or to hear. */
export type Passing =
  /** The answer to a copy in a retry topic. */
  | 'parked'
  /** A commit. */
  | 'commit'
  /** A fetch of a retry topic. */
  | 'retry-fetch'

export type Doors = AsyncDisposable & {
  brokersOf(name: string): readonly string[]
}

const PRODUCE = 0
const FETCH = 1
const METADATA = 3
const OFFSET_COMMIT = 8
const FIND_COORDINATOR = 10
const HOST = '127.0.0.1'

/**
 * @param retryTopics what the names of the retry topics begin with
 * @param passes asked for each of these; false keeps it back, and all that would come after it on that connection
 */
export async function openDoors(
  brokers: readonly string[],
  names: readonly string[],
  retryTopics: string,
  passes: (name: string, passing: Passing) => boolean,
): Promise<Doors> {
  const sockets = new Set<Socket>()
  const servers: Server[] = []
  const doors = new Map<string, number[]>()
  const ports = brokers.map((broker) => Number(broker.split(':').at(-1)))
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  }
  for (const name of names) {
    const own: number[] = []
    doors.set(name, own)
    for (const port of ports) {
      const server = createServer((client) => {
        const broker = connect(port, HOST)
        for (const [socket, other] of [
          [client, broker],
          [broker, client],
        ] as const) {
          keep(socket)
          socket.setNoDelay(true)
          socket.on('error', () => undefined)
          socket.on('close', () => other.destroy())
        }
        const watch = new Watch(retryTopics, new Map(ports.map((real, place) => [real, own[place] ?? real])))
        pass(client, broker, (frame) => watch.request(frame, (passing) => passes(name, passing)))
        pass(broker, client, (frame) => watch.answer(frame, (passing) => passes(name, passing)))
      })
      server.listen(0, HOST)
      await once(server, 'listening')
      servers.push(server)
      own.push((server.address() as AddressInfo).port)
    }
  }
  return {
    brokersOf: (name) => (doors.get(name) ?? []).map((port) => `${HOST}:${port}`),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

/** Whole frames from one socket to the other, until one is kept back. */
function pass(from: Socket, to: Socket, allows: (frame: Buffer) => boolean): void {
  let waiting: Buffer = Buffer.alloc(0)
  let isShut = false
  from.on('data', (chunk: Buffer) => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
    while (!isShut && waiting.length >= 4) {
      const end = 4 + waiting.readInt32BE(0)
      if (waiting.length < end) break
      const frame = waiting.subarray(0, end)
      waiting = waiting.subarray(end)
      if (!allows(frame)) isShut = true
      else if (!to.destroyed) to.write(frame)
    }
  })
}

/** Kafka's framing: length, then of a request its kind, version and number, of an answer the number. */
class Watch {
  readonly #retryTopics: string
  readonly #doorOf: ReadonlyMap<number, number>
  readonly #parks = new Set<number>()
  readonly #namesBrokers = new Set<number>()

  constructor(retryTopics: string, doorOf: ReadonlyMap<number, number>) {
    this.#retryTopics = retryTopics
    this.#doorOf = doorOf
  }

  request(frame: Buffer, passes: (passing: Passing) => boolean): boolean {
    const kind = frame.readInt16BE(4)
    const number = frame.readInt32BE(8)
    if (kind === METADATA || kind === FIND_COORDINATOR) this.#namesBrokers.add(number)
    if (kind === OFFSET_COMMIT) return passes('commit')
    if (kind === PRODUCE && frame.includes(this.#retryTopics)) this.#parks.add(number)
    return kind === FETCH && frame.includes(this.#retryTopics) ? passes('retry-fetch') : true
  }

  answer(frame: Buffer, passes: (passing: Passing) => boolean): boolean {
    const number = frame.readInt32BE(4)
    if (this.#namesBrokers.delete(number)) this.#replacePorts(frame)
    return this.#parks.delete(number) ? passes('parked') : true
  }

  /** A broker's address is its host, as a length of two bytes and the text, and the port in four bytes. */
  #replacePorts(frame: Buffer): void {
    const host = Buffer.concat([Buffer.from([0, HOST.length]), Buffer.from(HOST)])
    for (let at = frame.indexOf(host); at !== -1; at = frame.indexOf(host, at + 1)) {
      const place = at + host.length
      const door = this.#doorOf.get(frame.readInt32BE(place))
      if (door !== undefined) frame.writeInt32BE(door, place)
    }
  }
}
