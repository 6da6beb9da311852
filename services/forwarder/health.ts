// What the probes say. Live: this process answers, and its consumer moves or rightly stands still; an outage of a broker, a registry
// or a remote never fails it, for a restart mends none of them. Ready: the configuration is read, the group joined, the partitions given.
import type { Probe } from '../shared/status-server.ts'

type Phase = 'starting' | 'joining' | 'joined' | 'restoring' | 'owning' | 'stopping'

const WORDS: Readonly<Record<Phase, string>> = {
  starting: 'starting: topics, configuration, group',
  joining: 'joining the group',
  joined: 'waiting for partitions',
  restoring: 'reading what is parked',
  owning: 'configuration read, group joined',
  stopping: 'stopping',
}

export class Health {
  #phase: Phase = 'starting'
  #holdsLease = () => true

  /** Nothing is owned yet while it is `starting` or `joining`. */
  get phase(): Phase {
    return this.#phase
  }

  /** Partitions stand still for no reason that is known, and a restart of the consumer did not help: that of the process may. */
  isStuck = false

  readonly live: Probe = () =>
    this.isStuck
      ? { ok: false, why: 'partitions do not move, and a restart of the consumer did not help' }
      : { ok: true, why: 'the event loop turns' }

  readonly ready: Probe = () =>
    this.#phase === 'owning' && !this.#holdsLease()
      ? {
          ok: false,
          why: 'the group has not heard from us lately: the brokers are away, or it shares its partitions anew',
        }
      : { ok: this.#phase === 'owning', why: WORDS[this.#phase] }

  /** What was given to us may be another's by now: then we are not ready. */
  askLease(holdsLease: () => boolean): void {
    this.#holdsLease = holdsLease
  }

  /** A process that stops never becomes ready again. */
  enter(phase: Phase): void {
    if (this.#phase !== 'stopping') this.#phase = phase
  }
}
