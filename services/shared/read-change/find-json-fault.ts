// Says where text stops being JSON: for some faults JSON.parse names no place, for others it quotes the value.
// Enter: text that JSON.parse refused. Leave: what was wanted there, with line and column. Never repeats the text.
// Keeps its own stack: depth costs memory, not the call stack.

const VALUE = 'a value'
const VALUE_OR_END = 'a value or ]'
const KEY = 'a key in double quotes'
const KEY_OR_END = 'a key in double quotes or }'
const COLON = ':'
const COMMA_OR_BRACE = ', or }'
const COMMA_OR_BRACKET = ', or ]'
const NOTHING = 'nothing more'
type Wanted =
  | typeof VALUE
  | typeof VALUE_OR_END
  | typeof KEY
  | typeof KEY_OR_END
  | typeof COLON
  | typeof COMMA_OR_BRACE
  | typeof COMMA_OR_BRACKET
  | typeof NOTHING

/** @returns `wanted a value at line 1, column 8`; undefined when the text is JSON after all */
export function findJsonFault(text: string): string | undefined {
  const scanner = new Scanner(text)
  const open: ('{' | '[')[] = []
  let wanted: Wanted = VALUE
  for (;;) {
    scanner.passSpace()
    if (wanted === NOTHING && scanner.ended) return undefined
    const next = step(scanner, open, wanted)
    if (next === undefined) return scanner.fault(wanted)
    wanted = next
  }
}

/** @returns what is wanted next, or undefined when what was wanted is not there */
function step(scanner: Scanner, open: ('{' | '[')[], wanted: Wanted): Wanted | undefined {
  const afterValue = (): Wanted => {
    const around = open.at(-1)
    return around === undefined ? NOTHING : around === '{' ? COMMA_OR_BRACE : COMMA_OR_BRACKET
  }
  const close = (): Wanted => {
    open.pop()
    return afterValue()
  }
  switch (wanted) {
    case VALUE:
    case VALUE_OR_END:
      if (wanted === VALUE_OR_END && scanner.pass(']')) return close()
      if (scanner.pass('{')) {
        open.push('{')
        return KEY_OR_END
      }
      if (scanner.pass('[')) {
        open.push('[')
        return VALUE_OR_END
      }
      return scanner.passText() || scanner.passMatch(NUMBER) || scanner.passMatch(WORD) ? afterValue() : undefined
    case KEY:
    case KEY_OR_END:
      if (wanted === KEY_OR_END && scanner.pass('}')) return close()
      return scanner.passText() ? COLON : undefined
    case COLON:
      return scanner.pass(':') ? VALUE : undefined
    case COMMA_OR_BRACE:
      if (scanner.pass('}')) return close()
      return scanner.pass(',') ? KEY : undefined
    case COMMA_OR_BRACKET:
      if (scanner.pass(']')) return close()
      return scanner.pass(',') ? VALUE : undefined
    case NOTHING:
      return undefined
  }
}

/** Sticky: each looks at one place. No pattern for texts: on one of megabytes it would run out of stack. */
const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y

class Scanner {
  readonly #text: string
  #at = 0
  #insideText = false

  constructor(text: string) {
    this.#text = text
  }

  get ended(): boolean {
    return this.#at >= this.#text.length
  }

  pass(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  passSpace(): void {
    this.passMatch(SPACE)
  }

  passMatch(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    if (!pattern.test(this.#text)) return false
    this.#at = pattern.lastIndex
    return true
  }

  passText(): boolean {
    if (!this.pass('"')) return false
    this.#insideText = true
    while (!this.pass('"')) {
      const character = this.#text[this.#at]
      if (character === undefined || character < ' ') return false
      if (character !== '\\') this.#at++
      else if (!this.passMatch(ESCAPE)) return false
    }
    this.#insideText = false
    return true
  }

  fault(wanted: Wanted): string {
    const before = this.#text.slice(0, this.#at)
    const line = before.split('\n').length
    const column = this.#at - before.lastIndexOf('\n')
    const what = this.#insideText ? 'a text without control characters and unknown escapes, ended by "' : wanted
    return `wanted ${what} ${this.ended ? 'where the value ends, ' : ''}at line ${line}, column ${column}`
  }
}
