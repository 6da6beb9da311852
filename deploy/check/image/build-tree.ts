// The steps of a Dockerfile, done in folders: what an image would hold, where there is no container engine.
// Enter: stages, the build context, a folder. Leave: the last stage's tree and how it is run. Never: a write outside that folder
// by a step of its own; a RUN with an absolute path is refused, for it would reach this machine's files.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  globSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, posix } from 'node:path'
import dockerignore from '@balena/dockerignore'
import { assertNever } from '../../../services/shared/assert-never.ts'
import { DockerfileError, type Stage, type Step, type Words } from './read-dockerfile.ts'

export type Image = {
  /** Its root folder on this machine. */
  readonly root: string
  readonly workdir: string
  readonly env: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** `uid:gid`, or what else the file says; null for root. */
  readonly user: string | null
  readonly entrypoint: Words
  readonly cmd: Words
  readonly healthcheck: Words | null
  readonly stopsignal: string
}

type Building = { -readonly [Key in keyof Image]: Image[Key] }

export type TreeOptions = {
  readonly stages: readonly Stage[]
  /** The folder whose files COPY takes, and whose .dockerignore holds. */
  readonly context: string
  /** Made anew. */
  readonly folder: string
}

/** @throws DockerfileError for what it can't do, with what a failing RUN said */
export function buildTree({ stages, context, folder }: TreeOptions): Image {
  rmSync(folder, { recursive: true, force: true })
  const files = contextFiles(context)
  const built = new Map<string, Building>()
  for (const [index, stage] of stages.entries()) {
    const earlier = built.get(stage.base)
    const root = join(folder, `stage-${index + 1}`)
    const image = earlier ? { ...earlier, root } : { ...EMPTY, env: { PATH: BASE_PATH }, labels: {}, root }
    if (earlier) cpSync(earlier.root, root, { recursive: true, verbatimSymlinks: true })
    else fillBase(stage.base, root)
    for (const step of stage.steps) take(step, image, { context, files, built })
    built.set(stage.name ?? String(index), image)
  }
  const last = [...built.values()].at(-1)
  if (!last) throw new DockerfileError('the Dockerfile has no stage')
  return last
}

const BASE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const EMPTY = {
  workdir: '/',
  user: null,
  // What node's own image begins with: a Dockerfile that keeps it starts a shell.
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['node'],
  healthcheck: null,
  stopsignal: 'SIGTERM',
}

/** Of the base image only Node is there: what else a service would lean on must not be. @throws DockerfileError */
function fillBase(base: string, root: string): void {
  const version = /^node:(\d+\.\d+\.\d+)-/.exec(base)?.[1]
  if (version !== process.versions.node) {
    throw new DockerfileError(
      `FROM ${base}: this builds on node:${process.versions.node}-… alone, the Node that package.json names and the tests run on`,
    )
  }
  const node = join(root, 'usr', 'local', 'bin', 'node')
  mkdirSync(dirname(node), { recursive: true })
  try {
    // It is large, and nothing here writes to it.
    linkSync(process.execPath, node)
  } catch {
    // On another file system.
    copyFileSync(process.execPath, node)
  }
}

type Surroundings = {
  readonly context: string
  /** What .dockerignore lets through, relative to the context. */
  readonly files: readonly string[]
  readonly built: ReadonlyMap<string, Image>
}

function take(step: Step, image: Building, around: Surroundings): void {
  switch (step.kind) {
    case 'workdir':
      image.workdir = posix.resolve(image.workdir, step.path)
      mkdirSync(join(image.root, image.workdir), { recursive: true })
      return
    case 'copy':
      return copy(step, image, around)
    case 'run':
      return run(step.command, image)
    case 'env':
      image.env = { ...image.env, [step.name]: step.value }
      return
    case 'label':
      image.labels = { ...image.labels, [step.name]: step.value }
      return
    case 'user':
      image.user = step.user
      return
    case 'healthcheck':
      image.healthcheck = step.words
      return
    case 'entrypoint':
      image.entrypoint = step.words
      // As Docker does: an entry point of one's own forgets the base image's command.
      image.cmd = []
      return
    case 'cmd':
      image.cmd = step.words
      return
    case 'stopsignal':
      image.stopsignal = step.signal
      return
    case 'expose':
      return
    default:
      assertNever(step)
  }
}

/** As Docker's COPY: a folder's content, not the folder; several sources or a trailing slash need a folder as target. */
function copy({ from, sources, target }: Extract<Step, { kind: 'copy' }>, image: Building, around: Surroundings): void {
  const into = join(image.root, posix.resolve(image.workdir, target))
  const isFolder = /(?:^|\/)\.{0,2}$/.test(target) || sources.length > 1
  for (const source of sources) {
    if (from !== null) {
      const stage = around.built.get(from)
      if (!stage) throw new DockerfileError(`COPY --from=${from}: there is no earlier stage of that name`)
      const path = join(stage.root, source)
      cpSync(path, isFolder && !statSync(path).isDirectory() ? join(into, posix.basename(source)) : into, COPYING)
      continue
    }
    const folder = posix.join(source, '/')
    const taken = around.files.filter((file) => file === source || folder === './' || file.startsWith(folder))
    if (taken.length === 0) {
      throw new DockerfileError(`COPY ${source}: there is no such file, or .dockerignore keeps it out`)
    }
    for (const file of taken) {
      const below = file === source ? (isFolder ? posix.basename(file) : '') : posix.relative(source, file)
      const path = join(into, below)
      mkdirSync(dirname(path), { recursive: true })
      cpSync(join(around.context, file), path, COPYING)
    }
  }
}

const COPYING = { recursive: true, verbatimSymlinks: true }

function run(command: string, image: Building): void {
  const outside = /(?<![\w.-])\/[\w.-]+/.exec(command.replaceAll(/\w+:\/\/\S+/g, ''))?.[0]
  if (outside !== undefined) {
    throw new DockerfileError(`RUN ${command}: ${outside} is an absolute path; name what lies below the working folder`)
  }
  const { status, stderr } = spawnSync('sh', ['-c', command], {
    cwd: join(image.root, image.workdir),
    env: {
      ...process.env,
      ...image.env,
      // The image's Node in front; npm and the rest are this machine's.
      PATH: `${join(image.root, 'usr', 'local', 'bin')}:${process.env['PATH'] ?? ''}`,
    },
    encoding: 'utf8',
  })
  if (status !== 0) throw new DockerfileError(`RUN ${command} ended with ${String(status)}: ${stderr}`)
}

function contextFiles(context: string): readonly string[] {
  const ignored = dockerignore.default().add(readFileSync(join(context, '.dockerignore'), 'utf8'))
  // Docker looks into these as well; what they hold is kept out by the first line of .dockerignore, which a test holds.
  const never = new Set(['node_modules', '.git', '.cache'])
  return globSync('**', { cwd: context, exclude: (path) => never.has(posix.basename(path)) })
    .filter((path) => lstatSync(join(context, path)).isFile())
    .filter((path) => !ignored.ignores(path))
}

/** @returns bytes of all files below, links counted as none */
export function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).size, 0)
}
