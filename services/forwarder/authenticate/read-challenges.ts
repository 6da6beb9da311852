// WWW-Authenticate (RFC 9110, 11.6.1) → challenges. Pure. A header holds several, and several headers may come; commas part
// challenges as well as their parameters, and a quoted realm may hold all of these characters.
// Never: an error for what is no challenge; it is left out.

export type Challenge = {
  /** In small letters. */
  readonly scheme: string
  /** Names in small letters; values without their quotes, as the bytes of the header read in UTF-8. */
  readonly parameters: Readonly<Record<string, string>>
}

/** `name = token` or `name = "quoted \" text"`. */
const PARAMETER = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/
/** A scheme stands before a space and what is no `=`, or alone. */
const SCHEME = /^[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?=\s|,|$)(?!\s*=\s*[^=\s,])/
/** Basic's and Negotiate's own form: letters and padding instead of parameters. */
const TOKEN68 = /^\s*[A-Za-z0-9._~+/-]+=*\s*(?:,|$)/

/** A page of challenges is no challenge. */
const MOST_CHALLENGES = 20

export function readChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const lines = header === undefined ? [] : typeof header === 'string' ? [header] : header
  return lines.flatMap(readLine)
}

function readLine(line: string): readonly Challenge[] {
  const challenges: Challenge[] = []
  let rest = line
  while (challenges.length < MOST_CHALLENGES) {
    const scheme = SCHEME.exec(rest)
    if (!scheme) return challenges
    rest = rest.slice(scheme[0].length)
    const parameters: Record<string, string> = {}
    for (let found = PARAMETER.exec(rest); found; found = PARAMETER.exec(rest)) {
      const [whole, name = '', quoted, token = ''] = found
      parameters[name.toLowerCase()] = asUtf8(quoted === undefined ? token : quoted.replace(/\\(.)/g, '$1'))
      rest = rest.slice(whole.length)
    }
    if (Object.keys(parameters).length === 0) rest = rest.slice(TOKEN68.exec(rest)?.[0].length ?? 0)
    challenges.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters })
  }
  return challenges
}

/** `nextnonce="…"` and its like, of Authentication-Info: parameters without a scheme. */
export function readParameters(header: string | readonly string[] | undefined): Readonly<Record<string, string>> {
  const line = typeof header === 'string' ? header : (header ?? []).join(', ')
  return readLine(`x ${line}`)[0]?.parameters ?? {}
}

/** The client hands over a header's bytes as Latin-1. What is no UTF-8 stays as it came. */
function asUtf8(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  const read = Buffer.from(text, 'latin1').toString('utf8')
  return read.includes('\ufffd') ? text : read
}
