// What goes into the update block of a case, in its order. Enter: a case change. Leave: names, or why they cannot be.
// Never: a name that XML cannot have as an element; one such name refuses the whole block.
import type { CaseChange } from '../../shared/change.ts'
import { sortNames } from './compare-code-points.ts'
import { renderElement, unholdableCharacter } from './xml-text.ts'
import { quoted, unrenderable, type Unrenderable } from './unrenderable.ts'
import { isXmlName } from './xml-name.ts'

/** Fixed fields of a case with a place of their own in the block: a property of the same name must not say it twice. */
const isFixed = (name: string, change: CaseChange): boolean =>
  name === 'case_type' ||
  name === 'case_name' ||
  name === 'owner_id' ||
  (name === 'external_id' && Boolean(change.externalId))

/** The elements of the properties, by code point of their names: `<age>31</age><weight/>`. */
export function renderProperties(change: CaseChange): string | Unrenderable {
  let elements = ''
  for (const name of sortNames(Object.keys(change.properties))) {
    if (isFixed(name, change)) continue
    if (!isXmlName(name)) return unrenderable(`property ${quoted(name)} cannot be the name of an XML element`)
    elements += renderElement(name, change.properties[name] ?? '')
  }
  return elements
}

/**
 * Looks for the culprit once a block is known to hold a character that XML cannot: only then is a walk worth its time.
 *
 * @returns an error that names the field and the character
 */
export function blameField(change: CaseChange): Unrenderable {
  for (const [label, text] of fieldsOf(change)) {
    const character = unholdableCharacter(text)
    if (character !== undefined) return unrenderable(`${label} holds ${character}, which XML 1.0 cannot hold`)
  }
  return unrenderable('the case holds a character that XML 1.0 cannot hold')
}

/** Every text of a case block, in the block's order: what a close-only block holds comes first. */
function* fieldsOf(change: CaseChange): Generator<readonly [label: string, text: string]> {
  yield ['case_id', change.caseId]
  yield ['user_id', change.userId]
  yield ['case_type', change.caseType]
  yield ['case_name', change.caseName]
  yield ['owner_id', change.ownerId]
  yield ['external_id', change.externalId ?? '']
  for (const [name, text] of Object.entries(change.properties)) yield [`property ${quoted(name)}`, text]
  for (const index of change.indices) {
    yield [`the case type of index ${quoted(index.identifier)}`, index.caseType]
    yield [`the case id of index ${quoted(index.identifier)}`, index.caseId]
  }
  for (const [name, attachment] of Object.entries(change.attachments)) {
    yield [`the address of attachment ${quoted(name)}`, attachment.url]
  }
}
