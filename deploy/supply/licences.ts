// `npm run licences`: what is distributed with Onward, and under which terms.
// Enter: --json. Leave: a line for each package of the image; exit code 1 when one may not be distributed with ours.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { REPOSITORY } from '../local/paths.ts'
import { judgeLicences, type Locked } from './judge-licences.ts'

const HELP = `npm run licences              every package of the image with its licence; fails on one that does not go with Apache-2.0
npm run licences -- --json    the same as JSON

Exit codes: 0 all may be distributed, 1 one may not, 2 the arguments are wrong.`

function main(): number {
  const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
  try {
    const { values } = parseArgs({ options })
    if (values.help) {
      console.log(HELP)
      return 0
    }
    return list(values.json ?? false)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return 2
  }
}

function list(json: boolean): number {
  const lock = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>
  }
  const licences = judgeLicences(lock.packages)
  if (json) console.log(JSON.stringify(licences, null, 2))
  else for (const { name, version, licence } of licences) console.log(`${licence.padEnd(16)} ${name} ${version}`)
  const refused = licences.filter(({ problem }) => problem !== null)
  for (const { name, version, licence, problem } of refused)
    console.error(`${name} ${version}: "${licence}" ${problem ?? ''}`)
  return refused.length === 0 ? 0 : 1
}

process.exitCode = main()
