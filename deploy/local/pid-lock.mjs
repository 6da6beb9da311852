// One process at a time: a lock file that names its holder, and that a dead holder can't keep.
// Enters: the file's path. Leaves: a release. Never: a lock taken from a process that lives.
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isLiving, ownIdentity } from './living-process.mjs'

/** Between two looks at a lock that somebody else holds. */
const LOOK_AGAIN_AFTER_MS = 200
/** A claim to a dead holder's lock takes two file operations: one as old as this was left by a crash. */
const CLAIM_ENDS_AFTER_MS = 10_000

/**
 * @param {string} file
 * @param {() => void} [waits] told once, when somebody else holds the lock
 * @param {AbortSignal} [signal]
 * @returns {Promise<() => void>} the release
 */
export async function takePidLock(file, waits, signal) {
  mkdirSync(dirname(file), { recursive: true })
  // Linked into place whole: nobody ever reads a lock that has no name in it yet.
  const own = `${file}.${ownIdentity}`
  writeFileSync(own, ownIdentity)
  try {
    for (let told = false; !linked(own, file);) {
      signal?.throwIfAborted()
      if (clearDead(file)) continue
      if (!told) waits?.()
      told = true
      await sleep(LOOK_AGAIN_AFTER_MS, undefined, { signal })
    }
  } finally {
    rmSync(own, { force: true })
  }
  return () => rmSync(file, { force: true })
}

/** @returns {boolean} whether the lock may be free now */
function clearDead(file) {
  const holder = read(file)
  if (holder === undefined) return true
  if (isLiving(holder)) return false
  // Several may find the same dead holder. Only who makes this link may remove the lock, and only if it is still that
  // holder's: else the second to come would remove the lock that the first has just taken.
  const claim = `${file}.claim-${holder}`
  try {
    if (!linked(file, claim)) {
      if (age(claim) > CLAIM_ENDS_AFTER_MS) rmSync(claim, { force: true })
      return false
    }
  } catch (error) {
    // The holder's lock was removed in between: look again.
    if (error.code === 'ENOENT') return true
    throw error
  }
  if (read(claim) === holder) rmSync(file, { force: true })
  rmSync(claim, { force: true })
  return true
}

function linked(from, to) {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function age(file) {
  try {
    return Date.now() - statSync(file).mtimeMs
  } catch {
    return 0
  }
}
