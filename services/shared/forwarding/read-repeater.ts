// One repeater, from a file or a record. Enter: a located map. Leave: a repeater with every default filled in; what is wrong,
// or does nothing for this kind of change, is told. The result is of use only when nothing was told.
import { connectionId, repeaterId, type ProjectId } from '../ids.ts'
import { Fields } from './fields.ts'
import {
  CLOSED_CASES,
  FILTER_KEYS,
  FORMATS,
  FORWARDS,
  known,
  METHODS,
  ON_DEAD_LETTERS,
  REPEATER_KEYS,
  SUPERSEDES,
  TOUCHES,
  VERSIONS,
  type Forward,
  type Keys,
} from './forwarding-keys.ts'
import type { Located, Report } from './located.ts'
import { localId } from './read-connection.ts'
import { choice, listOf, text, textLike, trueOrFalse, type Reader } from './read-values.ts'
import type { Filters, Repeater } from './repeater.ts'

const EVERYTHING: Filters = { caseTypes: [], excludeUsers: [], formXmlns: [], on: 'any' }

export function readRepeater(node: Located, project: ProjectId, report: Report): Repeater | undefined {
  const fields = Fields.of(node, known('a repeater', REPEATER_KEYS), report)
  if (!fields) return undefined
  const forward = fields.required('forward', choice(FORWARDS), FORWARDS.join(' | '))
  if (forward !== undefined) refuseIdle(fields, REPEATER_KEYS, forward, () => false)
  // Whatever does not apply was refused, so what is left has one default for all.
  const format = forward === 'form-stubs' ? 'json' : fields.optional('format', choice(FORMATS), 'xml')
  if (forward === 'cases' && format === 'json') {
    const reason = 'is for cases as XML, and this repeater sends JSON'
    for (const name of ['closedCase', 'version'])
      fields.refuse(name, `${name} ${reason}`, 'remove it, or write format: xml')
  }
  const byKind = forward === 'cases' ? 'waiting' : 'never'
  const supersede = fields.optional('supersede', choice(SUPERSEDES), byKind)
  if (supersede === 'waiting' && forward !== undefined && forward !== 'cases') {
    fields.refuse(
      'supersede',
      `every change of ${forward} is sent: none replaces another`,
      'remove it, or write supersede: never',
    )
  }
  return {
    id: repeaterId(project, fields.required('id', localId, 'patients') ?? ''),
    project,
    connection: connectionId(project, fields.required('connection', localId, 'registry') ?? ''),
    forward: forward ?? 'forms',
    format,
    method: fields.optional('method', choice(METHODS), 'POST'),
    supersede,
    onDeadLetter: fields.optional('onDeadLetter', choice(ON_DEAD_LETTERS), 'continue'),
    filters: fields.optional('filters', filtersOf(forward), EVERYTHING),
    includeAppId: fields.optional('includeAppId', trueOrFalse, true),
    closedCase: fields.optional('closedCase', choice(CLOSED_CASES), 'close-only'),
    version: fields.optional('version', choice(VERSIONS), '2.0'),
    contentType: fields.optional<string | null>('contentType', contentType, null),
  }
}

/** A key that does nothing looks as if it did something: it is told, not passed over. */
function refuseIdle(fields: Fields, keys: Keys, forward: Forward, isNeutral: (name: string) => boolean): void {
  for (const [name, { for: kinds }] of Object.entries(keys)) {
    if (kinds === undefined || kinds.includes(forward) || isNeutral(name)) continue
    fields.refuse(name, `${name} is for ${kinds.join(', ')}, and this repeater forwards ${forward}`, 'remove it')
  }
}

const filtersOf =
  (forward: Forward | undefined): Reader<Filters> =>
  (node, _name, report) => {
    const fields = Fields.of(node, known('filters', FILTER_KEYS), report)
    if (!fields) return undefined
    const texts = (example: string) => listOf(text, example)
    const filters: Filters = {
      caseTypes: fields.optional('caseTypes', texts('patient'), []),
      excludeUsers: fields.optional('excludeUsers', texts('user-id'), []),
      formXmlns: fields.optional('formXmlns', texts('http://openrosa.org/formdesigner/…'), []),
      on: fields.optional('on', choice(TOUCHES), 'any'),
    }
    // `formXmlns: []` on a repeater of cases asks for nothing, so it may stand.
    const neutral = Object.entries(filters).flatMap(([name, value]) =>
      value === 'any' || value.length === 0 ? [name] : [],
    )
    if (forward !== undefined) refuseIdle(fields, FILTER_KEYS, forward, (name) => neutral.includes(name))
    return filters
  }

const contentType = textLike(
  /^[!#$&^_.+a-z0-9-]+\/[!#$&^_.+a-z0-9-]+( *; *[\x20-\x7e]+)?$/i,
  'is no media type',
  'application/json',
)
