// The broker's and the registry's jars, fetched by Maven into the cache folder once.
// Enters: nothing. Leaves: folders that are whole: each appears under its final name only when everything is in it.
// Never: Maven, when they are there; a second fetch beside one that another process is at.
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { javaCommand } from './java.ts'
import { CACHE } from './paths.ts'
import { takePidLock } from './pid-lock.mjs'
import type { Progress, Step } from './progress.mjs'

export type Jars = {
  readonly kafka: {
    /** Every jar, in an order of its own. */
    readonly classPath: string
    /** What `StorageTool format` writes first into an empty log: the features of this version, the same for every cluster. */
    readonly firstCheckpoint: string
  }
  readonly registry: { readonly folder: string; readonly jar: string }
}

/** pom.xml names it too: a test holds them together, by the name of the jar that Maven brings. */
const KAFKA_VERSION = '4.4.0'
const REGISTRY_VERSION = '3.0.9'
const REGISTRY_ARCHIVE = `apicurio-registry-app-${REGISTRY_VERSION}-all.tar.gz`
const REGISTRY_JAR = `apicurio-registry-app-${REGISTRY_VERSION}-runner.jar`
const REGISTRY_SHA256 = '2b28181501a20cbf6efcd77f9b7153908fc01f3d3a7c32024c0bd9e1b04c8a43'
/** 3.x of the plugin fails on the registry, whose parent pom is not published. */
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:2.8'
/** Jars and one archive that Maven downloads, counted: for the progress line only. */
const ARTIFACTS = 150

const KAFKA = join(CACHE, `kafka-${KAFKA_VERSION}`)
const REGISTRY = join(CACHE, `registry-${REGISTRY_VERSION}`)

/** @throws Error when Maven can't fetch them, with what it said */
export async function fetchJars(progress: Progress, signal?: AbortSignal): Promise<Jars> {
  if (!haveAll()) {
    mkdirSync(CACHE, { recursive: true })
    const release = await takePidLock(
      join(CACHE, 'jars.lock'),
      () => progress.print('  another process fetches the jars: waiting for it'),
      signal,
    )
    try {
      if (!haveAll()) await fetchMissing(progress, signal)
    } finally {
      release()
    }
  }
  return {
    kafka: { classPath: classPath(join(KAFKA, 'jars')), firstCheckpoint: join(KAFKA, 'first.checkpoint') },
    registry: { folder: REGISTRY, jar: REGISTRY_JAR },
  }
}

const haveAll = () => existsSync(KAFKA) && existsSync(REGISTRY)

async function fetchMissing(progress: Progress, signal?: AbortSignal): Promise<void> {
  // An interrupted run leaves this folder; what Maven had whole in its repository is not downloaded again.
  const unfinished = join(CACHE, 'unfinished')
  const mavenRepository = join(CACHE, 'maven')
  rmSync(unfinished, { recursive: true, force: true })
  const downloads = join(unfinished, 'downloads')
  mkdirSync(downloads, { recursive: true })

  await inStep(
    progress,
    `Apache Kafka ${KAFKA_VERSION} and Apicurio Registry ${REGISTRY_VERSION}: downloading`,
    (step) => download(downloads, mavenRepository, step, signal),
  )
  await inStep(progress, 'unpacking', async () => {
    await unpackRegistry(downloads, join(unfinished, 'registry'), signal)
    await layOutKafka(downloads, join(unfinished, 'kafka'), signal)
  })
  rmSync(KAFKA, { recursive: true, force: true })
  rmSync(REGISTRY, { recursive: true, force: true })
  renameSync(join(unfinished, 'kafka'), KAFKA)
  renameSync(join(unfinished, 'registry'), REGISTRY)
  rmSync(unfinished, { recursive: true, force: true })
  rmSync(mavenRepository, { recursive: true, force: true })
}

async function download(into: string, mavenRepository: string, step: Step, signal?: AbortSignal): Promise<void> {
  const goals = [`${MAVEN_PLUGIN}:copy-dependencies`, `${MAVEN_PLUGIN}:copy`]
  const settings = [
    `-Dmaven.repo.local=${mavenRepository}`,
    `-DoutputDirectory=${into}`,
    `-Dartifact=io.apicurio:apicurio-registry-app:${REGISTRY_VERSION}:tar.gz:all`,
  ]
  const maven = spawn('mvn', ['-B', '-f', join(import.meta.dirname, 'pom.xml'), ...goals, ...settings], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Maven leaves an empty build folder of the working folder's name otherwise.
    cwd: into,
    ...(signal ? { signal } : {}),
  })
  const said: string[] = []
  let downloaded = 0
  const listen = async (lines: AsyncIterable<string>) => {
    for await (const line of lines) {
      said.push(line)
      const file = /Download(?:ed|ing) from \S+: \S*\/(\S+)/.exec(line)?.[1]
      if (file === undefined) continue
      if (line.includes('Downloaded')) downloaded += 1
      step.says(`${Math.min(99, Math.round((100 * downloaded) / ARTIFACTS))} % ${file}`)
    }
  }
  const code = new Promise<number | null>((resolve, reject) => maven.once('error', reject).once('close', resolve))
  await Promise.all([listen(createInterface(maven.stdout)), listen(createInterface(maven.stderr)), code])
  if ((await code) !== 0) {
    throw new Error(
      `Maven could not fetch the jars:\n${said
        .filter((line) => line.includes('ERROR'))
        .slice(0, 5)
        .join('\n')}`,
    )
  }
}

async function unpackRegistry(downloads: string, into: string, signal?: AbortSignal): Promise<void> {
  const archive = join(downloads, REGISTRY_ARCHIVE)
  const hash = createHash('sha256')
  await pipeline(createReadStream(archive), hash, { signal })
  const found = hash.digest('hex')
  if (found !== REGISTRY_SHA256) {
    throw new Error(`${REGISTRY_ARCHIVE} has the checksum ${found}, not ${REGISTRY_SHA256}: it is not what was tested`)
  }
  mkdirSync(into)
  await run('tar', ['-xzf', archive, '-C', into], { signal })
}

async function layOutKafka(downloads: string, into: string, signal?: AbortSignal): Promise<void> {
  const jars = join(into, 'jars')
  mkdirSync(jars, { recursive: true })
  for (const name of readdirSync(downloads)) {
    if (name.endsWith('.jar')) renameSync(join(downloads, name), join(jars, name))
  }
  // Formatting costs a Java process of its own: it is done once here, and its one result is copied at every start.
  const data = join(into, 'formatted')
  const properties = join(into, 'format.properties')
  writeFileSync(
    properties,
    [
      'process.roles=broker,controller',
      'node.id=1',
      'controller.quorum.voters=1@127.0.0.1:1',
      'listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1',
      'controller.listener.names=CONTROLLER',
      // Properties files take a backslash for an escape, and nothing else in a path.
      `log.dirs=${data.replaceAll('\\', '\\\\')}`,
    ].join('\n'),
  )
  const tool = ['-XX:TieredStopAtLevel=1', '-cp', classPath(jars), 'kafka.tools.StorageTool']
  await run(javaCommand(), [...tool, 'format', '--cluster-id', 'AAAAAAAAAAAAAAAAAAAAAA', '--config', properties], {
    signal,
  })
  renameSync(join(data, '__cluster_metadata-0', FIRST_CHECKPOINT), join(into, 'first.checkpoint'))
  rmSync(data, { recursive: true, force: true })
  rmSync(properties)
}

/** The name that the metadata log gives to its first snapshot. */
export const FIRST_CHECKPOINT = '00000000000000000000-0000000000.checkpoint'

const classPath = (folder: string): string =>
  readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name))
    .join(':')

async function inStep(progress: Progress, title: string, work: (step: Step) => Promise<void>): Promise<void> {
  const step = progress.step(title)
  try {
    await work(step)
    step.done()
  } catch (error) {
    step.failed()
    throw error
  }
}

const run = promisify(execFile)
