// Kills at named points of a forwarder's work. A point is armed; the forwarder that comes to it next is killed there, and what it
// was about to do or to hear is kept back. Nothing in the forwarder knows of it: its answers, and its doors to the brokers, do.
import type { Millis } from '../../services/shared/clock.ts'
import type { Passing } from './doors.ts'

export const POINTS = ['after-response', 'before-parked-ack', 'before-commit', 'mid-restore'] as const
/**
 * | point | what has happened | what has not |
 * |---|---|---|
 * | after-response | a remote has answered 2xx | nothing of it is committed |
 * | before-parked-ack | a copy lies in a retry topic | its sender has heard of it |
 * | before-commit | everything that the commit says | the commit |
 * | mid-restore | the partitions are assigned | what is parked in them is known |
 */
export type Point = (typeof POINTS)[number]

export type Points = {
  /** How often somebody was killed there. */
  readonly kills: Readonly<Record<Point, number>>
  /**
   * @param skip how often the point is passed before
   * @param only the one that it is for
   * @returns the name of who was killed; undefined when nobody came there within that time
   */
  arm(point: Point, skip: number, within: Millis, only?: string): Promise<string | undefined>
  readonly passes: (name: string, passing: Passing) => boolean
  /** A 2xx has left for whoever asked from that port. */
  readonly answered: (port: number) => void
}

type Armed = { readonly only: string | undefined; skip: number; readonly killed: (name: string) => void }

const AT: Readonly<Record<Passing, Point>> = {
  parked: 'before-parked-ack',
  commit: 'before-commit',
  'retry-fetch': 'mid-restore',
}

/** @param kill at once @param whoAsksFrom the forwarder that holds a socket with this port of its own, where that can be told */
export function openPoints(kill: (name: string) => void, whoAsksFrom: (port: number) => string | undefined): Points {
  const armed = new Map<Point, Armed>()
  const kills = { 'after-response': 0, 'before-parked-ack': 0, 'before-commit': 0, 'mid-restore': 0 }
  const isReached = (point: Point, name: string): boolean => {
    const trap = armed.get(point)
    if (!trap || (trap.only !== undefined && trap.only !== name) || trap.skip-- > 0) return false
    armed.delete(point)
    kills[point]++
    kill(name)
    trap.killed(name)
    return true
  }
  return {
    kills,
    arm: (point, skip, within, only) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          armed.delete(point)
          resolve(undefined)
        }, within)
        const killed = (name: string) => {
          clearTimeout(timer)
          resolve(name)
        }
        armed.set(point, { only, skip, killed })
      }),
    passes: (name, passing) => !isReached(AT[passing], name),
    answered(port) {
      if (!armed.has('after-response')) return
      const name = whoAsksFrom(port)
      if (name !== undefined) isReached('after-response', name)
    },
  }
}
