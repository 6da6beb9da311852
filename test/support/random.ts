// Randomness that a seed gives again: one stream for each name, so that what one of them takes does not change another. Pure.

export type Random = {
  /** From `least` up to, and without, `most`. */
  between(least: number, most: number): number
  whole(below: number): number
  chance(part: number): boolean
  pick<Item>(items: readonly [Item, ...Item[]]): Item
}

export function openRandom(seed: number, stream: string): Random {
  let state = seed >>> 0
  for (const character of stream) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0
  // Mulberry32: small, and even enough for choosing faults.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const whole = (below: number): number => Math.floor(next() * below)
  return {
    between: (least, most) => least + next() * (most - least),
    whole,
    chance: (part) => next() < part,
    pick: (items) => items[whole(items.length)] ?? items[0],
  }
}
