// Probes and metrics over HTTP. /livez must not fail for an outage of a broker, a registry or a remote: a restart mends none.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorText } from './error-text.ts'
import type { Metrics } from './metrics.ts'

export type Probe = () => { readonly ok: boolean; readonly why: string }
export type StatusServer = AsyncDisposable & { readonly port: number }

/** What else a service answers: whether it did. */
export type Pages = (request: IncomingMessage, response: ServerResponse) => boolean

/** @param port 0 for any free one @throws Error when the port is taken: the message names the setting */
export async function openStatusServer(
  port: number,
  metrics: Metrics,
  live: Probe,
  ready: Probe,
  pages: Pages = () => false,
): Promise<StatusServer> {
  metrics.gauge('onward_ready', '1 while /readyz says that it is well.', [], (gauge) => gauge.set(ready().ok ? 1 : 0))
  const server = createServer((request, response) => {
    switch (request.url?.split('?')[0]) {
      case '/livez':
        return answerProbe(response, live())
      case '/readyz':
        return answerProbe(response, ready())
      case '/metrics':
        metrics.render().then(
          (text) => answer(response, 200, metrics.contentType, text),
          (error: unknown) => answer(response, 500, TEXT, `${errorText(error)}\n`),
        )
        return
      default:
        if (pages(request, response)) return
        return answer(response, 404, TEXT, 'Here are /livez, /readyz and /metrics.\n')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Error(`cannot listen on port ${port} (ONWARD_HTTP_PORT): ${error.message}`, { cause: error })),
    )
    server.listen(port, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const TEXT = 'text/plain; charset=utf-8'

const answerProbe = (response: ServerResponse, { ok, why }: ReturnType<Probe>) =>
  answer(response, ok ? 200 : 503, TEXT, `${ok ? 'ok' : 'not ok'}: ${why}\n`)

const answer = (response: ServerResponse, status: number, contentType: string, text: string): void => {
  response.writeHead(status, { 'Content-Type': contentType })
  response.end(text)
}
