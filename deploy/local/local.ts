// `npm run local`: only the broker and the registry, until Ctrl-C.
// Enter: --nodes. Leave: two lines on standard output once both answer, and nothing else there.
import { parseArgs } from 'node:util'
import { openProgress } from './progress.mjs'
import { startStack } from './stack.ts'
import { untilSignal } from './until-signal.ts'

const HELP = `Starts a Kafka broker and a schema registry on free ports of this machine, until Ctrl-C.

  npm run local                one broker
  npm run local -- --nodes 3   a cluster of three, for trying out what it survives

Once both answer, prints KAFKA_BROKERS=… and SCHEMA_REGISTRY_URL=…, one a line, on standard output:
set them in another shell, and everything of Onward uses this stack instead of starting one.
Data lies in a temporary folder that goes with the process.`

async function main(): Promise<number> {
  const read = readArguments(process.argv.slice(2))
  if (typeof read === 'string') {
    console.error(`${read}\n\n${HELP}`)
    return 2
  }
  if (read.help) {
    console.log(HELP)
    return 0
  }
  const { signal, code } = untilSignal()
  const progress = openProgress()
  try {
    await using stack = await startStack({ nodes: read.nodes, progress, signal })
    console.log(`KAFKA_BROKERS=${stack.brokers.join(',')}`)
    console.log(`SCHEMA_REGISTRY_URL=${stack.registryUrl ?? ''}`)
    if (stack.given) {
      progress.print('  the environment names this cluster: nothing was started')
      return 0
    }
    progress.print('  running; Ctrl-C ends it')
    return await code
  } catch (error) {
    if (signal.aborted) return await code
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}

function readArguments(args: string[]): { readonly nodes: 1 | 3; readonly help: boolean } | string {
  try {
    const { values } = parseArgs({
      args,
      options: { nodes: { type: 'string', default: '1' }, help: { type: 'boolean', short: 'h', default: false } },
    })
    if (values.nodes !== '1' && values.nodes !== '3') return `--nodes is 1 or 3, not ${values.nodes}`
    return { nodes: values.nodes === '3' ? 3 : 1, help: values.help }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

process.exitCode = await main()
