// kafkajs gathers a record's headers by copying the object for each of them: a dead letter's fourteen cost as much as all the
// rest of reading it. This gathers them into one object. Leaves: as kafkajs does, a header's bytes, or an array where one name
// comes several times; unlike kafkajs, also for a name that every object has of itself (`constructor`).
import { createRequire } from 'node:module'

type Value = Buffer | null
type Gathered = Record<string, Value | Value[]>
type Decoder = { readVarInt(): number; readVarIntString(): string; readVarIntBytes(): Value }
type ReadArray = (this: Decoder, reader: unknown) => unknown

const PATCHED = Symbol.for('onward.record-headers')

/** @throws Error when the installed kafkajs is not the one this was written against */
export function gatherHeadersOnce(): void {
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/protocol/decoder') as {
    readonly prototype: { readVarIntArray?: ReadArray & { [PATCHED]?: true } }
  }
  const original = prototype.readVarIntArray
  if (typeof original !== 'function') throw new Error('kafkajs has no Decoder.readVarIntArray: is it still 2.2.4?')
  if (original[PATCHED]) return
  // Only the decoder of records calls it, and does nothing with the array but reduce it.
  const patched: ReadArray & { [PATCHED]?: true } = function (this: Decoder) {
    return new ReadHeaders(gather(this))
  }
  patched[PATCHED] = true
  prototype.readVarIntArray = patched
}

class ReadHeaders {
  readonly #gathered: Gathered
  constructor(gathered: Gathered) {
    this.#gathered = gathered
  }
  reduce(): Gathered {
    return this.#gathered
  }
}

function gather(decoder: Decoder): Gathered {
  const gathered: Gathered = {}
  const count = decoder.readVarInt()
  for (let header = 0; header < count; header++) {
    const name = decoder.readVarIntString()
    const value = decoder.readVarIntBytes()
    const before = Object.hasOwn(gathered, name) ? gathered[name] : undefined
    const now = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
    // Assigned, this one name would be the object's prototype.
    if (name === '__proto__')
      Object.defineProperty(gathered, name, { value: now, enumerable: true, configurable: true })
    else gathered[name] = now
  }
  return gathered
}
