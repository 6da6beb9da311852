// A generated change → the body Onward sends for it, so that the bare loop carries the same bytes. Pure.
import { renderPayload } from '../../services/forwarder/render-payload/render-payload.ts'
import { readDocument, type WireDocument } from '../../services/shared/wire/read-document.ts'
import { benchRepeater } from './forwarding-rules.ts'

/** @throws Error when the generated change cannot be rendered: a fault of the load */
export function renderBody(document: WireDocument): string {
  const payload = renderPayload(
    readDocument('cases', document),
    benchRepeater('p00', { supersede: 'never', matches: 'all' }),
  )
  if (payload.kind === 'unrenderable') throw new Error(payload.error)
  return payload.body.toString('utf8')
}
