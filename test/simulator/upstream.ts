// What upstream publishes: the values of source records, as JSON. Pure.
import { caseValue } from '../support/changes.ts'
import type { Truth } from './judge.ts'
import { LONGEST_VALUE } from './surroundings.ts'

/** @returns null for a tombstone */
export function valueOf({ topic, version, case: caseOf, flavour }: Truth): string | null {
  if (flavour === 'tombstone') return null
  if (flavour === 'garbage') return 'not a change'
  const padding = flavour === 'large' ? 'x'.repeat(LONGEST_VALUE) : ''
  if (topic === 'cases')
    return caseValue({ caseId: caseOf, closed: flavour === 'closed', version, caseType: `patient${padding}` })
  return JSON.stringify({
    project: 'demo',
    form_id: `form-${version}`,
    xmlns: 'http://example.org/visit',
    received_on: '2026-01-01T00:00:00Z',
    case_ids: [caseOf],
    xml: `<data>${padding}</data>`,
  })
}
