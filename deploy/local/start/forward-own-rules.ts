// `npm start -- --file`: the stack, a forwarder and a notifier with somebody's own rules, until Ctrl-C.
// Enter: a forwarding file. Leave: each attempt as a line, and at the end what became of all. Nothing starts before the file is good.
import { once } from 'node:events'
import { systemClock as clock, type Millis } from '../../../services/shared/clock.ts'
import { readSettings } from '../../../services/shared/settings.ts'
import { REPOSITORY } from '../paths.ts'
import { fitText } from './fit-text.ts'
import { startForwarder, type ForwarderProcess } from './forwarder-process.ts'
import { fieldText, type LogEvent } from './log-event.ts'
import { openGround, PARTITIONS, removeTraces, type Ground } from './ground.ts'
import { openMailbox, type StartMailbox } from './mailbox.ts'
import { readMetrics, type ForwarderBooks } from './read-metrics.ts'
import { readOwnRules, type OwnRules } from './read-own-rules.ts'
import { renderEvent } from './render-attempt.ts'
import { renderMail } from './render-mailbox.ts'
import { exportLines, kcatLines, publishLines, sampleContents } from './render-publish-lines.ts'
import { sampleChangesFor } from './sample-change.ts'
import type { Screen } from './screen.ts'
import { givenBrokers, ownRulesEnvironment, startEnvironment } from './settings.ts'
import { startNotifier } from './start-notifier.ts'

/** How soon somebody hears that a change they published matched no repeater. */
const LOOK_EVERY: Millis = 1_000

/** @returns 0 when Ctrl-C ended it @throws OwnRulesError, SettingsError, and what keeps the stack or the forwarder from starting */
export async function forwardOwnRules(file: string, screen: Screen, stop: AbortSignal): Promise<number> {
  const cluster = {
    brokers: givenBrokers() ?? ['127.0.0.1:9092'],
    registryUrl: null,
    given: givenBrokers() !== undefined,
  }
  const environment = ownRulesEnvironment(startEnvironment(), cluster, 'onward-start')
  readSettings(environment)
  const rules = readOwnRules(file, environment, clock)
  screen.line(screen.paint('bold', `Onward forwards by ${file}`))
  for (const line of describeRules(rules, screen.width)) screen.line(line)

  screen.heading('Starting')
  await using ground = await openGround(ownRulesEnvironment, screen, stop)
  await using cleaning = new AsyncDisposableStack()
  if (ground.cluster.given) cleaning.defer(() => removeTraces(ground, false))
  await ground.step('topics', () => ground.verb(['topics', '--sources', '--partitions', String(PARTITIONS)]))
  await ground.step('forwarding rules', () => ground.verb(['apply', '-f', file]))
  const show = (lines: readonly string[]) => lines.forEach((line) => screen.line(line))
  const onEvent = (event: LogEvent) => show(renderEvent(event, screen.width, screen.paint))
  await using forwarder = await ground.step('forwarder', () => startForwarder(ground.environment, onEvent, clock, stop))
  await using mailbox = await openMailbox((mail) => show([renderMail(mail, screen.width, screen.paint)]))
  await using notifier = await ground.step('notifier', () =>
    startNotifier(ground, mailbox.smtpUrl, (event) => show(renderTrouble(event, screen)), stop),
  )
  show(renderInvitation(rules, ground, { forwarder, mailbox }, screen))

  const books = await Promise.race([watch(forwarder, screen, stop), notifier.lost])
  screen.heading('Stopping')
  show(renderEnd(books))
  return 0
}

function describeRules({ connections, repeaters }: OwnRules, width: number): readonly string[] {
  const urls = new Map(connections.map(({ id, url }) => [id, url.split('?')[0] ?? url]))
  return repeaters.map(({ id, forward, format, method, connection }) => {
    const payload = forward === 'forms' || forward === 'cases' ? ` as ${format}` : ''
    return `  ${fitText(`${id}: ${forward}${payload}, ${method} ${urls.get(connection) ?? connection}`, width - 2)}`
  })
}

function renderInvitation(
  { connections, repeaters }: OwnRules,
  ground: Ground,
  { forwarder, mailbox }: { readonly forwarder: ForwarderProcess; readonly mailbox: StartMailbox },
  { paint }: Screen,
): readonly string[] {
  const { cluster, settings } = ground
  const copy = (line: string) => paint('cyan', `  ${line}`)
  const samples = sampleChangesFor(repeaters, new Date(clock.now()).toISOString()).flatMap((sample) => {
    const topic = settings.topics[sample.source]
    if (topic === null) return []
    const { publish, kcat } = sampleContents(sample)
    const files = {
      publish: publish && ground.writeFile(sample.source === 'forms' ? 'form.xml' : 'case.json', publish),
      kcat: ground.writeFile(`${sample.source}.kcat`, kcat),
    }
    return [
      '',
      `  One of the ${sample.source}, on topic ${topic}:`,
      ...[...publishLines(sample, files), ...kcatLines(topic, cluster.brokers, files)].map(copy),
    ]
  })
  return [
    `\n${paint('bold', 'Publish from another shell')}`,
    `  in ${REPOSITORY}:`,
    ...exportLines({ ...settings, ...cluster }).map(copy),
    ...samples,
    '',
    '  The files can be changed and sent again.',
    `  Metrics: ${forwarder.origin}/metrics`,
    `  Mailbox: ${mailbox.origin}`,
    ...(connections.some(({ notify }) => notify.length > 0)
      ? []
      : ['  No connection has an address under notify: nobody is told when one fails.']),
    `\n${paint('bold', 'What arrives')} ${paint('dim', '(Ctrl-C ends it all)')}`,
  ]
}

/** What an operator would want to see of the notifier's log. */
const renderTrouble = (event: LogEvent, { paint }: Screen): readonly string[] =>
  event.level === 'error' ? [`  ${paint('red', `${event.event}: ${fieldText(event, 'error')}`)}`] : []

/** Says what no attempt would show: a change that went nowhere. @returns the last books */
async function watch(forwarder: ForwarderProcess, screen: Screen, stop: AbortSignal): Promise<ForwarderBooks> {
  const told = new Map<string, number>()
  const stopped = once(stop, 'abort')
  while (true) {
    const books = readMetrics(await Promise.race([forwarder.metrics(), forwarder.lost]))
    for (const [topic, count] of books.unmatched) {
      const more = count - (told.get(topic) ?? 0)
      if (more <= 0) continue
      told.set(topic, count)
      screen.line(
        `  ${screen.paint('yellow', `${more} of ${topic} matched no repeater: look at the project and the filters`)}`,
      )
    }
    if (stop.aborted) return books
    await Promise.race([clock.sleep(LOOK_EVERY, stop), stopped, forwarder.lost])
  }
}

function renderEnd({ repeaters, waiting }: ForwarderBooks): readonly string[] {
  const lines = [...repeaters].map(
    ([repeater, { made, delivered, superseded, deadLettered }]) =>
      `  ${repeater}: ${made} made, ${delivered} delivered, ${superseded} superseded, ${deadLettered} dead-lettered`,
  )
  return waiting === 0 ? lines : [...lines, `  ${waiting} still wait; they go with the local stack`]
}
