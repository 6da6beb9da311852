// The lanes that are ready to go to one connection. Pure. Those whose head came back from a retry topic and those whose head is
// fresh take turns: neither a backlog of the one nor a stream of the other keeps the other waiting.
import { Fifo } from './fifo.ts'
import type { Lane } from './delivery.ts'

export class ReadyQueue {
  readonly #due = new Fifo<Lane>()
  readonly #fresh = new Fifo<Lane>()
  #dueIsNext = true

  /** Entries that say nothing any more are among them. */
  get size(): number {
    return this.#due.size + this.#fresh.size
  }

  /** Whose turn it is: what `take` takes. */
  get first(): Lane | undefined {
    return this.#next.first
  }

  push(lane: Lane): void {
    if (lane.deliveries[0]?.parked) this.#due.push(lane)
    else this.#fresh.push(lane)
  }

  take(): Lane | undefined {
    const next = this.#next
    this.#dueIsNext = next === this.#fresh
    return next.take()
  }

  get #next(): Fifo<Lane> {
    if (this.#due.size === 0) return this.#fresh
    return this.#dueIsNext || this.#fresh.size === 0 ? this.#due : this.#fresh
  }
}
