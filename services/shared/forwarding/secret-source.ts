// Where secrets are read: the process's environment, and files under one folder. Enter: names and paths from references.
// Leave: values, fresh within a second after a file changed. Never: a file outside the folder, whatever links lead there.
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { sep } from 'node:path'
import type { Clock, Millis } from '../clock.ts'
import type { Environment } from '../settings.ts'
import type { Found, SecretSource } from './secret.ts'

/** How long a file is taken for unchanged: every attempt asks, and a look at the disk for each would be felt. */
const LOOK_EVERY: Millis = 1_000
/** A token or a chain of certificates; a larger file was named by mistake. */
const LARGEST_FILE_BYTES = 64 * 1024

type Cached = { lookedAt: Millis; stamp: string; found: Found }

/** @param secretsDir absolute; null refuses every file */
export function openSecretSource(environment: Environment, secretsDir: string | null, clock: Clock): SecretSource {
  const files = new Map<string, Cached>()
  // Nobody changes it from outside, and each look at the process's own goes down into the system.
  const variables = new Map(Object.entries(environment))
  return {
    variable(name) {
      const value = variables.get(name)
      if (value === undefined) return absent('this environment variable is not set')
      return value === '' ? absent('this environment variable is empty') : { kind: 'found', value }
    },
    file(path) {
      if (secretsDir === null) return absent('files are not read while ONWARD_SECRETS_DIR is not set')
      const now = clock.monotonic()
      const known = files.get(path)
      if (known && now - known.lookedAt < LOOK_EVERY) return known.found
      const read = readSecretFile(path, secretsDir, known)
      files.set(path, { lookedAt: now, ...read })
      return read.found
    },
  }
}

/** The links are followed each time: a mounted secret is renewed by turning a link to another folder. */
function readSecretFile(path: string, secretsDir: string, known: Cached | undefined): { stamp: string; found: Found } {
  try {
    const real = realpathSync(path)
    if (!real.startsWith(withSeparator(realpathSync(secretsDir)))) {
      return { stamp: '', found: absent('this file is not under ONWARD_SECRETS_DIR') }
    }
    const { mtimeMs, ino, size } = statSync(real)
    const stamp = `${real}:${ino}:${mtimeMs}:${size}`
    if (known?.stamp === stamp) return { stamp, found: known.found }
    if (size > LARGEST_FILE_BYTES)
      return { stamp, found: absent(`this file is larger than ${LARGEST_FILE_BYTES} bytes`) }
    // Editors and `echo` end a file with a line break that no secret has.
    const value = readFileSync(real, 'utf8').replace(/\r?\n$/, '')
    return { stamp, found: value === '' ? absent('this file is empty') : { kind: 'found', value } }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    return { stamp: '', found: absent(`this file cannot be read (${code})`) }
  }
}

const withSeparator = (folder: string): string => (folder.endsWith(sep) ? folder : folder + sep)

const absent = (why: string): Found => ({ kind: 'absent', why })
