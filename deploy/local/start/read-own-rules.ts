// Somebody's own forwarding file → rules, before anything is started. Enter: a path. Leave: the rules, or an error that says
// every mistake with its place. Never: a secret's value; only whether there is one.
import { readFileSync } from 'node:fs'
import type { Clock } from '../../../services/shared/clock.ts'
import { errorText } from '../../../services/shared/error-text.ts'
import { readForwardingFile, type ForwardingFile } from '../../../services/shared/forwarding/forwarding-file.ts'
import { renderProblem } from '../../../services/shared/forwarding/problem.ts'
import { resolveSecret, secretsOf } from '../../../services/shared/forwarding/secret.ts'
import { openSecretSource } from '../../../services/shared/forwarding/secret-source.ts'
import type { Environment } from '../../../services/shared/settings.ts'

export type OwnRules = Extract<ForwardingFile, { kind: 'read' }>

export class OwnRulesError extends Error {
  override readonly name = 'OwnRulesError'
  readonly code = 'OWN_RULES_INVALID'
}

/**
 * @param file absolute
 * @param env what the forwarder will have, for the secrets that the file refers to
 * @throws OwnRulesError
 */
export function readOwnRules(file: string, env: Environment, clock: Clock): OwnRules {
  const read = readForwardingFile(readText(file), file)
  if (read.kind === 'invalid') {
    const count = read.problems.length === 1 ? '1 mistake' : `${read.problems.length} mistakes`
    throw new OwnRulesError(`${read.problems.map(renderProblem).join('\n')}\n${count}: nothing was started.`)
  }
  const source = openSecretSource(env, env['ONWARD_SECRETS_DIR'] ?? null, clock)
  const missing = read.connections.flatMap((connection) =>
    secretsOf(connection).flatMap((text) => {
      const resolved = resolveSecret(text, source)
      return resolved.kind === 'missing' ? [`${connection.id}: ${resolved.error}`] : []
    }),
  )
  if (missing.length > 0) {
    throw new OwnRulesError(`${file} refers to what is not there:\n  ${missing.join('\n  ')}\nNothing was started.`)
  }
  if (read.repeaters.length === 0) {
    throw new OwnRulesError(`${file} has no repeater, so nothing would be forwarded: nothing was started.`)
  }
  return read
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new OwnRulesError(`${file} cannot be read: ${errorText(error)}`)
  }
}
