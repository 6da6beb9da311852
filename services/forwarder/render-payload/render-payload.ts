// What a remote API receives of a change. Enter: a change and the repeater it goes through. Leave: body and the headers that
// belong to it, or why there is no body. Never: a clock, a request, or a body that the format's own parser refuses.
import { assertNever } from '../../shared/assert-never.ts'
import type { AppChange, CaseChange, Change, FormChange } from '../../shared/change.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import { renderInstant } from '../../shared/instant.ts'
import { renderAppSchema } from './app-schema.ts'
import { renderCaseJson } from './case-json.ts'
import { renderCaseXml } from './case-xml.ts'
import { renderCaseXml1 } from './case-xml-1.ts'
import { renderFormJson } from './form-json.ts'
import { renderFormStub } from './form-stub.ts'
import { readCaseIds } from './read-case-ids.ts'
import { readForm } from './read-form.ts'
import { unrenderable, type Unrenderable } from './unrenderable.ts'

export type Payload =
  | {
      readonly kind: 'rendered'
      readonly contentType: string
      readonly body: Buffer
      /** `Received-On` of a form, `Server-Modified-On` of a case. */
      readonly headers: readonly (readonly [name: string, value: string])[]
      /** To be added to the URL as the query parameter `app_id`. */
      readonly appId: string | null
    }
  | Unrenderable

export function renderPayload(change: Change, repeater: Repeater): Payload {
  switch (change.kind) {
    case 'case':
      return repeater.forward === 'cases' ? renderCase(change, repeater) : mismatch(change, repeater)
    case 'form':
      if (repeater.forward === 'forms') return renderForm(change, repeater)
      return repeater.forward === 'form-stubs' ? renderStub(change, repeater) : mismatch(change, repeater)
    case 'app':
      return repeater.forward === 'apps' ? renderApp(change, repeater) : mismatch(change, repeater)
    default:
      return assertNever(change)
  }
}

const mismatch = (change: Change, repeater: Repeater): Unrenderable =>
  unrenderable(`a repeater that forwards ${repeater.forward} sends no ${change.kind} change`)

function renderCase(change: CaseChange, repeater: Repeater): Payload {
  const headers = [['Server-Modified-On', renderInstant(change.serverModifiedOn)]] as const
  if (repeater.format === 'json') return rendered(JSON_TYPE, renderCaseJson(change), headers, repeater)
  const render = repeater.version === '1.0' ? renderCaseXml1 : renderCaseXml
  const block = render(change, repeater.closedCase)
  return typeof block === 'string' ? rendered(XML_TYPE, block, headers, repeater) : block
}

function renderForm(change: FormChange, repeater: Repeater): Payload {
  const appId = repeater.includeAppId && change.appId ? change.appId : null
  if (appId?.isWellFormed() === false) return unrenderable('app_id holds half a character, which a URL cannot hold')
  const headers = receivedOn(change)
  // The submitted document, byte for byte: never parsed, never copied.
  if (repeater.format === 'xml') return rendered(XML_TYPE, change.xml, headers, repeater, appId)
  const form = readForm(change.xml)
  if (form.kind === 'malformed') return unrenderable(form.error)
  return rendered(JSON_TYPE, renderFormJson(change, form.root), headers, repeater, appId)
}

function renderStub(change: FormChange, repeater: Repeater): Payload {
  const read = change.caseIds.length > 0 ? { kind: 'read' as const, caseIds: change.caseIds } : readCaseIds(change.xml)
  if (read.kind === 'malformed') return unrenderable(read.error)
  return rendered(JSON_TYPE, renderFormStub(change, read.caseIds), receivedOn(change), repeater)
}

function renderApp(change: AppChange, repeater: Repeater): Payload {
  const id = renderAppSchema(change)
  if (!id.isWellFormed()) return unrenderable('the id holds half a character, which UTF-8 cannot hold')
  return rendered(XML_TYPE, id, [], repeater)
}

const XML_TYPE = 'text/xml'
const JSON_TYPE = 'application/json'

const receivedOn = (change: FormChange) => [['Received-On', renderInstant(change.receivedOn)]] as const

const rendered = (
  contentType: string,
  body: string | Buffer,
  headers: readonly (readonly [name: string, value: string])[],
  repeater: Repeater,
  appId: string | null = null,
): Payload => ({
  kind: 'rendered',
  contentType: repeater.contentType ?? contentType,
  body: typeof body === 'string' ? Buffer.from(body, 'utf8') : body,
  headers,
  appId,
})
