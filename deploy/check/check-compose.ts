// `npm run check:compose`: docker-compose.yml on a real container engine, as a newcomer runs it.
// Enter: --help. Leaves: a line for each story, what went wrong, an exit code.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { REPOSITORY } from '../local/paths.ts'
import { openProgress, type Progress } from '../local/progress.mjs'
import { untilSignal } from '../local/until-signal.ts'
import {
  comesUp,
  confined,
  endAll,
  goesOn,
  lastWords,
  leavesNothing,
  observed,
  openDemonstration,
  type Demonstration,
  type Story,
} from './compose/demonstration.ts'
import { builtImage, readServices } from './compose/judge-compose.ts'
import { openEngine } from './compose/open-engine.ts'
import { provideImages } from './compose/provide-images.ts'
import { readDockerfile } from './image/read-dockerfile.ts'

const HELP = `npm run check:compose    docker compose up --build, on this machine's container engine, and what must come of it

Where no engine answers, root gets one of its own: Debian's, with Docker Compose built by Go, and its images in .cache/engine.
Base images are fetched. Where that cannot be, an engine of its own gets stand-ins, made of what npm start, Maven, Go and Debian bring:
each is told, and Grafana, for which there is none, is left out. An engine leaves a bridge (docker0) and rules of the firewall.
On yours, the image is built under the name that docker-compose.yml has, and its ports and its network must be free.

Exit codes: 0 all is well, 1 something is wrong, 2 the arguments are.`

const GRAFANA = 'grafana/grafana'

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
    if (values.help) {
      console.log(HELP)
      return 0
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return 2
  }
  const { signal, code } = untilSignal()
  const progress = openProgress()
  try {
    const { built, bases } = readImages()
    await using engine = await openEngine(progress, signal)
    const provided = await provideImages(engine, bases, progress, signal)
    for (const [image, from] of provided)
      if (from === 'stand-in') progress.print(`  a stand-in, not the real one: ${image}`)
    const withGrafana = [...provided].some(([image, from]) => image.startsWith(GRAFANA) && from !== 'missing')
    const demonstration = openDemonstration(engine, built, signal)
    await endAll(demonstration)
    const stories = [comesUp, confined, goesOn, observed(withGrafana), leavesNothing]
    const isWell = await tellAll(stories, demonstration, progress)
    // Our own engine ends with all that it runs.
    if (!signal.aborted || !engine.isOwn) await endAll(demonstration)
    if (signal.aborted) return await code
    return isWell ? 0 : 1
  } catch (error) {
    if (signal.aborted) return await code
    progress.print(error instanceof Error ? error.message : String(error))
    return 1
  }
}

/** What the compose file makes, and what it and the Dockerfile begin from. */
function readImages(): { readonly built: string; readonly bases: readonly string[] } {
  const read = (...path: readonly string[]) => readFileSync(join(REPOSITORY, ...path), 'utf8')
  const services = readServices(read('docker-compose.yml'))
  const built = builtImage(services) ?? ''
  const stages = readDockerfile(read('deploy', 'Dockerfile'))
  const ofStages = stages.map(({ base }) => base).filter((base) => !stages.some(({ name }) => name === base))
  const foreign = Object.values(services).map(({ image = '' }) => image)
  return { built, bases: [...new Set([...ofStages, ...foreign])].filter((image) => image !== built) }
}

/** One leads to the next: what follows one that failed would say nothing. @returns false when one failed, or the signal came */
async function tellAll(stories: readonly Story[], demonstration: Demonstration, progress: Progress): Promise<boolean> {
  for (const { title, tell } of stories) {
    const step = progress.step(title)
    try {
      step.done(await tell(demonstration))
    } catch (error) {
      step.failed()
      if (demonstration.signal.aborted) return false
      progress.print(await lastWords(demonstration).catch(() => 'the engine says nothing of what runs there'))
      progress.print(error instanceof Error ? error.message : String(error))
      return false
    }
  }
  return true
}

process.exitCode = await main()
