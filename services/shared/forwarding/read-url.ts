// `url:` and `tokenUrl:` of a connection. Enter: a located value. Leave: the URL exactly as written. Never: credentials, which would be seen
// wherever the URL is.
import { text, type Reader } from './read-values.ts'

const EXAMPLE = 'https://api.example.org/records'

export const remoteUrl: Reader<string> = (node, name, report) => {
  const written = text(node, name, report)
  if (written === undefined) return undefined
  const mistake = findMistake(written, name)
  if (mistake === undefined) return written
  report(node.place, `${name} ${mistake.message}`, mistake.fix)
  return undefined
}

function findMistake(written: string, name: string): { message: string; fix: string } | undefined {
  const mistake = (message: string, fix: string) => ({ message, fix })
  if (written.includes('${')) {
    return mistake('holds a reference, and references are not read there', 'use auth: or headers: for what is secret')
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(written)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    const bare = /^[a-z0-9.-]+(:\d+)?(\/\S*)?$/i.test(written)
    return mistake('has no scheme', `write ${name}: ${bare ? `https://${written}` : EXAMPLE}`)
  }
  if (scheme !== 'http' && scheme !== 'https') {
    return mistake(`has the scheme ${scheme}, and only http and https are forwarded to`, `write ${name}: ${EXAMPLE}`)
  }
  const authority = /^[^/]+:\/\/([^/?#]*)/.exec(written)?.[1] ?? ''
  if (authority === '' || authority.startsWith(':')) return mistake('has no host', `write ${name}: ${EXAMPLE}`)
  const at = authority.lastIndexOf('@')
  if (at >= 0) {
    return mistake(
      'holds credentials, which would be shown wherever it is',
      credentialsAdvice(name, written, authority, at),
    )
  }
  if (/\s/.test(written)) return mistake('holds a space', 'write it as %20')
  if (!URL.canParse(written)) return mistake('is not a URL', `write ${name}: ${EXAMPLE}`)
  if (written.includes('#')) return mistake('holds a fragment, which HTTP never sends', 'remove what begins with #')
  return undefined
}

/** The user name may be shown, the password never. */
function credentialsAdvice(name: string, written: string, authority: string, at: number): string {
  const [username = ''] = authority.slice(0, at).split(':')
  const bare = written.replace(authority.slice(0, at + 1), '')
  if (name !== 'url') return `write ${name}: ${bare}, with clientId: and clientSecret: beside it`
  return `write url: ${bare} and auth: { type: basic, username: ${username || 'onward'}, password: "\${env:API_PASSWORD}" }`
}
