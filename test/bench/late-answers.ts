// Answers that are due a fixed time after they were asked for: one list and one timer do for thousands of sockets.
import type { Socket } from 'node:net'

/** Timers count whole milliseconds: an answer due within half of one goes now, since the next chance is a whole one away. */
const EARLY_MS = 0.5

type Answer = { readonly socket: Socket; readonly dueAt: number }

export class LateAnswers {
  readonly #latency: number
  readonly #bytes: Buffer
  readonly #onAnswered: (now: number) => void
  // One latency for all, so answers fall due in the order they were asked for.
  #answers: Answer[] = []
  #next = 0
  #timerArmed = false

  /** @param latency milliseconds @param onAnswered told when one was written */
  constructor(latency: number, bytes: Buffer, onAnswered: (now: number) => void) {
    this.#latency = latency
    this.#bytes = bytes
    this.#onAnswered = onAnswered
  }

  add(socket: Socket, now: number): void {
    this.#answers.push({ socket, dueAt: now + this.#latency })
    this.#armTimer(this.#latency)
  }

  #answerDue(): void {
    this.#timerArmed = false
    const now = performance.now()
    while (this.#next < this.#answers.length) {
      const answer = this.#answers[this.#next]
      if (answer === undefined || answer.dueAt > now + EARLY_MS) break
      this.#next += 1
      if (answer.socket.writable) answer.socket.write(this.#bytes)
      this.#onAnswered(now)
    }
    if (this.#next === this.#answers.length) {
      this.#answers = []
      this.#next = 0
      return
    }
    if (this.#next > 4_096) {
      this.#answers = this.#answers.slice(this.#next)
      this.#next = 0
    }
    const head = this.#answers[this.#next]
    if (head !== undefined) this.#armTimer(head.dueAt - now)
  }

  #armTimer(wait: number): void {
    if (this.#timerArmed) return
    this.#timerArmed = true
    setTimeout(() => this.#answerDue(), Math.round(wait))
  }
}
