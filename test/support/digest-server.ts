// A server that asks for Digest and is strict about it: it computes every response anew and takes each count of a nonce once,
// in order. Enter: user, password. Leave: what was asked and answered.
import { createHash, randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { targetServer, type Arrived, type Reply, type TargetServer } from './target-server.ts'

export type DigestServer = {
  readonly server: TargetServer
  readonly challenges: number
  /** Requests that were accepted. */
  readonly accepted: readonly Arrived[]
  /** What a client did that no correct client does. */
  readonly faults: readonly string[]
  /** From now on every nonce given so far is unknown, as after a restart. */
  forget(): void
}

type Options = {
  readonly username: string
  readonly password: string
  readonly algorithm?: 'MD5' | 'SHA-256' | 'MD5-sess' | 'SHA-256-sess'
  /** A nonce is stale after so many requests. */
  readonly nonceLasts?: number
  /** Each answer gives the next nonce. */
  readonly nextNonces?: boolean
}

export async function digestServer(t: TestContext, options: Options): Promise<DigestServer> {
  const { username, password, algorithm = 'SHA-256', nonceLasts = Infinity, nextNonces = false } = options
  const name = algorithm.startsWith('MD5') ? 'md5' : 'sha256'
  const hash = (text: string) => createHash(name).update(text).digest('hex')
  const counts = new Map<string, number>()
  const accepted: Arrived[] = []
  const faults: string[] = []
  let challenges = 0

  const newNonce = () => {
    const nonce = randomBytes(12).toString('base64')
    counts.set(nonce, 0)
    return nonce
  }
  const challenge = (stale: boolean): Reply => {
    challenges++
    const header = `Digest realm="a \\"realm\\"", nonce="${newNonce()}", qop="auth,auth-int", algorithm=${algorithm}, charset=UTF-8${stale ? ', stale=true' : ''}`
    return { status: 401, headers: { 'WWW-Authenticate': header } }
  }
  const reply = (request: Arrived): Reply => {
    const at = request.rawHeaders.indexOf('Authorization')
    if (at === -1) return challenge(false)
    const line = request.rawHeaders[at + 1] ?? ''
    const sent: Readonly<Record<string, string>> = Object.fromEntries(
      [...line.matchAll(/([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]*))/g)].map(([, key = '', quoted, token]) => [
        key,
        (quoted ?? token ?? '').replace(/\\(.)/g, '$1'),
      ]),
    )
    const { nonce = '', nc = '', cnonce = '', uri = '', response } = sent
    const last = counts.get(nonce)
    if (last === undefined) return challenge(true)
    if (Number.parseInt(nc, 16) !== last + 1) faults.push(`count ${nc} came after ${last} of ${nonce}`)
    if (uri !== request.path) faults.push(`uri ${uri} is not ${request.path}`)
    counts.set(nonce, Number.parseInt(nc, 16))
    if (last + 1 > nonceLasts) return challenge(true)
    const named = sent['username*'] === undefined ? sent['username'] : decodeURIComponent(sent['username*'].slice(7))
    const user = hash(`${username}:a "realm":${password}`)
    const first = algorithm.endsWith('-sess') ? hash(`${user}:${nonce}:${cnonce}`) : user
    const wanted = hash(`${first}:${nonce}:${nc}:${cnonce}:auth:${hash(`${request.method}:${request.path}`)}`)
    if (response !== wanted || named !== username) return challenge(false)
    accepted.push(request)
    return nextNonces ? { status: 200, headers: { 'Authentication-Info': `nextnonce="${newNonce()}"` } } : 200
  }
  return {
    server: await targetServer(t, { reply }),
    get challenges() {
      return challenges
    },
    accepted,
    faults,
    forget: () => counts.clear(),
  }
}
