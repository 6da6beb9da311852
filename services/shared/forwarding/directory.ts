// The configuration in force, built record by record. Pure. Enter: records of the configuration topic, in their order.
// Leave: cheap look-ups, asked for every change and every attempt. Never: a definition half taken over; a bad record leaves
// the last good one in force and says why.
import { assertNever } from '../assert-never.ts'
import type { ConnectionId, ProjectId, RepeaterId } from '../ids.ts'
import { readConfigRecord, sourceKey, type RawConfigRecord } from './config-record.ts'
import type { Connection } from './connection.ts'
import type { Repeater } from './repeater.ts'
import { isSame, mergeVersions, type TopicVersions } from './topic-versions.ts'

export type Applied =
  | { readonly kind: 'changed'; readonly what: 'connection'; readonly id: ConnectionId; readonly removed: boolean }
  | { readonly kind: 'changed'; readonly what: 'repeater'; readonly id: RepeaterId; readonly removed: boolean }
  | { readonly kind: 'changed'; readonly what: 'source'; readonly id: string; readonly removed: false }
  /** A bad record: what was in force under its key, if anything, stays. */
  | { readonly kind: 'kept'; readonly key: string; readonly reason: string }
  /** Not a connection or a repeater: another part of Onward reads it. */
  | { readonly kind: 'foreign'; readonly key: string }

const NONE: readonly Repeater[] = []

export class Directory {
  readonly #connections = new Map<ConnectionId, Connection>()
  readonly #repeaters = new Map<RepeaterId, Repeater>()
  readonly #byProject = new Map<ProjectId, Map<RepeaterId, Repeater>>()
  /** Made when asked for, dropped when a repeater of the project changes: loading thousands stays linear. */
  readonly #lists = new Map<ProjectId, readonly Repeater[]>()
  readonly #sources = new Map<string, TopicVersions>()
  /** Topics whose last record says something else than what is in force. */
  readonly #unsaid = new Set<string>()
  readonly #rejected = new Map<string, string>()

  apply(record: RawConfigRecord): Applied {
    const read = readConfigRecord(record)
    if (read.kind === 'foreign') return { kind: 'foreign', key: read.key }
    if (read.kind === 'bad') {
      this.#rejected.set(read.key, read.reason)
      if (read.key.startsWith(sourceKey(''))) this.#unsaid.add(read.key.slice(sourceKey('').length))
      return { kind: 'kept', key: read.key, reason: read.reason }
    }
    this.#rejected.delete(read.key)
    switch (read.kind) {
      case 'connection':
        this.#connections.set(read.connection.id, read.connection)
        return { kind: 'changed', what: 'connection', id: read.connection.id, removed: false }
      case 'connection-removed':
        this.#connections.delete(read.id)
        return { kind: 'changed', what: 'connection', id: read.id, removed: true }
      case 'repeater':
        this.#put(read.repeater)
        return { kind: 'changed', what: 'repeater', id: read.repeater.id, removed: false }
      case 'repeater-removed':
        this.#remove(read.id)
        return { kind: 'changed', what: 'repeater', id: read.id, removed: true }
      case 'source':
        this.#putVersions(read.versions)
        return { kind: 'changed', what: 'source', id: read.versions.topic, removed: false }
      default:
        return assertNever(read)
    }
  }

  connection(id: ConnectionId): Connection | undefined {
    return this.#connections.get(id)
  }

  repeater(id: RepeaterId): Repeater | undefined {
    return this.#repeaters.get(id)
  }

  /** What versions the topic's records have; undefined for one that no service has seen yet. */
  source(topic: string): TopicVersions | undefined {
    return this.#sources.get(topic)
  }

  /** The topic's last record does not say what is in force, or is beyond reading: whoever knows better is to say so. */
  isSourceUnsaid(topic: string): boolean {
    return this.#unsaid.has(topic)
  }

  /** In the order in which they were first configured. The array is the same one until a repeater of the project changes. */
  repeatersOf(project: ProjectId): readonly Repeater[] {
    const list = this.#lists.get(project)
    if (list) return list
    const repeaters = this.#byProject.get(project)
    if (!repeaters) return NONE
    const made = [...repeaters.values()]
    this.#lists.set(project, made)
    return made
  }

  connections(): readonly Connection[] {
    return [...this.#connections.values()]
  }

  repeaters(): readonly Repeater[] {
    return [...this.#repeaters.values()]
  }

  /** Keys whose last record was bad → why. Empty when everything that was applied is in force. */
  get rejected(): ReadonlyMap<string, string> {
    return this.#rejected
  }

  /** MUST: its versions never fall. */
  #putVersions(said: TopicVersions): void {
    const known = this.#sources.get(said.topic)
    const merged = known ? mergeVersions(known, said) : said
    this.#sources.set(said.topic, merged)
    if (isSame(merged, said)) this.#unsaid.delete(said.topic)
    else this.#unsaid.add(said.topic)
  }

  #put(repeater: Repeater): void {
    this.#repeaters.set(repeater.id, repeater)
    let ofProject = this.#byProject.get(repeater.project)
    if (!ofProject) this.#byProject.set(repeater.project, (ofProject = new Map<RepeaterId, Repeater>()))
    ofProject.set(repeater.id, repeater)
    this.#lists.delete(repeater.project)
  }

  #remove(id: RepeaterId): void {
    const repeater = this.#repeaters.get(id)
    if (!repeater) return
    this.#repeaters.delete(id)
    this.#byProject.get(repeater.project)?.delete(id)
    this.#lists.delete(repeater.project)
  }
}
