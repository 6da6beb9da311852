// The group's coordinator in virtual time: who owns which numbers, in which generation. Enter: members that come, leave, die, or are
// not heard of. Leave: a new generation once everybody has given up what they had, or is gone. It never gives a number to two.
import type { Millis } from '../../services/shared/clock.ts'
import type { Member } from './member.ts'
import { NUMBERS, type Surroundings } from './surroundings.ts'

/** A member that was stopped is missed after this; until then the others wait for it. */
export const SESSION: Millis = 15_000
const LOOK_EVERY: Millis = 50

export class Coordinator {
  generation = 0
  members: readonly Member[] = []
  readonly #around: () => Surroundings
  #isSharing = false
  #isToShareAgain = false
  #turn = 0

  /** @param around asked for later, since it holds this */
  constructor(around: () => Surroundings) {
    this.#around = around
  }

  /** True while numbers are given up and given anew. */
  get isSharing(): boolean {
    return this.#isSharing
  }

  /** Members that are gone are forgotten, too. */
  join(...members: readonly Member[]): void {
    this.members = [...this.members.filter(({ dead }) => !dead), ...members]
    this.share(0)
  }

  /** @param turn how far the numbers move on; 0 leaves them where they are, as far as there are members for them */
  share(turn: number): void {
    this.#turn += turn
    if (this.#isSharing) {
      this.#isToShareAgain = true
      return
    }
    this.#isSharing = true
    this.#share().catch((error: unknown) => this.#around().judge.breaks('no-fault', String(error)))
  }

  async #share(): Promise<void> {
    do {
      this.#isToShareAgain = false
      // One may be stopped while another is waited for.
      do await Promise.all(this.members.map((member) => this.#joins(member)))
      while (this.members.some((member) => this.#isAwaited(member)))
      this.members = this.members.filter(({ dead, dropped }) => !dead && !dropped)
      await this.#give()
    } while (this.#isAskedAgain())
    this.#isSharing = false
  }

  /** Somebody may have asked while it waited. */
  #isAskedAgain(): boolean {
    return this.#isToShareAgain
  }

  /** Members go on with what they have meanwhile. */
  async #joins(member: Member): Promise<void> {
    const { time } = this.#around()
    await time.sleep(LOOK_EVERY)
    // Whoever is stopped holds the others up until it goes on, or its session ends.
    while (this.#isAwaited(member)) await time.sleep(LOOK_EVERY)
    if (member.stopped && !member.dead) member.dropped = true
  }

  #isAwaited({ dead, stopped, stoppedAt }: Member): boolean {
    return !dead && stopped && this.#around().time.now - stoppedAt < SESSION
  }

  /** A number that a member still works on is given to nobody else; that member gives it up first, when it is to be another's. */
  async #give(): Promise<void> {
    const { tells } = this.#around()
    this.generation++
    const wanting = this.members.filter(({ leaving }) => !leaving)
    const shares = this.members.map((member) => {
      const numbers = NUMBERS.filter((number) => {
        const holder = this.members.find(({ works }) => works.includes(number))
        const heir = wanting[(number + this.#turn) % wanting.length]
        return member.leaving ? holder === member : heir === member && (holder ?? member) === member
      })
      tells?.(() => `${member.name} is given ${numbers.join(' and ') || 'nothing'} (generation ${this.generation})`)
      return member.receive(this.generation, numbers)
    })
    await Promise.all(shares)
  }
}
