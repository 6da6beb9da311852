// A connection and a repeater → a job for the try. Pure but for the samples' files.
import type { TryJob } from '../../shared/connection-try.ts'
import { renderConfigRecord } from '../../shared/forwarding/config-record.ts'
import type { Connection } from '../../shared/forwarding/connection.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import { repeaterId } from '../../shared/ids.ts'
import { renderWireDocument } from '../../shared/wire/render-document.ts'
import { SOURCE_OF } from '../publish/change-key.ts'
import { sampleChanges } from '../publish/sample-changes.ts'

/** Without a repeater a case is sent as JSON: that a connection is right shows before anything is forwarded by it. */
export const sampleRepeater = ({ id, project }: Connection): Repeater => ({
  id: repeaterId(project, 'test'),
  project,
  connection: id,
  forward: 'cases',
  format: 'json',
  method: 'POST',
  supersede: 'waiting',
  onDeadLetter: 'continue',
  filters: { caseTypes: [], excludeUsers: [], formXmlns: [], on: 'any' },
  includeAppId: true,
  closedCase: 'close-only',
  version: '2.0',
  contentType: null,
})

export function jobOf(connection: Connection, repeater: Repeater, mode: TryJob['mode']): TryJob {
  const [form, aCase, app] = sampleChanges()
  const change = { cases: aCase, apps: app, forms: form, 'form-stubs': form }[repeater.forward]
  const record = (definition: Parameters<typeof renderConfigRecord>[0]) => {
    const { key, value } = renderConfigRecord(definition)
    return { key, value: value ?? '' }
  }
  return {
    connection: record({ kind: 'connection', connection }),
    repeater: record({ kind: 'repeater', repeater }),
    source: SOURCE_OF[change.kind],
    value: JSON.stringify(renderWireDocument(change)),
    mode,
  }
}
