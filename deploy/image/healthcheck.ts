// The image's HEALTHCHECK: asks the service in this container. In the image it lies at the top: node healthcheck.ts [/readyz]
// Enter: a path, else /livez. Leave: exit code 0 when a service says it is well, else 1 with what was said.
// Never: anything but Node, since a container's check starts every few seconds.
import { get } from 'node:http'

/** The forwarder's and the notifier's, where ONWARD_HTTP_PORT says nothing: a container has one of them. */
const PORTS = ['8080', '8081']
/** Below the Dockerfile's timeout, so that its words are seen. */
const ANSWER_WITHIN_MS = 4_000

const path = process.argv[2] ?? '/livez'
const set = process.env['ONWARD_HTTP_PORT'] ?? ''
const asked = (set === '' ? PORTS : [set]).map((port) => ask(`http://127.0.0.1:${port}${path}`))
try {
  process.stdout.write(await Promise.any(asked))
  process.exitCode = 0
} catch (error) {
  const reasons: unknown[] = error instanceof AggregateError ? error.errors : [error]
  process.stdout.write(reasons.map((reason) => `${String(reason)}\n`).join(''))
  process.exitCode = 1
}

async function ask(url: string): Promise<string> {
  const answered = Promise.withResolvers<string>()
  const request = get(url, { timeout: ANSWER_WITHIN_MS }, (response) => {
    let text = `${url}: `
    response.setEncoding('utf8').on('data', (part: string) => (text += part))
    response.on('end', () => (response.statusCode === 200 ? answered.resolve(text) : answered.reject(new Error(text))))
    response.on('error', answered.reject)
  })
  request.on('timeout', () => request.destroy(new Error(`${url}: no answer within ${ANSWER_WITHIN_MS / 1_000} s`)))
  request.on('error', answered.reject)
  return answered.promise
}
