// Who a process is: its id together with the instant it began, since ids are given out again.
// Enters: a process id. Leaves: a text that names that one process. Never: a signal to anything.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const HAS_PROC = existsSync('/proc/self/stat')

/**
 * @param {number} pid
 * @returns {string | undefined} when the process began, as digits; undefined when there is none of that id
 */
export function processStart(pid) {
  try {
    if (HAS_PROC) {
      // The program's name, second field, may hold spaces and parentheses: count from the last one. A zombie is dead to us.
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
      return fields[0] === 'Z' ? undefined : fields[19]
    }
    const began = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
    return String(Date.parse(began) / 1000)
  } catch {
    return undefined
  }
}

/** `<pid>-<start>` of this process. */
export const ownIdentity = `${process.pid}-${processStart(process.pid) ?? '0'}`

/**
 * @param {string} identity `<pid>-<start>`
 * @returns {boolean}
 */
export function isLiving(identity) {
  const [pid, start] = identity.split('-')
  return processStart(Number(pid)) === start
}
