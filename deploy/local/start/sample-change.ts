// A change that somebody's own rules let through, so that the first line they copy arrives. Pure.
// Enter: repeaters and the instant of now. Leave: for each kind of source one change in the JSON wire shape, with its key.
import type { SourceKind } from '../../../services/shared/change.ts'
import type { Repeater } from '../../../services/shared/forwarding/repeater.ts'

export type SampleChange = {
  readonly source: SourceKind
  /** What the record's key must be: the case, or the app. */
  readonly key: string
  readonly document: Readonly<Record<string, unknown>>
}

const SOURCE_OF: Readonly<Record<Repeater['forward'], SourceKind>> = {
  cases: 'cases',
  forms: 'forms',
  'form-stubs': 'forms',
  apps: 'apps',
}

/** @param now ISO 8601 with Z @returns one change for each kind that some repeater forwards; the first such repeater lets it through */
export function sampleChangesFor(repeaters: readonly Repeater[], now: string): readonly SampleChange[] {
  return (['cases', 'forms', 'apps'] as const).flatMap((source) => {
    const repeater = repeaters.find(({ forward }) => SOURCE_OF[forward] === source)
    return repeater ? [sampleFor(source, repeater, now)] : []
  })
}

function sampleFor(source: SourceKind, repeater: Repeater, now: string): SampleChange {
  const { project, filters } = repeater
  const user = nobodyOf(filters.excludeUsers)
  switch (source) {
    case 'cases':
      return {
        source,
        key: 'oak',
        document: {
          project,
          case_id: 'oak',
          case_type: filters.caseTypes[0] ?? 'tree',
          case_name: 'Oak',
          owner_id: user,
          user_id: user,
          opened_on: now,
          date_modified: now,
          server_modified_on: now,
          closed: false,
          properties: { height: '12' },
          xform_ids: filters.on === 'update' ? ['form-1', 'form-2'] : ['form-1'],
        },
      }
    case 'forms': {
      const xmlns = filters.formXmlns[0] ?? 'http://example.org/forms/tree'
      const xml = `<data xmlns="${escapeAttribute(xmlns)}"><height>12</height></data>`
      return {
        source,
        key: 'oak',
        document: { project, form_id: 'form-1', xmlns, received_on: now, user_id: user, case_ids: ['oak'], xml },
      }
    }
    case 'apps':
      return { source, key: 'app-1', document: { project, app_id: 'app-1', saved_on: now } }
  }
}

/** A user that no filter excludes. */
function nobodyOf(excluded: readonly string[]): string {
  let user = 'danny'
  while (excluded.includes(user)) user += '-2'
  return user
}

const escapeAttribute = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
