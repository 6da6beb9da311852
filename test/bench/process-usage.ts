// What one process has used so far, from outside, so that a rival need not be changed to be measured.
// Enter: a process id. Leave: CPU time of all its threads, dead ones too, and its peak of memory. Linux only: /proc.
import { readFileSync } from 'node:fs'

export type ProcessUsage = {
  /** User and system time, in microseconds, in steps of 10,000. */
  readonly cpuMicros: number
  /** What its main thread could have run but had to wait for a core, in microseconds. */
  readonly waitedMicros: number
  /** The most that was ever resident, in bytes. */
  readonly peakBytes: number
}

/** Clock ticks of /proc/…/stat are 1/100 s on every Linux that Node runs on (`getconf CLK_TCK`). */
const MICROS_OF_A_TICK = 10_000

/** @returns null when the process is gone, or the system has no /proc */
export function readProcessUsage(pid: number): ProcessUsage | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The program's name stands in brackets and may hold spaces: count fields from behind it. 14 is utime, 15 stime.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    // Nanoseconds on a core, nanoseconds waiting for one, turns.
    const waited = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]
    return {
      cpuMicros: ticks * MICROS_OF_A_TICK,
      waitedMicros: Number(waited ?? 0) / 1_000,
      peakBytes: Number(peak ?? 0) * 1024,
    }
  } catch {
    return null
  }
}
