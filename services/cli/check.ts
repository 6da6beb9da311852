// `onward check`: are the settings good, and does what they name answer? Looks at all of it, whatever fails.
// Never: a secret on the terminal; a change anywhere.
import { systemClock } from '../shared/clock.ts'
import { readReferences } from '../shared/forwarding/secret.ts'
import { renderProblem } from '../shared/forwarding/problem.ts'
import { renderConnection } from '../shared/forwarding/render-definition.ts'
import {
  describeSettings,
  environment,
  readSettings,
  SettingsError,
  type Environment,
  type Settings,
} from '../shared/settings.ts'
import { readArguments, readTimeout, UsageError } from './arguments.ts'
import { checkCluster } from './check/check-cluster.ts'
import { checkConnections } from './check/check-connections.ts'
import { checkMail } from './check/check-mail.ts'
import { checkRegistry } from './check/check-registry.ts'
import { counted, type Finding } from './check/finding.ts'
import { CLUSTER_TIMEOUT } from './cluster.ts'
import { readFiles, type NamedFile } from './read-files.ts'
import { styled, type Style, type Terminal } from './terminal.ts'
import { EXIT, type Verb } from './verb.ts'

const HELP = `Usage: onward check [-f FILE …] [options]

Prints the settings in force, secrets masked, then asks the brokers, the topics, the schema registry and the mail server
(connect, TLS, login; no mail) whether they are there, and looks at every connection in force: its secrets, its files, its
address, whether a socket opens, whether the token endpoint gives a token. With -f it validates forwarding files too, without
writing anything.

Options:
  -f, --file FILE    a forwarding file to validate; "-" reads standard input
  --json             print the findings as JSON
  --timeout T        how long to wait for each answer (default 10s)

Exit codes: 0 all is well; 1 a setting, a topic, a connection, the configuration or a file is not; 2 usage; 3 the brokers, the
registry or the mail server do not answer.

Examples:
  onward check
  onward check -f forwarding.yaml --timeout 3s
`

export const verb: Verb = {
  name: 'check',
  summary: 'print the settings, and ask whether what they name is there',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      file: { type: 'string', short: 'f', multiple: true },
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    if (positionals.length > 0)
      throw new UsageError(`files are named with -f: onward check -f ${positionals.join(' -f ')}`)
    const timeout = readTimeout(values.timeout, CLUSTER_TIMEOUT)
    const env = environment()
    const files = checkFiles(values.file ?? [], env)
    const read = checkSettings(env)
    const findings: Finding[] = [...read.findings, ...files]
    if (!values.json) {
      printSettings(env, terminal)
      print(findings, terminal)
    }
    if (read.settings) {
      // Side by side: two that do not answer cost one time limit.
      const [cluster, registry, mail] = await Promise.all([
        checkCluster(read.settings, timeout, signal),
        checkRegistry(read.settings.registry, timeout, systemClock, signal),
        checkMail(read.settings.mail, timeout),
      ])
      const remotes = await checkConnections(cluster.connections, signal)
      const found = [...cluster.findings, ...registry, ...mail, ...remotes]
      findings.push(...found)
      if (!values.json) print(found, terminal)
    }
    if (values.json) terminal.stdout(`${JSON.stringify({ settings: describeSettings(env), findings })}\n`)
    if (findings.some(({ kind }) => kind === 'unreachable')) return EXIT.unreachable
    return findings.some(({ kind }) => kind === 'bad') ? EXIT.failed : EXIT.done
  },
}

function checkSettings(env: Environment): { settings: Settings | null; findings: readonly Finding[] } {
  try {
    const settings = readSettings(env)
    const ignored = settings.ignored.map((name): Finding => ({
      kind: 'note',
      about: name,
      text: 'ignored: it is a Kubernetes service link',
    }))
    return { settings, findings: ignored }
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return {
      settings: null,
      findings: error.problems.map((text): Finding => ({ kind: 'bad', about: 'settings', text })),
    }
  }
}

function checkFiles(paths: readonly string[], env: Environment): readonly Finding[] {
  if (paths.length === 0) return []
  const read = readFiles(paths)
  if (read.kind === 'invalid') {
    return read.problems.map((problem): Finding => ({ kind: 'bad', about: 'file', text: renderProblem(problem) }))
  }
  return read.files.flatMap((file) => [
    {
      kind: 'good',
      about: file.file,
      text: `project ${file.project}, ${counted(file.connections.length, 'connection')}, ${counted(file.repeaters.length, 'repeater')}`,
    } satisfies Finding,
    ...unsetVariables(file, env),
  ])
}

/** A note only: it is the forwarder's environment that counts, and this may be another machine. */
function unsetVariables({ file, connections }: NamedFile, env: Environment): readonly Finding[] {
  const references = connections.flatMap((connection) => readReferences(JSON.stringify(renderConnection(connection))))
  const names = references
    .map((reference) => (reference.kind === 'env' ? reference.name : ''))
    .filter((name) => name !== '')
  return [...new Set(names)]
    .filter((name) => (env[name] ?? '') === '')
    .map((name) => ({
      kind: 'note',
      about: file,
      text: `the forwarder needs the variable ${name}, and here it is not set`,
    }))
}

function printSettings(env: Environment, terminal: Terminal): void {
  const settings = describeSettings(env)
  const widest = Math.max(...settings.map(({ name }) => name.length))
  for (const { name, text, origin } of settings) {
    const value = text === '' ? '-' : text
    const line = `${name.padEnd(widest)}  ${value}`
    terminal.stdout(`${origin === 'default' ? styled(terminal, 'dim', line) : line}\n`)
  }
  terminal.stdout('\n')
}

const MARKS: Readonly<Record<Finding['kind'], { readonly mark: string; readonly style: Style }>> = {
  good: { mark: 'ok', style: 'green' },
  note: { mark: 'note', style: 'yellow' },
  bad: { mark: 'wrong', style: 'red' },
  unreachable: { mark: 'no answer', style: 'red' },
}

/** The width of a mark: the lines of one finding stand below each other. */
const INDENT = `\n${' '.repeat(11)}`

function print(findings: readonly Finding[], terminal: Terminal): void {
  for (const { kind, about, text } of findings) {
    const { mark, style } = MARKS[kind]
    terminal.stdout(`${styled(terminal, style, mark.padEnd(9))}  ${about}: ${text.replaceAll('\n', INDENT)}\n`)
  }
}
