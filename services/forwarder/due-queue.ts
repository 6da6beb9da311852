// What wakes when: a binary heap by instant. Pure: monotonic milliseconds are handed in, and one timer of the hub serves all.
// An item may be in it more than once; whoever takes it looks whether it still has something to do.
import type { Millis } from '../shared/clock.ts'

type Entry<Item> = { readonly dueAt: Millis; readonly item: Item }

export class DueQueue<Item> {
  readonly #heap: Entry<Item>[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The earliest instant; undefined when nothing waits. */
  get nextAt(): Millis | undefined {
    return this.#heap[0]?.dueAt
  }

  add(dueAt: Millis, item: Item): void {
    const entry = { dueAt, item }
    let at = this.#heap.push(entry) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = this.#heap[above]
      if (!parent || parent.dueAt <= dueAt) break
      this.#heap[at] = parent
      at = above
    }
    this.#heap[at] = entry
  }

  /** @returns the earliest item that is due, or undefined */
  takeDue(now: Millis): Item | undefined {
    const first = this.#heap[0]
    if (!first || first.dueAt > now) return undefined
    const last = this.#heap.pop()
    if (last && last !== first) this.#sink(last)
    return first.item
  }

  /** Drops what nobody waits for any more. */
  keepOnly(keeps: (item: Item) => boolean): void {
    const kept = this.#heap.filter(({ item }) => keeps(item))
    this.#heap.length = 0
    for (const { dueAt, item } of kept) this.add(dueAt, item)
  }

  #sink(entry: Entry<Item>): void {
    let at = 0
    for (;;) {
      const left = this.#heap[2 * at + 1]
      const right = this.#heap[2 * at + 2]
      const next = right && left && right.dueAt < left.dueAt ? 2 * at + 2 : 2 * at + 1
      const child = next === 2 * at + 2 ? right : left
      if (!child || child.dueAt >= entry.dueAt) break
      this.#heap[at] = child
      at = next
    }
    this.#heap[at] = entry
  }
}
