// Places in the code where one of the fifteen rules is broken on purpose, and who must notice. A rule that nobody would miss is none; a
// judge that misses one is not worth its time.
import type { CaughtBy, Edit, Mutation } from './rules.ts'
import { OF_VERSIONS } from './version-mutations.ts'

const forwarder = (file: string, from: string, to: string): Edit => ({ file: `forwarder/${file}`, from, to })
/** A test of the forwarder finds a value that is not the one it should be. */
const unequalIn = (file: string, title: string): CaughtBy => ({
  kind: 'test',
  file: `test/forwarder/${file}`,
  title,
  complaint: /Expected values to be strictly equal/,
})

export const MUTATIONS: readonly Mutation[] = [
  {
    rule: 1,
    title: 'the handler of a batch waits',
    edits: [
      {
        file: 'shared/kafka/group.ts',
        from: `      work.reached(topic, partition, Number(messages.at(-1)?.offset) + 1, Number(batch.lastOffset()) + 1)
    },`,
        to: `      work.reached(topic, partition, Number(messages.at(-1)?.offset) + 1, Number(batch.lastOffset()) + 1)
      await new Promise((resolve) => leaving.signal.addEventListener('abort', resolve))
    },`,
      },
    ],
    caughtBy: {
      kind: 'broker-test',
      file: 'test/shared/kafka/group.test.ts',
      title: 'a paused partition is not read, a resumed one is, and a seek reads again',
      complaint: /still not: it is read/,
    },
  },
  {
    rule: 2,
    title: 'a lane forgets what it has on the wire',
    edits: [forwarder('lanes.ts', '    lane.inFlight = head\n', '')],
    caughtBy: { kind: 'simulator', promises: ['one-at-a-time'] },
  },
  {
    rule: 3,
    title: 'an open breaker lets everybody through',
    edits: [
      forwarder(
        'connection-health.ts',
        'const gate = this.#breaker.ask(now, lane)',
        `const gate = this.#breaker.ask(now, lane) === 'spared' ? ('spared' as const) : ('pass' as 'pass' | 'open')`,
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['probes-only'] },
  },
  {
    rule: 3,
    title: 'a connection has no end of slots',
    edits: [
      forwarder(
        'connection-health.ts',
        'if (this.#inFlight >= (isProbe ? this.#slots.cap : this.#slots.count)) return FULL',
        '',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['within-the-slots'] },
  },
  {
    rule: 3,
    title: 'what fails silences every connection',
    edits: [
      forwarder(
        'forwarder.ts',
        '        const wait = desk.heed(verdict, connection, now)\n',
        `        const wait = desk.heed(verdict, connection, now)
        for (const other of this.desks.all()) other.health.silence(now + wait)
`,
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['healthy-go-on', 'healthy-unparked'] },
  },
  {
    rule: 4,
    title: 'a long wait stays in memory',
    edits: [forwarder('forwarder.ts', 'if (wait <= tiers.shortWait) return', 'if (wait < Infinity) return')],
    caughtBy: { kind: 'simulator', promises: ['short-waits-in-memory'] },
  },
  {
    rule: 4,
    title: 'a short wait is parked',
    edits: [forwarder('forwarder.ts', 'if (wait <= tiers.shortWait) return', 'if (wait <= 0) return')],
    caughtBy: { kind: 'simulator', promises: ['short-waits-in-memory'] },
  },
  {
    rule: 5,
    title: 'a version is known to be parked only once its copy is acknowledged',
    edits: [
      forwarder(
        'parking.ts',
        '    task.parked.add(lane, version, Math.max(dueAt, clock.steady() + tier.delay))\n',
        '    const isOlder = task.parked.has(lane, version.version)\n',
      ),
      forwarder(
        'parking.ts',
        '        if (task.closed) return\n        if (parked',
        '        if (task.closed || isOlder) return\n        task.parked.add(lane, version, dueAt)\n        if (parked',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['in-order', 'newest-last', 'copies-known', 'all-ends', 'ends-once'] },
  },
  {
    rule: 5,
    title: 'an offset is complete before its copy is acknowledged',
    edits: [
      forwarder('parking.ts', '    task.writing++\n', '    task.writing++\n    books.settle(task, record)\n'),
      forwarder(
        'parking.ts',
        "if (parked === 'parked') books.settle(task, record)\n        else onRefused",
        "if (parked !== 'parked') onRefused",
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['nothing-lost'] },
  },
  {
    rule: 5,
    title: 'nobody waits for an older version that is parked',
    edits: [
      forwarder(
        'lanes.ts',
        'if (!this.#task.parked.holdsOlder(lane, versionOf(record))) return false',
        'if (record.offset >= 0) return false',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['in-order', 'newest-last', 'backoff-kept'] },
  },
  {
    rule: 5,
    title: 'everything above a parked version is taken for parked',
    edits: [
      forwarder('reception.ts', 'task.parked.has(name(id), version)', 'task.parked.holdsOlder(name(id), version + 1)'),
    ],
    caughtBy: { kind: 'simulator', promises: ['nothing-lost', 'all-ends'] },
  },
  {
    rule: 5,
    title: 'a version of another topic is taken for the parked one',
    edits: [
      forwarder(
        'parked-versions.ts',
        '  #tableOf({ topic, repeater }: LaneName): LaneTable | undefined {\n    return this.#byTopic.get(topic)?.get(repeater)',
        '  #tableOf({ repeater }: LaneName): LaneTable | undefined {\n    return [...this.#byTopic.values()].find((of) => of.has(repeater))?.get(repeater)',
      ),
    ],
    caughtBy: unequalIn(
      'lanes.test.ts',
      'a repeater that forwards another kind now has other lanes, though their cases and versions are the same',
    ),
  },
  {
    rule: 6,
    title: 'a retry topic is read before its records are due',
    edits: [forwarder('tier-reading.ts', 'if (wait > 0) return', 'if (wait > Infinity) return')],
    caughtBy: { kind: 'simulator', promises: ['tier-delays'] },
  },
  {
    rule: 6,
    title: 'the longest tier is taken, whatever the wait',
    edits: [forwarder('tiers.ts', 'delay <= Math.max(wait, least)', 'delay >= Math.min(wait, least)')],
    caughtBy: { kind: 'simulator', promises: ['tier-fits'] },
  },
  {
    rule: 6,
    title: 'what remains of a wait is not waited',
    edits: [
      forwarder(
        'forwarder.ts',
        'else if (wait > tiers.nearWait) this.parking',
        'else if (wait > Infinity) this.parking',
      ),
      forwarder('forwarder.ts', 'if (!lane.inFlight && wait > 0) lane', 'if (wait < 0) lane'),
    ],
    caughtBy: { kind: 'simulator', promises: ['backoff-kept'] },
  },
  {
    rule: 7,
    title: 'a due state gives way to a newer one for ever',
    edits: [forwarder('lanes.ts', '|| now - since < longest)', '|| now - since < Infinity)')],
    caughtBy: unequalIn(
      'lanes.test.ts',
      'a state that is due gives way to a newer one that is parked, but not for longer than the shortest tier waits',
    ),
  },
  {
    rule: 7,
    title: 'a due state follows a newer one that may have been sent',
    edits: [forwarder('lanes.ts', 'newer.some(({ attempted }) => attempted)', 'newer.length < 0')],
    caughtBy: unequalIn('lanes.test.ts', 'a state that is due always gives way to a newer one that may have been sent'),
  },
  {
    rule: 7,
    title: 'a block that only closes a case replaces what was before it',
    edits: [
      {
        file: 'shared/forwarding/is-full-state.ts',
        from: " && !(change.closed && repeater.format === 'xml' && repeater.closedCase === 'close-only')",
        to: ' && repeater.forward.length > 0',
      },
    ],
    caughtBy: { kind: 'simulator', promises: ['newer-instead'] },
  },
  {
    rule: 7,
    title: 'states are superseded though their repeater says never',
    edits: [forwarder('reception.ts', "repeater.supersede === 'waiting' && isFullState", 'isFullState')],
    caughtBy: { kind: 'simulator', promises: ['events-stay'] },
  },
  {
    rule: 7,
    title: 'the successor of a state that failed goes at once',
    edits: [
      forwarder(
        'lanes.ts',
        '    lane.inFlight = null\n    lane.dueAt = dueAt\n',
        '    lane.inFlight = null\n    lane.dueAt = Math.min(dueAt, 0)\n',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['backoff-kept'] },
  },
  {
    rule: 8,
    title: 'an offset is complete with its first delivery',
    edits: [forwarder('books.ts', 'record.openDeliveries > 0 || task.closed', 'record.entry.complete || task.closed')],
    caughtBy: { kind: 'simulator', promises: ['nothing-lost'] },
  },
  {
    rule: 8,
    title: 'the watermark passes what is open',
    edits: [forwarder('offset-map.ts', 'while (entry?.complete) {', 'while (entry) {')],
    caughtBy: { kind: 'simulator', promises: ['nothing-lost'] },
  },
  {
    rule: 8,
    title: 'deliveries start that no commit has reserved',
    edits: [forwarder('lanes.ts', 'record.offset < source.reserved', 'record.offset < Infinity || source.rereading')],
    caughtBy: { kind: 'simulator', promises: ['in-order', 'newest-last'] },
  },
  {
    rule: 8,
    title: 'a map that is too long is cut at its bottom',
    edits: [
      forwarder(
        'offset-map.ts',
        'for (let i = this.#head; i < this.#entries.length && bytes.length < longest;)',
        'for (let i = Math.max(this.#head, this.#entries.length - 2_000); i < this.#entries.length && bytes.length < longest;)',
      ),
    ],
    caughtBy: {
      kind: 'test',
      file: 'test/forwarder/offset-map.test.ts',
      title: 'a map that does not fit is cut at its top only, and stays within the limit',
      complaint: /AssertionError/,
    },
  },
  ...OF_VERSIONS,
  {
    rule: 9,
    title: 'the sources are read before it is known what is parked',
    edits: [
      forwarder('source-reading.ts', 'if (task.restoring || (this', 'if (task.closed || (this'),
      forwarder(
        'source-reading.ts',
        'task.open && !task.restoring && !source.needsSchema',
        'task.open && !source.needsSchema',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['in-order', 'newest-last', 'ends-once', 'all-ends'] },
  },
  {
    rule: 9,
    title: 'copies are taken before the sources were read past them',
    edits: [
      forwarder(
        'tier-reading.ts',
        'task.open && !task.restoring && !task.rereading && !tier.stopped',
        'task.open && !task.restoring && !tier.stopped',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['in-order', 'newest-last', 'ends-once', 'all-ends'] },
  },
  {
    rule: 9,
    title: 'lanes start before the sources were read up to the horizon',
    edits: [forwarder('forwarder.ts', '!lane.task.open || lane.source.rereading) return', '!lane.task.open) return')],
    caughtBy: { kind: 'simulator', promises: ['in-order', 'newest-last'] },
  },
  {
    rule: 9,
    title: 'of two copies of a version one is forgotten',
    edits: [forwarder('tier-reading.ts', 'task.parked.addFound(', 'task.parked.add(')],
    caughtBy: { kind: 'simulator', promises: ['ends-once', 'copies-known', 'in-order', 'newest-last'] },
  },
  {
    rule: 10,
    title: 'an owner that gives up starts new requests',
    edits: [
      forwarder(
        'wind-down.ts',
        'for (const task of tasks) task.draining = true',
        'for (const task of tasks) task.draining = task.closed',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['only-the-owner'] },
  },
  {
    rule: 10,
    title: 'what is on the wire is left there when the partition is given up',
    edits: [forwarder('wind-down.ts', 'for (const exchange of task.running) exchange.abort()', 'task.running.clear()')],
    caughtBy: unequalIn('wind-down.test.ts', 'what is on the wire is waited for as long as was said, and then ended'),
  },
  {
    rule: 10,
    title: 'a request that the end of another begins is left on the wire',
    edits: [
      forwarder(
        'wind-down.ts',
        'exchange of task.running) exchange.abort()',
        'exchange of [...task.running]) exchange.abort()',
      ),
    ],
    caughtBy: unequalIn(
      'proven-remotes.test.ts',
      'digest: what is given up while a 401 hangs in its body does not go again',
    ),
  },
  {
    rule: 10,
    title: 'offsets of a generation are committed under the next',
    edits: [forwarder('commits.ts', 'if (givenUp !== this.#givenUp) {', 'if (givenUp < 0) {')],
    caughtBy: { kind: 'simulator', promises: ['commits-rise', 'nothing-lost', 'epochs-committed'] },
  },
  {
    rule: 10,
    title: 'a new owner raises no epoch',
    edits: [forwarder('partition-task.ts', 'if (tier.delay > 0) offsets.raiseFence(end)', '')],
    caughtBy: {
      kind: 'test',
      file: 'test/forwarder/fences.test.ts',
      title:
        'whoever is given a partition raises a fence at its end, in every retry topic and not in the one that operators write to',
      complaint: /Expected values to be strictly deep-equal/,
    },
  },
  {
    rule: 11,
    title: 'the hub does not ask for the lease',
    edits: [
      forwarder('forwarder.ts', 'const turn = holdsLease() ? desk', 'const turn = holdsLease() || now >= 0 ? desk'),
    ],
    caughtBy: { kind: 'simulator', promises: ['within-the-lease'] },
  },
  {
    rule: 11,
    title: 'a lease never ends',
    edits: [
      {
        file: 'shared/kafka/group.ts',
        from: '< LEASE_PART * sessionTimeout',
        to: '< Infinity * sessionTimeout * LEASE_PART',
      },
    ],
    caughtBy: {
      kind: 'broker-test',
      file: 'test/shared/kafka/lease.test.ts',
      title: 'a process that was stopped and goes on holds no lease until its group has heard of it',
      complaint: /went on: held/,
    },
  },
  {
    rule: 12,
    title: 'the client repeats an append by itself',
    edits: [{ file: 'shared/kafka/appender.ts', from: 'retry: { retries: 0 },', to: 'retry: { retries: 5 },' }],
    caughtBy: {
      kind: 'broker-test',
      file: 'test/shared/kafka/appender.test.ts',
      title: 'an append whose answer is lost is told as unknown, and lies in the log once: the client repeats nothing',
      complaint: /'appended' !== 'unknown'|\+ 'appended'/,
    },
  },
  {
    rule: 12,
    title: 'ghosts are believed',
    edits: [
      forwarder(
        'fences.ts',
        'offset >= fence.offset && epoch < fence.epoch',
        'offset < fence.offset && epoch > fence.epoch',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['ends-once', 'in-order', 'newest-last', 'copies-known'] },
  },
  {
    rule: 12,
    title: 'an append is repeated under the epoch of the first',
    edits: [
      forwarder('park.ts', '        offsets.raiseFence(appendedTo)', '        offsets.markChanged(), void appendedTo'),
    ],
    caughtBy: { kind: 'simulator', promises: ['ends-once', 'in-order', 'newest-last', 'copies-known'] },
  },
  {
    rule: 12,
    title: 'copies are sent under an epoch that no commit holds',
    edits: [forwarder('park.ts', 'progress.offsets.fences.isCommitted', 'progress.offsets.fences.epoch >= 0')],
    caughtBy: { kind: 'simulator', promises: ['epochs-committed'] },
  },
  {
    rule: 12,
    title: 'a copy that was refused counts as written',
    edits: [forwarder('parking.ts', "if (parked === 'parked') books", "if (parked !== 'dropped') books")],
    caughtBy: { kind: 'simulator', promises: ['nothing-lost', 'all-ends'] },
  },
  {
    rule: 13,
    title: 'memory has no bound for the sources',
    edits: [
      forwarder(
        'intake.ts',
        '!this.#paused && this.#held >= this.#limit * SOURCES_BELOW',
        '!this.#paused && this.#held >= Infinity',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['memory-bounded'] },
  },
  {
    rule: 13,
    title: 'memory has no bound for the retry topics',
    edits: [
      forwarder(
        'tier-reading.ts',
        'if (offsets.openCount >= WINDOW || intake.isFull) return',
        'if (offsets.openCount >= WINDOW) return',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['memory-bounded'] },
  },
  {
    rule: 13,
    title: 'nothing leaves memory when it is full',
    edits: [forwarder('spilling.ts', 'if (park.waiting > 0 || clock', 'if (park.waiting >= 0 || clock')],
    caughtBy: { kind: 'simulator', promises: ['all-ends'] },
  },
  {
    rule: 14,
    title: 'what operators put back is not counted',
    edits: [
      forwarder(
        'returns.ts',
        'task.parked.add(name, { version, full: header.full, attempted: false }, header.dueAt)',
        '',
      ),
    ],
    caughtBy: {
      kind: 'simulator',
      promises: ['copies-known', 'in-order', 'newest-last', 'one-at-a-time', 'ends-once'],
    },
  },
  {
    rule: 14,
    title: 'what operators put back is taken for ghosts',
    edits: [forwarder('partition-task.ts', 'if (tier.delay > 0) offsets', 'offsets')],
    caughtBy: { kind: 'simulator', promises: ['nothing-lost', 'all-ends'] },
  },
  {
    rule: 15,
    title: 'a dead letter holds nobody',
    edits: [forwarder('lanes.ts', 'if (this.heldSince(lane, versionOf(record)) !== undefined) return true', '')],
    caughtBy: {
      kind: 'test',
      file: 'test/forwarder/holding.test.ts',
      title: 'later versions wait behind a dead letter that holds their lane, and other cases go on',
      complaint: /Expected values to be strictly (deep-)?equal/,
    },
  },
  {
    rule: 15,
    title: 'a lane goes on before its dead letter is acknowledged',
    edits: [
      forwarder(
        'endings.ts',
        '    await deadLetters.write({ record: delivery.record, delivery',
        '    void deadLetters.write({ record: delivery.record, delivery',
      ),
    ],
    caughtBy: { kind: 'simulator', promises: ['letter-first'] },
  },
]
