// One command line → an exit code: finds the verb, runs it, and turns what it throws into words. Enter: arguments, verbs, a terminal.
// Leave: the code. Never: process.exit, a stack for what somebody can put right.
import { errorText } from '../shared/error-text.ts'
import { nearest } from '../shared/nearest.ts'
import { SettingsError } from '../shared/settings.ts'
import { UsageError } from './arguments.ts'
import { ClusterError } from './cluster.ts'
import { styled, type Terminal } from './terminal.ts'
import { EXIT, type Verb } from './verb.ts'

/** @param signal aborts at Ctrl-C: whatever the verb then makes of it, the code is 130 */
export async function runCommandLine(
  args: readonly string[],
  verbs: readonly Verb[],
  version: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const [first, ...rest] = args
  if (first === '--version' || first === '-V') return say(terminal, `onward ${version}\n`)
  const asksHelp = first === undefined || first === 'help' || first === '--help' || first === '-h'
  const named = first === 'help' ? rest[0] : first
  if (asksHelp && (named === undefined || named.startsWith('-'))) {
    if (first !== undefined) return say(terminal, overview(verbs))
    terminal.stderr(overview(verbs))
    return EXIT.usage
  }
  const verb = verbs.find(({ name }) => name === named)
  if (!verb) return refuse(terminal, unknown(named ?? '', verbs), 'onward --help')
  const chosen = choosePart(verb, first === 'help' ? rest.slice(1) : rest)
  if (asksHelp || wantsHelp(chosen.args)) return say(terminal, chosen.verb.help)
  try {
    const code = await chosen.verb.run(chosen.args, terminal, signal)
    return signal.aborted ? EXIT.interrupted : code
  } catch (error) {
    return signal.aborted ? EXIT.interrupted : explain(error, chosen.called, terminal)
  }
}

type Chosen = { readonly verb: Verb; readonly called: string; readonly args: readonly string[] }

/** The part that the first argument names, else the verb itself. */
function choosePart(verb: Verb, args: readonly string[]): Chosen {
  const part = verb.parts?.find(({ name }) => name === args[0])
  return part
    ? { verb: part, called: `${verb.name} ${part.name}`, args: args.slice(1) }
    : { verb, called: verb.name, args }
}

function say(terminal: Terminal, text: string): number {
  terminal.stdout(text.endsWith('\n') ? text : `${text}\n`)
  return EXIT.done
}

function refuse(terminal: Terminal, message: string, help: string): number {
  terminal.stderr(`${styled(terminal, 'red', 'onward:')} ${message}\nSee: ${help}\n`)
  return EXIT.usage
}

/** What follows `--` is not an option. */
function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const options = end === -1 ? args : args.slice(0, end)
  return options.includes('--help') || options.includes('-h')
}

function unknown(name: string, verbs: readonly Verb[]): string {
  if (name.startsWith('-')) return `there is no option ${name} before a command`
  const meant = nearest(
    name,
    verbs.map((verb) => verb.name),
  )
  return `there is no command ${name}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`
}

/** @param called the verb, with its part: `dead-letters list` */
function explain(error: unknown, called: string, terminal: Terminal): number {
  const complaint = `${styled(terminal, 'red', `onward ${called}:`)} `
  if (error instanceof UsageError) return refuse(terminal, error.message, `onward ${called} --help`)
  // An error of ours, of a file or of a socket has a code and says what is wrong; any other is a defect, which needs its place.
  const expected = error instanceof Error && typeof Reflect.get(error, 'code') === 'string'
  const text = error instanceof Error && !expected ? (error.stack ?? error.message) : errorText(error)
  terminal.stderr(`${complaint}${text}\n`)
  if (error instanceof SettingsError) return EXIT.usage
  return error instanceof ClusterError ? EXIT.unreachable : EXIT.failed
}

function overview(verbs: readonly Verb[]): string {
  const widest = Math.max(...verbs.map(({ name }) => name.length))
  return `Usage: onward <command> [options]

Onward forwards form, case and app changes from Kafka topics to remote APIs, in order per case.

Commands:
${verbs.map(({ name, summary }) => `  ${name.padEnd(widest)}   ${summary}`).join('\n')}

onward <command> --help   options and examples of a command
onward --version

Where the cluster is comes from the environment: KAFKA_BROKERS, SCHEMA_REGISTRY_URL, ONWARD_…
Exit codes: 0 done; 1 refused or not so; 2 usage or settings; 3 the cluster does not answer; 130 interrupted.
`
}
