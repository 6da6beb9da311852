// One map of the file, asked for its keys. Enter: a located map and the keys it may have. Leave: its values by name; unknown
// and missing keys are told. Never: the same key read under two names.
import { nearest } from '../nearest.ts'
import type { Entry, Located, Place, Report } from './located.ts'
import { kindOf, type Reader } from './read-values.ts'

export type KnownKeys = {
  /** As it stands in a message: `a connection`. */
  readonly owner: string
  readonly names: readonly string[]
}

export class Fields {
  readonly place: Place
  readonly #entries: readonly Entry[]
  readonly #owner: string
  readonly #report: Report
  /** Keys that a mistyped one was probably meant for: it was told of already, that they are missing is its echo. */
  readonly #meant: ReadonlySet<string>

  private constructor(
    place: Place,
    entries: readonly Entry[],
    owner: string,
    meant: ReadonlySet<string>,
    report: Report,
  ) {
    this.place = place
    this.#entries = entries
    this.#owner = owner
    this.#meant = meant
    this.#report = report
  }

  /** @returns undefined, after telling why, when the node is not a map */
  static of(node: Located, known: KnownKeys, report: Report): Fields | undefined {
    if (node.kind !== 'map') {
      const unspaced = node.kind === 'scalar' && typeof node.value === 'string' ? /^(\w+):\S/.exec(node.value) : null
      const fix = unspaced
        ? `put a space after the colon: ${unspaced[1] ?? 'key'}: value`
        : `write its keys: ${known.names.join(', ')}`
      report(node.place, `${known.owner} must be a map, not ${kindOf(node)}`, fix)
      return undefined
    }
    const mistyped = new Set<string>()
    for (const { key, place } of node.entries) {
      if (known.names.includes(key)) continue
      const meant = nearest(key, known.names)
      if (meant === undefined) {
        report(place, `${known.owner} has no key ${key}`, `remove it, or use one of ${known.names.join(', ')}`)
      } else {
        mistyped.add(meant)
        report(place, `${known.owner} has no key ${key}`, `write ${meant} instead of ${key}`)
      }
    }
    return new Fields(node.place, node.entries, known.owner, mistyped, report)
  }

  /** The value, or `fallback` when the key is absent (or wrong: then that was told). */
  optional<Value>(name: string, read: Reader<Value>, fallback: Value): Value {
    const entry = this.entry(name)
    if (!entry) return fallback
    return read(valueAt(entry), name, this.#report) ?? fallback
  }

  /** The value; undefined, after telling it, when the key is absent or wrong. */
  required<Value>(name: string, read: Reader<Value>, example: string): Value | undefined {
    const entry = this.entry(name)
    if (entry) return read(valueAt(entry), name, this.#report)
    if (!this.#meant.has(name)) this.#report(this.place, `${this.#owner} needs ${name}`, `add ${name}: ${example}`)
    return undefined
  }

  entry(name: string): Entry | undefined {
    return this.#entries.find(({ key }) => key === name)
  }

  /** Tells that a key is there which should not be. */
  refuse(name: string, message: string, fix: string): void {
    const entry = this.entry(name)
    if (entry) this.#report(entry.place, message, fix)
  }
}

/** An absent value stands where its key does: there is no better place to point at. */
const valueAt = ({ place, value }: Entry): Located =>
  value.kind === 'scalar' && value.value === null ? { ...value, place } : value
