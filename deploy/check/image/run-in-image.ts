// Runs a program in a tree of build-tree.ts as a container would: its user, its environment, nothing to write to.
// Enter: the image, words, settings. Leave: a process, which has the process id of the program itself, so that signals reach it.
// Never: a mount or a file that outlives the process (mounts are its own) or the confinement (disposed of).
import { execFileSync, spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Image } from './build-tree.ts'
import { DockerfileError, type Words } from './read-dockerfile.ts'

export type Confined = ChildProcessByStdio<null, Readable, Readable>

export type Confinement = Disposable & {
  /** For a person: how close this machine comes to a container. */
  readonly how: string
  /** A root of its own: nothing of this machine's files is there, no shell either. */
  readonly hasOwnRoot: boolean
  /** @param words instead of the image's own command */
  start(settings: Readonly<Record<string, string>>, words?: Words): Confined
}

export function confine(image: Image): Confinement {
  const [uid = NaN, gid = NaN] = (image.user ?? '').split(':').map(Number)
  if (!(uid > 0) || !(gid > 0))
    throw new DockerfileError(`USER ${image.user ?? ''}: a uid and a gid above 0 are needed`)
  const isRoot = process.getuid?.() === 0
  const argsOf = (words: Words | undefined) => [...image.entrypoint, ...(words ?? image.cmd)]
  const ids = [String(uid), String(gid)]
  const mayMount = isRoot && spawnSync('unshare', ['--mount', 'mount', '--bind', '/tmp', '/tmp']).status === 0
  if (mayMount) {
    addWhatNodeNeeds(image.root)
    return {
      how: `as ${image.user ?? ''} in a root of its own, mounted read-only`,
      hasOwnRoot: true,
      start: (settings, words) =>
        spawn('unshare', ['--mount', 'sh', '-c', OWN_ROOT, 'sh', image.root, image.workdir, ...ids, ...argsOf(words)], {
          env: { ...image.env, ...settings },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      [Symbol.dispose]: () => undefined,
    }
  }
  const copy = mkdtempSync(join(tmpdir(), 'onward-image-'))
  cpSync(image.root, copy, { recursive: true, verbatimSymlinks: true })
  forbidWriting(copy)
  const here = (folder: string) => join(copy, folder)
  return {
    how: `as ${isRoot ? (image.user ?? '') : 'yourself'} in a copy without write permission, for this machine does not let us mount`,
    hasOwnRoot: false,
    start: (settings, words) => {
      const [program = '', ...rest] = argsOf(words)
      const path = (image.env['PATH'] ?? '').split(':').map(here).join(':')
      return spawn(program, rest, {
        cwd: here(image.workdir),
        env: { ...image.env, PATH: `${path}:/usr/bin:/bin`, ...settings },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(isRoot ? { uid, gid } : {}),
      })
    },
    [Symbol.dispose]: () => {
      allowWriting(copy)
      rmSync(copy, { recursive: true, force: true })
    },
  }
}

/** Each program takes the place of the one before it, so that the process id stays. */
const OWN_ROOT = `
root=$1 workdir=$2 uid=$3 gid=$4
shift 4
mount --bind "$root" "$root" &&
  mount -o remount,bind,ro "$root" &&
  mount --bind /proc "$root/proc" &&
  exec unshare --root="$root" --wd="$workdir" --setgid="$gid" --setuid="$uid" "$@"`

/** The base image has Debian's libraries and \`env\`, which the first line of \`onward\` asks for. */
function addWhatNodeNeeds(root: string): void {
  mkdirSync(join(root, 'proc'), { recursive: true })
  const programs = [process.execPath, '/usr/bin/env']
  const libraries = programs.flatMap((program) =>
    [...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(\/\S+) \(/g)].map(([, path = '']) => path),
  )
  for (const path of new Set([...libraries, '/usr/bin/env'])) {
    const into = join(root, path)
    if (existsSync(into)) continue
    mkdirSync(dirname(into), { recursive: true })
    copyFileSync(path, into)
  }
}

const changeAll = (folder: string, change: (mode: number) => number): void => {
  chmodSync(folder, change(lstatSync(folder).mode))
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) changeAll(path, change)
    else if (entry.isFile()) chmodSync(path, change(lstatSync(path).mode))
  }
}
/** The temporary folder itself is its owner's alone: whoever runs in it must be let in. */
const forbidWriting = (folder: string): void => changeAll(folder, (mode) => (mode | 0o111 | 0o444) & ~0o222 & 0o777)
const allowWriting = (folder: string): void => changeAll(folder, (mode) => (mode | 0o200) & 0o777)
