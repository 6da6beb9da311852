// A port of loopback that leads to another one while it is open, as a remote API, a registry or a mail server that comes and goes.
// Closed, nobody listens there, and whoever was inside is cut off.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export type Door = {
  readonly port: number
  open(): Promise<void>
  close(): Promise<void>
}

/** @param to a port of loopback @returns a door that is closed */
export async function openDoor(t: TestContext, to: number): Promise<Door> {
  const inside = new Set<Socket>()
  const server = createServer((socket) => {
    const onward = connect(to, '127.0.0.1')
    socket.pipe(onward).pipe(socket)
    for (const end of [socket, onward]) {
      inside.add(end)
      end.on('error', () => [socket, onward].map((each) => each.destroy()))
      end.on('close', () => inside.delete(end))
    }
  })
  const listen = async (at: number) => {
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
  }
  const close = async () => {
    if (!server.listening) return
    server.close()
    for (const socket of inside) socket.destroy()
    await once(server, 'close')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  await close()
  t.after(close)
  return { port, open: () => listen(port), close }
}
