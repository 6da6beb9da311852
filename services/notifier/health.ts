// What the probes of a notifier say. Live: this process answers; an outage of a broker or a mail server never fails it, for a
// restart mends neither. Ready: the configuration is read, the group joined; a member that stands by is ready to take over.
import type { Probe } from '../shared/status-server.ts'

type Phase = 'starting' | 'joined' | 'stopping'

export class Health {
  #phase: Phase = 'starting'
  readonly #isActive: () => boolean
  #holdsLease = () => true

  constructor(isActive: () => boolean) {
    this.#isActive = isActive
  }

  readonly live: Probe = () => ({ ok: true, why: 'the event loop turns' })

  readonly ready: Probe = () => {
    if (this.#phase !== 'joined') return { ok: false, why: this.#phase }
    if (!this.#holdsLease()) return { ok: false, why: 'the group has not heard from us lately: are the brokers away?' }
    return { ok: true, why: this.#isActive() ? 'active' : 'standing by' }
  }

  /** Whoever is not heard by the group is no stand-in either. */
  askLease(holdsLease: () => boolean): void {
    this.#holdsLease = holdsLease
  }

  /** A process that stops never becomes ready again. */
  enter(phase: Phase): void {
    if (this.#phase !== 'stopping') this.#phase = phase
  }
}
