// The configuration of a benchmark: a connection and a repeater for each project, so that each change goes to exactly one. Pure.
import type { Auth, Connection } from '../../services/shared/forwarding/connection.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { connectionId, projectId, repeaterId } from '../../services/shared/ids.ts'
import { SOCKETS_OF_A_CONNECTION, type Rules } from './measurements.ts'
import { hasNobody } from './troubles.ts'

const DAY = 86_400_000

/** The discard port: nobody has listened there for decades. */
const NOBODY = 'http://127.0.0.1:9'

/** @param name of the project, which is also the path at the receiver */
export function benchConnection(name: string, origin: string, { auth, trouble }: Rules): Connection {
  const project = projectId(name)
  return {
    id: connectionId(project, 'receiver'),
    project,
    name: `Receiver of ${name}`,
    url: `${hasNobody(trouble, name) ? NOBODY : origin}/${auth === 'digest' ? 'digest/' : ''}${name}`,
    auth: authOf(auth, origin),
    tls: null,
    signing: null,
    headers: {},
    notify: [],
    limits: { concurrency: SOCKETS_OF_A_CONNECTION, rate: null, timeout: 30_000 },
    schedule: [30_000, 120_000],
    retryOn: [],
    rejectOn: [],
    successWhen: null,
    maxAge: 30 * DAY,
  }
}

const SECRET = '${env:BENCH_SECRET}'

function authOf(auth: Rules['auth'], origin: string): Auth {
  if (auth === 'none') return { type: 'none' }
  if (auth === 'digest') return { type: 'digest', username: 'bench', password: SECRET }
  return {
    type: 'oauth2-client-credentials',
    tokenUrl: `${origin}/token`,
    clientId: 'bench',
    clientSecret: SECRET,
    clientAuth: 'header',
    scope: null,
    audience: null,
    parameters: {},
  }
}

export function benchRepeater(name: string, { supersede, matches }: Pick<Rules, 'supersede' | 'matches'>): Repeater {
  const project = projectId(name)
  return {
    id: repeaterId(project, 'cases'),
    project,
    connection: connectionId(project, 'receiver'),
    forward: 'cases',
    format: 'json',
    method: 'POST',
    supersede,
    onDeadLetter: 'continue',
    filters: { caseTypes: matches === 'all' ? [] : ['no-such-type'], excludeUsers: [], formXmlns: [], on: 'any' },
    includeAppId: true,
    closedCase: 'close-only',
    version: '2.0',
    contentType: null,
  }
}
