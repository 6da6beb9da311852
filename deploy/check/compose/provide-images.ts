// The images that the compose file and the Dockerfile begin from. Enter: an engine, image names. Leave: of each where it is from.
// MUST: a stand-in is made in an engine of our own alone: nobody else may find something under these names that is not what they say.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fetchJars } from '../../local/jars.ts'
import { CACHE } from '../../local/paths.ts'
import type { Progress } from '../../local/progress.mjs'
import { makeRunFolder } from '../../local/run-folder.ts'
import { runInstaller } from '../../local/run-installer.mjs'
import { saidBy } from '../run-tool.ts'
import { DEBOOTSTRAP, mailpit } from '../tools/engine-tools.ts'
import { well, type Engine } from './open-engine.ts'

export type Provided = 'there' | 'fetched' | 'stand-in' | 'missing'

const FOLDER = join(import.meta.dirname, 'stand-ins')
const OURS = 'onward-stand-in'
const RELEASE = 'bookworm'
const NO_SUCH_IMAGE = /manifest unknown|not found: manifest|repository does not exist|toomanyrequests/i
const MAVEN_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies'

type Make = {
  readonly engine: Engine
  /** Of the image. */
  readonly version: string
  /** What the Dockerfile finds beside itself. */
  readonly context: string
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** By image name, what its stand-in's folder is called, and what is put beside its Dockerfile. */
const STAND_INS: Readonly<Record<string, { readonly folder: string; readonly fill: (make: Make) => Promise<void> }>> = {
  'apache/kafka': { folder: 'kafka', fill: fillKafka },
  'apicurio/apicurio-registry': { folder: 'registry', fill: fillRegistry },
  'axllent/mailpit': { folder: 'mailpit', fill: fillMailpit },
  node: { folder: 'node', fill: async ({ version, context }) => fillNode(version, context) },
  'prom/prometheus': { folder: 'prometheus', fill: async () => undefined },
}

/** @throws Error where an image is not there and can't be fetched by an engine that is somebody's */
export async function provideImages(
  engine: Engine,
  images: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Provided>> {
  const provided = new Map<string, Provided>()
  for (const image of images) provided.set(image, await provide(engine, image, progress, signal))
  return provided
}

async function provide(engine: Engine, image: string, progress: Progress, signal: AbortSignal): Promise<Provided> {
  const asked = await engine.docker('image', 'inspect', image, '--format', '{{index .Config.Labels "onward.stand-in"}}')
  if (asked.code === 0) return asked.stdout.trim() === 'true' ? 'stand-in' : 'there'
  const step = progress.step(`${image}: fetching`)
  const pulled = await engine.docker('pull', '--quiet', image)
  if (pulled.code === 0) {
    step.done()
    return 'fetched'
  }
  const why = saidBy(pulled)
  step.failed(why.split('\n').at(-1))
  // Who is told that there is no such image must hear it: only where nobody answers may something stand in.
  if (!engine.isOwn || NO_SUCH_IMAGE.test(why)) throw new Error(`${image} is not there and cannot be fetched:\n${why}`)
  const [name = '', tag = ''] = image.split(':')
  const standIn = STAND_INS[name]
  if (!standIn) return 'missing'
  await makeBase(engine, progress, signal)
  const version = /\d+\.\d+\.\d+/.exec(tag)?.[0] ?? tag
  const build = (context: string) => standIn.fill({ engine, version, context, progress, signal })
  await buildIn(engine, standIn.folder, image, build, progress)
  return 'stand-in'
}

/** From a folder's Dockerfile, and what is put beside it. */
async function buildIn(
  { env }: Engine,
  folder: string,
  image: string,
  fill: (context: string) => Promise<void>,
  progress: Progress,
): Promise<void> {
  const context = join(CACHE, 'stand-in', folder)
  rmSync(context, { recursive: true, force: true })
  cpSync(join(FOLDER, folder), context, { recursive: true })
  await fill(context)
  // The builder that every engine has, whatever plugins there are.
  const classic = { ...env, DOCKER_BUILDKIT: '0' }
  const words = ['build', '--label', 'onward.stand-in=true', '--tag', image, context]
  await runInstaller(progress, `${image}: a stand-in`, 'docker', words, classic)
  rmSync(context, { recursive: true })
}

/** What the stand-ins begin with: Debian, and the same with Java. */
async function makeBase(engine: Engine, progress: Progress, signal: AbortSignal): Promise<void> {
  const images = { debian: `${OURS}/debian:${RELEASE}`, java: `${OURS}/java:${RELEASE}` }
  if ((await engine.docker('image', 'inspect', images.java)).code === 0) return
  await DEBOOTSTRAP.install(progress, signal)
  // Not in .cache: debootstrap fails where a folder's name has a space.
  const folder = makeRunFolder()
  const root = join(folder, 'root')
  mkdirSync(root)
  await runInstaller(progress, `Debian ${RELEASE}`, DEBOOTSTRAP.command, ['--variant=minbase', RELEASE, root])
  await runInstaller(progress, 'packing it', 'tar', ['-C', root, '-cf', `${root}.tar`, '.'])
  await well(engine.docker('import', `${root}.tar`, `${OURS}/bootstrapped:${RELEASE}`))
  rmSync(folder, { recursive: true })
  const trust = async (context: string) => {
    cpSync('/etc/ssl/certs/ca-certificates.crt', join(context, 'ca-certificates.crt'), { dereference: true })
  }
  await buildIn(engine, 'debian', images.debian, trust, progress)
  await buildIn(engine, 'java', images.java, async () => undefined, progress)
}

// ── what is put beside each Dockerfile ────────────────────────────────────────────────────────────────────────────────

async function fillKafka({ version, context, progress }: Make): Promise<void> {
  const settings = [`-Dkafka.version=${version}`, `-DoutputDirectory=${join(context, 'jars')}`]
  const words = ['-B', '-f', join(FOLDER, 'kafka', 'pom.xml'), MAVEN_GOAL, ...settings]
  await runInstaller(progress, `Apache Kafka ${version}, by Maven`, 'mvn', words)
}

async function fillRegistry({ version, context, progress, signal }: Make): Promise<void> {
  const { registry } = await fetchJars(progress, signal)
  if (!registry.jar.includes(version)) throw new Error(`npm start has ${registry.jar}, and the compose file ${version}`)
  cpSync(registry.folder, join(context, 'registry'), { recursive: true })
}

async function fillMailpit({ version, context, progress, signal }: Make): Promise<void> {
  const tool = mailpit(version)
  await tool.install(progress, signal)
  cpSync(tool.command, join(context, 'mailpit'))
}

function fillNode(version: string, context: string): void {
  if (version !== process.versions.node) {
    throw new Error(`the Dockerfile begins from Node ${version}, and package.json names ${process.versions.node}`)
  }
  cpSync(process.execPath, join(context, 'node'))
  cpSync(npmFolder(), join(context, 'npm'), { recursive: true, dereference: true })
}

/** The npm that this was started with, or else the machine's. */
function npmFolder(): string {
  const { npm_execpath: started } = process.env
  if (started !== undefined) return dirname(dirname(started))
  const asked = spawnSync('npm', ['root', '--global'], { encoding: 'utf8' })
  if (asked.status !== 0) throw new Error('npm was not found: start this with npm run check:compose')
  return join(asked.stdout.trim(), 'npm')
}
