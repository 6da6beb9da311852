// Which process holds the socket with a port of its own: Linux tells in /proc. Elsewhere nobody knows.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** @param processIds those that may be it @returns the one that is; undefined when none is, or the system does not tell */
export function whoAsksFrom(port: number, processIds: readonly number[]): number | undefined {
  const inode = inodeOf(port)
  return inode === undefined ? undefined : processIds.find((processId) => holds(processId, `socket:[${inode}]`))
}

function inodeOf(port: number): string | undefined {
  const own = port.toString(16).toUpperCase().padStart(4, '0')
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(file)) {
      // Slot, own address, the other's address, state, queues, timer, retransmits, user, timeout, inode.
      const [, local = '', , , , , , , , inode] = line.trim().split(/\s+/)
      if (local.endsWith(`:${own}`)) return inode
    }
  }
  return undefined
}

function holds(processId: number, socket: string): boolean {
  try {
    const folder = `/proc/${processId}/fd`
    return readdirSync(folder).some((name) => isLinkTo(`${folder}/${name}`, socket))
  } catch {
    return false
  }
}

/** It may be closed while we look. */
function isLinkTo(path: string, target: string): boolean {
  try {
    return readlinkSync(path) === target
  } catch {
    return false
  }
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}
