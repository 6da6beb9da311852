// From a bare clone to a running script, on a machine that has Node 20 or newer, npm, and nothing else of ours.
//   node deploy/local/bootstrap.mjs [--no-java] SCRIPT.ts [ARGUMENT…]
// Installs what is missing (npm packages, Java, Maven), then runs the script on the project's own Node and ends as it ends.
// Plain JavaScript without packages, since it runs before there are any. When nothing is missing it asks no registry.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { takePidLock } from './pid-lock.mjs'
import { openProgress } from './progress.mjs'
import { runInstaller } from './run-installer.mjs'

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const MODULES = join(REPOSITORY, 'node_modules')
const PROJECT_NODE = join(MODULES, '.bin', 'node')
/** Holds the hash of the lock file that node_modules was made from. */
const STAMP = join(MODULES, '.made-from')
const LOCK = join(REPOSITORY, '.cache', 'bootstrap.lock')

const LEAST_JAVA = 17
/** Ctrl-C reaches us from the terminal and again from npm: the script must see one signal, for a second means "at once". */
const SAME_SIGNAL_WITHIN_MS = 300

const progress = openProgress()

async function main() {
  const given = process.argv.slice(2)
  const needsJava = given[0] !== '--no-java'
  const [script, ...args] = needsJava ? given : given.slice(1)
  if (!script) {
    console.error('usage: node deploy/local/bootstrap.mjs [--no-java] SCRIPT.ts [ARGUMENT…]')
    return 2
  }
  const javaIsThere = () => !needsJava || findJava()
  // npm that is killed at once can't pass a signal on.
  if (process.env.npm_lifecycle_event) await import('./end-with-parent.mjs')
  if (!packagesAreThere() || !javaIsThere()) {
    const release = await takePidLock(LOCK, () => progress.print('  another process installs: waiting for it'))
    try {
      if (!packagesAreThere()) await installPackages()
      if (!javaIsThere()) await installJava()
    } finally {
      release()
    }
  }
  return runScript(resolve(REPOSITORY, script), args)
}

// npm packages

function packagesAreThere() {
  if (!existsSync(PROJECT_NODE)) return false
  const lock = readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')
  const hash = createHash('sha256').update(lock).digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return true
  // Somebody ran npm themselves: what it noted down of its work tells whether it was this lock file.
  if (!isMadeFrom(JSON.parse(lock))) return false
  writeFileSync(STAMP, hash)
  return true
}

function isMadeFrom(lock) {
  const noted = join(MODULES, '.package-lock.json')
  if (!existsSync(noted)) return false
  const installed = JSON.parse(readFileSync(noted, 'utf8')).packages
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '') return true
    const found = installed[path]
    // Packages for other platforms are listed and not installed.
    return found ? found.version === wanted.version && found.integrity === wanted.integrity : wanted.optional === true
  })
}

async function installPackages() {
  // npm empties node_modules first, and with it the Node that may be running us: npm itself must run on the machine's.
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes(join('node_modules', '.bin')))
    .join(delimiter)
  await runInstaller(
    progress,
    'npm packages, by the lock file',
    'npm',
    ['ci', '--prefix', REPOSITORY, '--no-audit', '--no-fund'],
    { ...process.env, PATH: path },
  )
  if (!existsSync(PROJECT_NODE)) {
    throw new Error(
      'npm installed the packages without Node 24: are install scripts switched off? Run: npm ci --ignore-scripts=false',
    )
  }
  const lock = readFileSync(join(REPOSITORY, 'package-lock.json'))
  writeFileSync(STAMP, createHash('sha256').update(lock).digest('hex'))
}

// Java and Maven

let javaHome

/** @returns whether Java and Maven are there, or not needed */
function findJava() {
  // A cluster that runs elsewhere is used instead of one of ours.
  if (process.env.KAFKA_BROKERS) return true
  if (!onPath('mvn')) return false
  const homes = [process.env.JAVA_HOME, homeOnPath(), ...installedHomes()].filter(Boolean)
  javaHome = homes.find((home) => javaVersion(home) >= LEAST_JAVA)
  return javaHome !== undefined
}

function homeOnPath() {
  const java = onPath('java')
  if (!java) return undefined
  const home = dirname(dirname(java))
  if (existsSync(join(home, 'release'))) return home
  // A shim, as version managers put on the path: Java itself knows where it lives.
  const told = spawnSync(java, ['-XshowSettings:properties', '-version'], { encoding: 'utf8' }).stderr
  return /java\.home = (.+)/.exec(told ?? '')?.[1]
}

function onPath(name) {
  const folder = (process.env.PATH ?? '').split(delimiter).find((path) => isExecutable(join(path, name)))
  return folder === undefined ? undefined : realpathSync(join(folder, name))
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function installedHomes() {
  const folder = '/usr/lib/jvm'
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
}

function javaVersion(home) {
  try {
    // Every JDK since 9 has this file: reading it is quicker than starting Java.
    const release = readFileSync(join(home, 'release'), 'utf8')
    return isExecutable(join(home, 'bin', 'java')) ? Number(/JAVA_VERSION="(\d+)/.exec(release)?.[1] ?? 0) : 0
  } catch {
    return 0
  }
}

async function installJava() {
  const debian = Boolean(onPath('apt-get'))
  if (!debian || process.getuid?.() !== 0) {
    console.error(
      `Java ${LEAST_JAVA} or newer and Maven are needed to run the local broker. Install them with this line:`,
    )
    console.error(lineToInstallJava(debian))
    process.exit(1)
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await runInstaller(progress, 'Debian package lists', 'apt-get', ['update'], env)
  // Newer Debians have no 17 any more, and a default that is newer.
  const has17 = spawnSync('apt-cache', ['show', 'openjdk-17-jre-headless']).status === 0
  const java = has17 ? 'openjdk-17-jre-headless' : 'default-jre-headless'
  await runInstaller(
    progress,
    'Java and Maven',
    'apt-get',
    ['install', '-y', '--no-install-recommends', java, 'maven'],
    env,
  )
  if (!findJava()) throw new Error(`Java ${LEAST_JAVA} or newer and Maven were installed and still can't be found`)
}

function lineToInstallJava(debian) {
  if (debian) return 'sudo apt-get update && sudo apt-get install -y openjdk-17-jre-headless maven'
  if (onPath('dnf')) return 'sudo dnf install -y java-17-openjdk-headless maven'
  if (onPath('apk')) return 'sudo apk add openjdk17-jre-headless maven'
  // Homebrew's Maven brings a JDK with it, which it does not link: this names it.
  return 'brew install openjdk@17 maven && export JAVA_HOME="$(brew --prefix openjdk@17)/libexec/openjdk.jdk/Contents/Home"'
}

// Running

/** @returns the script's exit code; 128 + n when signal n ended it */
function runScript(script, args) {
  const env = javaHome ? { ...process.env, JAVA_HOME: javaHome } : process.env
  const endWithParent = pathToFileURL(join(REPOSITORY, 'deploy', 'local', 'end-with-parent.mjs')).href
  // A session of its own, so that Ctrl-C reaches it through us alone, and once.
  const child = spawn(PROJECT_NODE, ['--import', endWithParent, script, ...args], {
    env,
    stdio: 'inherit',
    detached: true,
  })
  const passedAt = new Map()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const now = performance.now()
      if (now - (passedAt.get(signal) ?? -Infinity) < SAME_SIGNAL_WITHIN_MS) return
      passedAt.set(signal, now)
      child.kill(signal)
    })
  }
  return new Promise((resolveCode, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolveCode(code ?? 128 + osConstants.signals[signal]))
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
