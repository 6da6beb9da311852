// `npm start`: the composition root. Enter: arguments. Leave: an exit code: 0 ended as asked, 1 not so, 2 usage or invalid rules.
// Where to read on: tell-story.ts for the samples, forward-own-rules.ts for somebody's own file.
import { once } from 'node:events'
import { errorText } from '../../../services/shared/error-text.ts'
import { SettingsError } from '../../../services/shared/settings.ts'
import { VERSION } from '../../../services/shared/version.ts'
import { untilSignal } from '../until-signal.ts'
import { forwardOwnRules } from './forward-own-rules.ts'
import { OwnRulesError } from './read-own-rules.ts'
import { renderAccounts, renderAccountsJson } from './render-accounts.ts'
import { renderNext } from './render-next.ts'
import { openScreen, type Screen } from './screen.ts'
import { surroundings } from './settings.ts'
import { HELP, readStartArguments, type StartRequest } from './start-arguments.ts'
import { tellStory } from './tell-story.ts'

process.exitCode = await main()

async function main(): Promise<number> {
  const { calledFrom, coloursRefused } = surroundings()
  const request = readStartArguments(process.argv.slice(2), calledFrom)
  if (request.kind === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  if (request.kind === 'wrong') {
    process.stderr.write(`npm start: ${request.message}\nSee: npm start -- --help\n`)
    return 2
  }
  const json = request.kind === 'story' && request.json
  const screen = openScreen(json ? process.stderr : process.stdout, coloursRefused)
  const { signal: stop, code: interrupted } = untilSignal()
  try {
    if (request.kind === 'own-rules') return await forwardOwnRules(request.file, screen, stop)
    return await runStory(request, screen, stop)
  } catch (error) {
    if (stop.aborted) return await interrupted
    // An error of ours has a code and says what is wrong; any other is a defect, which needs its place.
    const expected = error instanceof Error && typeof Reflect.get(error, 'code') === 'string'
    const text = error instanceof Error && !expected ? (error.stack ?? error.message) : errorText(error)
    screen.line(`\n${screen.paint('red', 'npm start:')} ${text}`)
    return error instanceof SettingsError || error instanceof OwnRulesError ? 2 : 1
  }
}

async function runStory(
  { once: ends, json }: Extract<StartRequest, { kind: 'story' }>,
  screen: Screen,
  stop: AbortSignal,
): Promise<number> {
  const startedAt = performance.now()
  screen.line(screen.paint('bold', `Onward ${VERSION}: from Kafka topics to remote APIs, in order per case`))
  await using told = await tellStory(screen, stop)
  const { accounts, ground, forwarder, mailbox } = told
  for (const line of renderAccounts(accounts, screen.width, screen.paint)) screen.line(line)
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  const closes = accounts.differences.length === 0
  screen.line(`  ${screen.paint('dim', `all of it in ${seconds.toFixed(1)} s`)}`)
  if (json) process.stdout.write(`${renderAccountsJson(accounts, seconds)}\n`)
  if (ends || stop.aborted) return closes ? 0 : 1
  for (const line of renderNext({ ...ground.settings, ...ground.cluster }, forwarder, mailbox.origin, screen.paint))
    screen.line(line)
  await Promise.race([once(stop, 'abort'), forwarder.lost])
  screen.line(screen.paint('dim', '\nStopping: the forwarder drains, and the rest goes with it'))
  return closes ? 0 : 1
}
