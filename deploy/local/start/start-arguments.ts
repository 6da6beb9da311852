// The arguments of `npm start` → what to do. Pure. Enter: what stands after `--`. Leave: a request, or what is wrong with it.
import { isAbsolute, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { errorText } from '../../../services/shared/error-text.ts'
import { nearest } from '../../../services/shared/nearest.ts'

export type StartRequest =
  | { readonly kind: 'help' }
  /** The guide's samples, a failing endpoint, and the accounts. */
  | { readonly kind: 'story'; readonly once: boolean; readonly json: boolean }
  /** Somebody's own forwarding file; an absolute path. */
  | { readonly kind: 'own-rules'; readonly file: string }
  | { readonly kind: 'wrong'; readonly message: string }

export const HELP = `Usage: npm start
       npm start -- --once [--json]
       npm start -- --file forwarding.yaml

Starts a real Kafka and a real schema registry on free ports of this machine,
the forwarder, the notifier, a receiver and a mailbox. Publishes the guide's
samples, lets one endpoint fail for some seconds, and accounts for every
delivery. Stays until Ctrl-C; everything that was started ends with it.

Options:
  --once             end by itself when every delivery is settled
  --json             with --once: the accounts as JSON on standard output,
                     the rest on standard error
  --file RULES.yaml  your own rules and endpoints instead of the samples:
                     says where to publish, forwards what comes, and shows
                     the mails about what fails in a mailbox of its own
  --help

KAFKA_BROKERS (and SCHEMA_REGISTRY_URL) name a cluster that already runs: then
nothing is started but the services, under topics and groups of their own.

Exit codes: 0 ended as asked, and with --once the accounts close; 1 they do not,
or something did not start; 2 usage, or rules that are not valid.
`

const OPTIONS = {
  once: { type: 'boolean' },
  json: { type: 'boolean' },
  file: { type: 'string', short: 'f' },
  help: { type: 'boolean', short: 'h' },
} as const

/** @param calledFrom the folder that a relative path starts from: where npm was called, not where it went */
export function readStartArguments(args: readonly string[], calledFrom: string): StartRequest {
  const wrong = (message: string): StartRequest => ({ kind: 'wrong', message })
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
    if (values.help) return { kind: 'help' }
    const [surplus] = positionals
    if (surplus !== undefined) return wrong(`"${surplus}" is too much: a file is given with --file`)
    if (values.file === undefined) {
      if (values.json && !values.once) return wrong('--json goes with --once: it prints the accounts at the end')
      return { kind: 'story', once: values.once ?? false, json: values.json ?? false }
    }
    if (values.file === '') return wrong('--file needs the name of a forwarding file')
    if (values.once || values.json) return wrong('--file runs until Ctrl-C: --once and --json are for the samples')
    return { kind: 'own-rules', file: isAbsolute(values.file) ? values.file : resolve(calledFrom, values.file) }
  } catch (error) {
    return wrong(explain(errorText(error)))
  }
}

/** node explains an unknown option in a paragraph; the nearest known one is what helps. */
function explain(message: string): string {
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1]
  if (unknown === undefined) return message
  const meant = nearest(unknown.replace(/^-+/, ''), Object.keys(OPTIONS))
  return `there is no option ${unknown}${meant === undefined ? '' : ` (did you mean --${meant}?)`}`
}
