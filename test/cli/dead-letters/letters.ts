// Records and candidates for tests of the dead-letter rooms: the defaults are dull, so that a test says only what it is about.
import type { Candidate } from '../../../services/cli/dead-letters/judge-letter.ts'
import { readLetter, type Letter } from '../../../services/cli/dead-letters/letter.ts'
import type { TopicRecord } from '../../../services/shared/kafka/reader.ts'
import { aRepeater } from '../../forwarder/render-payload/changes.ts'

export const AT = Date.UTC(2026, 10, 25, 8)

type Overrides = Partial<Omit<TopicRecord, 'headers'>> & { readonly headers?: Readonly<Record<string, string>> }

export const aDeadRecord = ({ headers = {}, ...overrides }: Overrides = {}): TopicRecord => ({
  partition: 0,
  offset: 0,
  timestamp: AT,
  key: Buffer.from('case-1'),
  value: Buffer.from('{}'),
  ...overrides,
  headers: Object.fromEntries(
    Object.entries({
      'onward-repeater': 'demo/all',
      'onward-project': 'demo',
      'onward-connection': 'demo/remote',
      'onward-reason': 'rejected',
      'onward-status': '422',
      'onward-source-topic': 'cases',
      'onward-source-partition': '0',
      'onward-source-offset': '7',
      'onward-source-timestamp': String(AT),
      ...headers,
    }).map(([name, value]) => [name, Buffer.from(value)]),
  ),
})

export const aLetter = (overrides: Overrides = {}): Letter => readLetter(aDeadRecord(overrides))

type CandidateOverrides = {
  readonly partition?: number
  readonly offset?: number
  readonly sourceOffset?: number
  readonly base?: number
  readonly caseId?: string
  readonly repeater?: Candidate['repeater']
}

export function aCandidate(overrides: CandidateOverrides = {}): Candidate {
  const { partition = 0, offset = 0, sourceOffset = 7, base = 0, caseId = 'case-1', repeater = aRepeater() } = overrides
  return {
    letter: { partition, offset },
    repeater,
    source: { topic: 'cases', partition, offset: sourceOffset, base, timestamp: AT },
    case: caseId,
    full: true,
    isState: repeater.forward === 'cases',
    sourceKey: caseId,
    ifHeld: false,
    bytes: 2,
  }
}
