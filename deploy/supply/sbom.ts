// `npm run sbom`: the bill of materials of the image, as CycloneDX.
// Enter: --out FILE. Leave: the file. Never: a package that is not in the image, or a name of this folder for ours.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import manifest from '../../package.json' with { type: 'json' }
import { CACHE, REPOSITORY } from '../local/paths.ts'
import { judgeLicences, type Locked } from './judge-licences.ts'

const FILE = join(CACHE, 'sbom', `onward-${manifest.version}.cdx.json`)

const HELP = `npm run sbom                    what the image holds beside Node, as CycloneDX 1.5, by the lock file
npm run sbom -- --out FILE      where to (default: ${FILE.slice(REPOSITORY.length + 1)})

Exit codes: 0 written, 1 not, 2 the arguments are wrong.`

type Bill = {
  metadata: { component: { name: string; 'bom-ref': string } }
  components: readonly { readonly name: string; readonly version: string; readonly 'bom-ref': string }[]
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

function main(): number {
  let out = FILE
  try {
    const { values } = parseArgs({ options: { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
    if (values.help) {
      console.log(HELP)
      return 0
    }
    if (values.out !== undefined) out = resolve(values.out)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return 2
  }
  const bill = makeBill()
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, `${JSON.stringify(bill, null, 2)}\n`)
  console.log(`${out}: ${bill.components.length} packages`)
  return 0
}

function makeBill(): Bill {
  const told = execFileSync(
    'npm',
    ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'],
    { cwd: REPOSITORY, encoding: 'utf8', stdio: 'pipe', maxBuffer: 64 * 1024 * 1024 },
  )
  return onlyDistributed(JSON.parse(told) as Bill)
}

/** npm's own --omit=dev leaves out what the services and the tests both use. */
function onlyDistributed(bill: Bill): Bill {
  const lock = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>
  }
  const distributed = new Set(judgeLicences(lock.packages).map(({ name, version }) => `${name}@${version}`))
  const components = bill.components.filter(({ name, version }) => distributed.has(`${name}@${version}`))
  const own = bill.metadata.component['bom-ref']
  const kept = new Set([own, ...components.map((component) => component['bom-ref'])])
  return {
    ...bill,
    // npm takes the folder's name.
    metadata: { ...bill.metadata, component: { ...bill.metadata.component, name: manifest.name } },
    components,
    dependencies: bill.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) })),
  }
}

process.exitCode = main()
