// The story of `npm start`: the guide's samples go out, an endpoint fails and heals, and every delivery is accounted for.
// Enter: a screen. Leave: the accounts, and a running system until it is disposed of. The plan is story.ts, the judging account.ts.
import { systemClock as clock, type Millis } from '../../../services/shared/clock.ts'
import { ownTopic } from '../../../services/shared/kafka/plan-topics.ts'
import { readTopic, type TopicRecord } from '../../../services/shared/kafka/reader.ts'
import { account, type Accounts } from './account.ts'
import { startForwarder, type ForwarderProcess } from './forwarder-process.ts'
import { openGround, PARTITIONS, removeTraces, type Ground } from './ground.ts'
import { fieldText, type LogEvent } from './log-event.ts'
import { countDeadLetters, countLogged } from './read-log-records.ts'
import { readMetrics, settledOf, type ForwarderBooks } from './read-metrics.ts'
import { openMailbox, type BoxedMail, type StartMailbox } from './mailbox.ts'
import { readReceived } from './read-received.ts'
import { openReceiver, type ReceivedRequest } from './receiver.ts'
import { renderMail } from './render-mailbox.ts'
import { renderBrief, renderWhole } from './render-received.ts'
import type { Screen } from './screen.ts'
import { givenBrokers, storyEnvironment } from './settings.ts'
import { startNotifier } from './start-notifier.ts'
import {
  ALL_DELIVERIES,
  EXPECTED,
  EXPECTED_MAILS,
  SAMPLE_DELIVERIES,
  STORY_BEHAVIOURS,
  storyCases,
  storyRules,
} from './story.ts'

export type ToldStory = AsyncDisposable & {
  readonly accounts: Accounts
  readonly ground: Ground
  readonly forwarder: ForwarderProcess
  readonly mailbox: StartMailbox
}

/** The schedule's waits sum up to seven seconds; a machine that needs much longer shows what waits, and fails. */
const SETTLED_WITHIN: Millis = 60_000
const LOOK_AGAIN_AFTER: Millis = 100
/** The log of deliveries is written before offsets are committed, four times a second. */
const LOGGED_WITHIN: Millis = 10_000
/** The second mail comes when the endpoint has been well for two seconds. */
const MAILED_WITHIN: Millis = 30_000

/** @param signal ends it wherever it is: then it throws */
export async function tellStory(screen: Screen, signal: AbortSignal): Promise<ToldStory> {
  await using opened = new AsyncDisposableStack()
  const stack = givenBrokers() === undefined ? 'a broker, a schema registry, ' : ''
  screen.heading(`1  Starting ${stack}a receiver, a mailbox, the services`)
  let show: (request: ReceivedRequest) => readonly string[] = () => []
  const receiver = opened.use(
    await openReceiver(clock, (request) => show(request).forEach((line) => screen.line(line))),
  )
  for (const [path, behaviour] of Object.entries(STORY_BEHAVIOURS)) receiver.behave(path, behaviour)
  const ground = opened.use(await openGround(storyEnvironment, screen, signal))
  if (ground.cluster.given) opened.defer(() => removeTraces(ground, true))
  const { paint, width } = screen

  await ground.step('topics', () => ground.verb(['topics', '--sources', '--partitions', String(PARTITIONS)]))
  const rules = ground.writeFile('forwarding.yaml', storyRules(receiver.origin))
  await ground.step('forwarding rules', () => ground.verb(['apply', '-f', rules]))
  const forwarder = opened.use(
    await ground.step('forwarder', () =>
      startForwarder(ground.environment, (event) => showTrouble(event, screen), clock, signal),
    ),
  )

  const mailbox = opened.use(await openMailbox((mail) => screen.line(renderMail(mail, width, paint))))
  const notifier = opened.use(
    await ground.step('notifier', () =>
      startNotifier(ground, mailbox.smtpUrl, (event) => showTrouble(event, screen), signal),
    ),
  )

  screen.heading("2  The guide's own examples: a form, the case it made, an app that was built")
  screen.line(paint('cyan', '  $ npx onward publish samples'))
  show = (request) => ['', ...renderWhole(request, width, paint)]
  await Promise.race([ground.verb(['publish', 'samples']), forwarder.lost])
  await settled(forwarder, SAMPLE_DELIVERIES, signal)

  screen.heading('3  One case changes five times while /shaky answers 503; /steady is untouched')
  screen.line(paint('cyan', '  $ npx onward publish cases --file cases.json'))
  let begun: Millis | undefined
  show = (request) => renderBrief(request, (begun ??= request.at), width, paint)
  const cases = ground.writeFile('cases.json', JSON.stringify(storyCases(), null, 2))
  await Promise.race([ground.verb(['publish', 'cases', '--file', cases]), forwarder.lost])
  const counters = await settled(forwarder, ALL_DELIVERIES, signal)
  screen.line()
  for (const line of renderArrivals(receiver.requests)) screen.line(line)

  screen.heading('4  Somebody was told: one mail when it failed, one when it was over')
  await Promise.race([mailed(mailbox, signal), notifier.lost])
  screen.line(`  Read them at ${paint('cyan', mailbox.origin)}, the second below the first it answers`)

  screen.heading('5  Every delivery accounted for')
  const accounts = withMails(await closeAccounts(ground, counters, receiver.requests, signal), mailbox.mails)
  const moved = opened.move()
  return { accounts, ground, forwarder, mailbox, [Symbol.asyncDispose]: () => moved.disposeAsync() }
}

/** Resolves when both mails are there, or as things are when the time is over. */
async function mailed({ mails }: StartMailbox, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonic() + MAILED_WITHIN
  while (mails.length < EXPECTED_MAILS && clock.monotonic() < deadline) {
    await clock.sleep(LOOK_AGAIN_AFTER, signal)
    signal.throwIfAborted()
  }
}

/** Mails are a book too: as many as expected, the second an answer to the first. */
function withMails(accounts: Accounts, mails: readonly BoxedMail[]): Accounts {
  const [first, second] = mails
  const differences = [
    ...(mails.length === EXPECTED_MAILS ? [] : [`${EXPECTED_MAILS} mails were expected, and ${mails.length} came`]),
    ...(first && second && !second.references.includes(first.messageId)
      ? ['the second mail does not answer the first']
      : []),
  ]
  return { ...accounts, differences: [...accounts.differences, ...differences] }
}

/** @returns the counters when so many have settled, or as they are when the time is over */
async function settled(forwarder: ForwarderProcess, count: number, signal: AbortSignal): Promise<ForwarderBooks> {
  const deadline = clock.monotonic() + SETTLED_WITHIN
  while (true) {
    const books = readMetrics(await Promise.race([forwarder.metrics(), forwarder.lost]))
    if (settledOf(books) >= count || clock.monotonic() > deadline) return books
    await Promise.race([clock.sleep(LOOK_AGAIN_AFTER, signal), forwarder.lost])
    signal.throwIfAborted()
  }
}

async function closeAccounts(
  ground: Ground,
  counters: ForwarderBooks,
  requests: readonly ReceivedRequest[],
  signal: AbortSignal,
): Promise<Accounts> {
  const deadline = clock.monotonic() + LOGGED_WITHIN
  while (true) {
    const [deliveries, letters] = await Promise.all([
      readAll(ground, 'deliveries', signal),
      readAll(ground, 'dead-letters', signal),
    ])
    const accounts = account(EXPECTED, {
      counters,
      deliveries: countLogged(deliveries.flatMap(({ value }) => (value === null ? [] : [value]))),
      deadLetters: countDeadLetters(letters),
      requests,
    })
    if (accounts.differences.length === 0 || clock.monotonic() > deadline) return accounts
    await clock.sleep(LOOK_AGAIN_AFTER, signal)
  }
}

async function readAll(
  { kafka, settings }: Ground,
  topic: 'deliveries' | 'dead-letters',
  signal: AbortSignal,
): Promise<readonly TopicRecord[]> {
  const records: TopicRecord[] = []
  await readTopic(
    kafka,
    { topic: ownTopic(settings.topicPrefix, topic), signal },
    (record) => void records.push(record),
  )
  return records
}

/** What the case's endpoints accepted, by repeater: the order is the point. */
function renderArrivals(requests: readonly ReceivedRequest[]): readonly string[] {
  const versions = new Map<string, number[]>()
  for (const request of requests) {
    const delivery = readReceived(request)
    if (!delivery || request.status >= 300 || delivery.caseId === null) continue
    versions.set(delivery.repeater, [...(versions.get(delivery.repeater) ?? []), delivery.version])
  }
  const line = (id: string, said: string) =>
    `  demo/${id.padEnd(9)} accepted ${(versions.get(`demo/${id}`) ?? []).join(', ').padEnd(13)}  ${said}`
  return [
    line('steady', 'all of them, at once'),
    line('in-order', 'all of them, in order, once it healed'),
    line('newest', 'the newest; older ones were superseded'),
  ]
}

/** What an operator would want to see in the log: a dead letter, a fault. */
function showTrouble(event: LogEvent, screen: Screen): void {
  const { paint, width } = screen
  if (event.event === 'dead-lettered') {
    const reason = `${fieldText(event, 'repeater')}: ${fieldText(event, 'reason')}, kept in onward.dead-letters`
    screen.line(`${' '.repeat(10)}${paint('yellow', `✗ dead letter of ${reason}`.slice(0, width - 10))}`)
  } else if (event.level === 'error') screen.line(`  ${paint('red', `${event.event}: ${fieldText(event, 'error')}`)}`)
}
