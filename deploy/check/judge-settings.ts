// What Onward itself would say of a container's environment at its start. Enters: the environment as the chart renders it.
// Leave: every problem. Secrets that are not known here get an example each, in files where the chart has files.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSettings, SettingsError } from '../../services/shared/settings.ts'
import type { Container } from './chart.ts'

export type SettingsJudge = Disposable & {
  /** @returns sentences that begin with the setting's name; none: it would start */
  readonly problems: (container: Container) => readonly string[]
}

export function openSettingsJudge(): SettingsJudge {
  const folder = mkdtempSync(join(tmpdir(), 'onward-secrets-'))
  const examples = examplesOfSecrets()
  const valueOf = (name: string, value: string | undefined): string => {
    const example = examples[name.replace(/_FILE$/, '')] ?? 'an example'
    if (!name.endsWith('_FILE')) return value ?? example
    const file = join(folder, name)
    writeFileSync(file, `${example}\n`)
    return file
  }
  return {
    problems: ({ env = [] }) => {
      try {
        readSettings(Object.fromEntries(env.map(({ name, value }) => [name, valueOf(name, value)])))
        return []
      } catch (error) {
        if (error instanceof SettingsError) return error.problems
        throw error
      }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Where any text would not do. */
function examplesOfSecrets(): Readonly<Record<string, string>> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    SMTP_URL: 'smtp://onward:example@mail.example:587',
    ONWARD_LINK_SECRET: 'e'.repeat(64),
    ONWARD_DKIM_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ONWARD_OUTBOUND_PROXY: 'http://proxy.example:3128',
  }
}
