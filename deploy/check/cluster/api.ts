// Kubernetes' API over HTTPS on loopback. Enter: paths and objects. Leave: objects. Never: a retry, or a certificate that is judged:
// the server made its own a moment ago.
import { request } from 'node:https'

/** As far as it is looked at here. */
export type KubernetesObject = {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly generation?: number
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec?: unknown
}

export type Api = {
  /** @throws ApiError where the answer is not 2xx */
  readonly get: (path: string) => Promise<unknown>
  readonly list: (path: string) => Promise<readonly KubernetesObject[]>
  readonly create: (path: string, object: unknown) => Promise<unknown>
  readonly patch: (path: string, patch: unknown) => Promise<unknown>
  readonly delete: (path: string) => Promise<unknown>
}

class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code = 'API_REFUSED'
  readonly status: number

  constructor(method: string, path: string, status: number, text: string) {
    super(`${method} ${path}: ${status} ${text}`)
    this.status = status
  }
}

const ANSWERS_WITHIN_MS = 30_000

/** @param token of a user that may do everything */
export function openApi(port: number, token: string): Api {
  const ask = async (method: string, path: string, body?: unknown, type = 'application/json'): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': type }
    const { status, text } = await exchange(port, method, path, headers, body)
    if (status < 200 || status > 299) throw new ApiError(method, path, status, messageOf(text))
    return JSON.parse(text)
  }
  return {
    get: (path) => ask('GET', path),
    list: async (path) => ((await ask('GET', path)) as { items: KubernetesObject[] }).items,
    create: (path, object) => ask('POST', path, object),
    patch: (path, patch) => ask('PATCH', path, patch, 'application/merge-patch+json'),
    delete: (path) => ask('DELETE', path),
  }
}

/** A plain question: whether something answers at all, with what status. */
export async function statusOf(port: number, path: string, token: string): Promise<number | undefined> {
  try {
    return (await exchange(port, 'GET', path, { authorization: `Bearer ${token}` })).status
  } catch {
    return undefined
  }
}

function exchange(
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, rejectUnauthorized: false }
    const asked = request({ ...options, timeout: ANSWERS_WITHIN_MS }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      answer.once('error', reject).once('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    asked.once('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer`))).once('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text
  } catch {
    return text
  }
}
