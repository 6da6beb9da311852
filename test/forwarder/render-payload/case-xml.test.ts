import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { CaseChange } from '../../../services/shared/change.ts'
import { caseId } from '../../../services/shared/ids.ts'
import { renderCaseXml } from '../../../services/forwarder/render-payload/case-xml.ts'
import { renderCaseXml1 } from '../../../services/forwarder/render-payload/case-xml-1.ts'
import { attributeOf, type XmlElement } from '../../../services/forwarder/render-payload/xml-element.ts'
import { readForm } from '../../../services/forwarder/render-payload/read-form.ts'
import { aCaseChange } from './changes.ts'
import { holdsFor } from '../../support/property.ts'

const START =
  '<case case_id="c-1" date_modified="2015-04-17T16:04:54.950000Z" user_id="u-1" xmlns="http://commcarehq.org/case/transaction/v2">'
const CREATE = '<create><case_type>mscase</case_type><case_name>Trees</case_name><owner_id>o-1</owner_id></create>'

const aCase = (overrides: Partial<CaseChange> = {}): CaseChange =>
  aCaseChange({ caseId: caseId('c-1'), userId: 'u-1', ownerId: 'o-1', ...overrides })

const block = (overrides: Partial<CaseChange>, closedCase: 'close-only' | 'full' = 'close-only'): string => {
  const xml = renderCaseXml(aCase(overrides), closedCase)
  assert.equal(typeof xml, 'string', JSON.stringify(xml))
  return typeof xml === 'string' ? xml : ''
}

const errorOf = (overrides: Partial<CaseChange>): string => {
  const outcome = renderCaseXml(aCase(overrides), 'full')
  assert.notEqual(typeof outcome, 'string', JSON.stringify(outcome))
  return typeof outcome === 'string' ? '' : outcome.error
}

const index = (identifier: string, relationship: string, id = 'c-0') => ({
  identifier,
  caseType: 'household',
  caseId: caseId(id),
  relationship,
})
const attachment = (url: string) => ({ url, contentType: 'image/jpeg', length: 3 })

test('an open case has its create block, then update, index and attachment, each only when there is something in it', () => {
  assert.equal(block({}), `${START}${CREATE}</case>`)
  assert.equal(
    block({ properties: { weight: '61', age: '31' } }),
    `${START}${CREATE}<update><age>31</age><weight>61</weight></update></case>`,
  )
  assert.equal(
    block({ externalId: 'MRN7' }),
    `${START}${CREATE}<update><external_id>MRN7</external_id></update></case>`,
  )
  assert.equal(
    block({ indices: [index('parent', 'child')] }),
    `${START}${CREATE}<index><parent case_type="household">c-0</parent></index></case>`,
  )
  assert.equal(
    block({ attachments: { photo: attachment('https://hq.example/p?a=1&b=2') } }),
    `${START}${CREATE}<attachment><photo src="https://hq.example/p?a=1&amp;b=2" from="remote"/></attachment></case>`,
  )
  assert.equal(
    block({
      externalId: 'MRN7',
      properties: { weight: '61' },
      indices: [index('parent', 'child')],
      attachments: { photo: attachment('u') },
    }),
    `${START}${CREATE}<update><external_id>MRN7</external_id><weight>61</weight></update>` +
      '<index><parent case_type="household">c-0</parent></index>' +
      '<attachment><photo src="u" from="remote"/></attachment></case>',
  )
})

test('a property without value is an empty element', () => {
  assert.equal(block({ properties: { age: '' } }), `${START}${CREATE}<update><age/></update></case>`)
})

test('what has its place in create, or is the external id, is not said again in update', () => {
  const properties = { case_type: 'x', case_name: 'x', owner_id: 'x', external_id: 'x', date_opened: 'd' }
  assert.equal(
    block({ properties, externalId: 'MRN7' }),
    `${START}${CREATE}<update><external_id>MRN7</external_id><date_opened>d</date_opened></update></case>`,
  )
  assert.equal(
    block({ properties }),
    `${START}${CREATE}<update><date_opened>d</date_opened><external_id>x</external_id></update></case>`,
    'a case without external id keeps a property of that name',
  )
})

test('a case without owner belongs to its user, and an empty name is an empty element', () => {
  assert.equal(
    block({ ownerId: '', caseName: '' }),
    `${START}<create><case_type>mscase</case_type><case_name/><owner_id>u-1</owner_id></create></case>`,
  )
})

test('indices are sorted by identifier, marked only as extensions, and empty when they were taken away', () => {
  const indices = [index('parent', 'child', ''), index('host', 'extension'), index('Zone', 'child')]
  assert.equal(
    block({ indices }),
    `${START}${CREATE}<index><Zone case_type="household">c-0</Zone>` +
      '<host case_type="household" relationship="extension">c-0</host><parent case_type="household"/></index></case>',
  )
})

test('a closed case is just a close block, or everything and a close', () => {
  const closed = { closed: true, properties: { age: '31' }, indices: [index('parent', 'child')] }
  assert.equal(block(closed), `${START}<close/></case>`)
  assert.equal(
    block(closed, 'full'),
    `${START}${CREATE}<update><age>31</age></update><index><parent case_type="household">c-0</parent></index><close/></case>`,
  )
  assert.equal(block({}, 'full'), `${START}${CREATE}</case>`, 'an open case has no close')
})

test('a close block goes out although a property of the case could not', () => {
  assert.equal(block({ closed: true, properties: { 'no name': '\0' } }), `${START}<close/></case>`)
})

test('markup, quotes and line breaks are escaped so that they come back as they were', () => {
  const properties = { note: `<a> & "b" 'c' ]]>\r\n\té😀` }
  assert.equal(
    block({ caseId: caseId('"<&>\t\n\r'), properties }),
    START.replace('c-1', '&quot;&lt;&amp;&gt;&#9;&#10;&#13;') +
      `${CREATE}<update><note>&lt;a&gt; &amp; "b" 'c' ]]&gt;&#13;\n\té😀</note></update></case>`,
  )
})

test('a name that XML cannot have refuses the case and is said', () => {
  for (const name of ['', '1st', 'no name', 'a:b', 'a/b', '-a', 'a"b', 'é&', '\u0000', '\ud800', '⟨', 'a\u00d7']) {
    assert.equal(
      errorOf({ properties: { [name]: 'v' } }),
      `property ${JSON.stringify(name)} cannot be the name of an XML element`,
    )
  }
  assert.equal(errorOf({ indices: [index('a b', 'child')] }), 'index "a b" cannot be the name of an XML element')
  assert.equal(
    errorOf({ attachments: { '1.jpg': attachment('u') } }),
    'attachment "1.jpg" cannot be the name of an XML element',
  )
  for (const name of ['_', 'a-b.c', 'é', '名前', '\u{10000}x', 'a\u00b7', '__proto__', 'constructor', 'xml']) {
    const [update] = readBack(block({ properties: Object.fromEntries([[name, 'v']]) })).elements.slice(1)
    assert.equal(update?.elements[0]?.name, name)
  }
})

test('a character that XML cannot hold refuses the case, and the field and the character are said', () => {
  const rows: readonly [Partial<CaseChange>, string][] = [
    [{ properties: { ok: 'x', note: 'a\u0001' } }, 'property "note" holds U+0001'],
    [{ properties: { note: '\ud800' } }, 'property "note" holds U+D800'],
    [{ properties: { note: 'x\udc00' } }, 'property "note" holds U+DC00'],
    [{ properties: { note: '\ufffe' } }, 'property "note" holds U+FFFE'],
    [{ properties: { note: '\uffff' } }, 'property "note" holds U+FFFF'],
    [{ properties: { note: '\u0000' } }, 'property "note" holds U+0000'],
    [{ properties: { note: '\u000b' } }, 'property "note" holds U+000B'],
    [{ caseName: '\u001f' }, 'case_name holds U+001F'],
    [{ caseType: '\u0008' }, 'case_type holds U+0008'],
    [{ ownerId: '\u0008' }, 'owner_id holds U+0008'],
    [{ caseId: caseId('\u0008') }, 'case_id holds U+0008'],
    [{ userId: '\u0008' }, 'user_id holds U+0008'],
    [{ externalId: '\u0008' }, 'external_id holds U+0008'],
    [{ indices: [index('parent', 'child', '\u0008')] }, 'the case id of index "parent" holds U+0008'],
    [{ attachments: { photo: attachment('\u0008') } }, 'the address of attachment "photo" holds U+0008'],
    [{ closed: true, userId: '\u0008' }, 'user_id holds U+0008'],
  ]
  for (const [overrides, error] of rows) assert.equal(errorOf(overrides), `${error}, which XML 1.0 cannot hold`)
})

test('an error shows the beginning of a name that is as long as its record', () => {
  const error = errorOf({ properties: { [`1${'x'.repeat(100_000)}`]: '' } })
  assert.ok(error.length < 200, error.slice(0, 300))
})

const readBack = (xml: string): XmlElement => {
  const form = readForm(Buffer.from(xml))
  assert.equal(form.kind, 'read', JSON.stringify(form))
  return form.root
}

const holdable = fc
  .string({ unit: 'binary' })
  .filter((text) => !/[\0-\x08\x0b\x0c\x0e-\x1f\p{Cs}\ufffe\uffff]/u.test(text))
const hard = fc.constantFrom(
  '\r\n',
  '\r',
  ' \t\n ',
  '&amp;',
  '&#10;',
  '<![CDATA[x]]>',
  ']]>',
  '<!--',
  '"',
  "'",
  '\u0085',
  '\ufeff',
  '😀',
)
const values = fc.oneof(holdable, hard)
const names = fc.stringMatching(
  /^[A-Za-z_\u00c0-\u00d6\u3001-\u3100\uf900-\ufdcf\u{10000}-\u{10100}][A-Za-z0-9_.\u00b7-]{0,5}$/u,
)
const isDynamic = (name: string) => !['case_type', 'case_name', 'owner_id', 'external_id'].includes(name)

test('whatever XML can hold comes back from the block as it went in', (t) => {
  holdsFor(
    t,
    fc.property(
      values,
      values,
      fc.dictionary(names.filter(isDynamic), values),
      fc.uniqueArray(fc.tuple(names, values, values), { selector: ([name]) => name }),
      (id, name, properties, indices) => {
        const xml = block({
          caseId: caseId(id),
          caseName: name,
          properties,
          indices: indices.map(([identifier, caseType, of]) => ({
            identifier,
            caseType,
            caseId: caseId(of),
            relationship: 'extension',
          })),
        })
        const root = readBack(xml)
        const part = (tag: string) => root.elements.find((element) => element.name === tag)?.elements ?? []
        assert.equal(attributeOf(root, 'case_id'), id)
        assert.equal(part('create')[1]?.text, name)
        assert.deepEqual(
          Object.fromEntries(part('update').map((element) => [element.name, element.text])),
          Object.fromEntries(Object.entries(properties)),
        )
        assert.deepEqual(
          new Map(part('index').map((element) => [element.name, [attributeOf(element, 'case_type'), element.text]])),
          new Map(indices.map(([identifier, caseType, of]) => [identifier, [caseType, of]])),
        )
      },
    ),
  )
})

test('properties are sorted by code point, not by UTF-16 unit', (t) => {
  const byCodePoint = (left: string, right: string) => {
    const [a, b] = [Array.from(left), Array.from(right)]
    const at = a.findIndex((character, place) => character !== b[place])
    return at === -1 ? a.length - b.length : (a[at]?.codePointAt(0) ?? -1) - (b[at]?.codePointAt(0) ?? -1)
  }
  assert.match(
    block({ properties: { '\u{10000}': '', '\uf900': '', a: '', Z: '' } }),
    /<Z\/><a\/><\uf900\/><\u{10000}\/>/u,
  )
  holdsFor(
    t,
    fc.property(fc.uniqueArray(names.filter(isDynamic), { minLength: 1 }), (list) => {
      const root = readBack(block({ properties: Object.fromEntries(list.map((name) => [name, 'v'])) }))
      assert.deepEqual(
        root.elements[1]?.elements.map((element) => element.name),
        list.toSorted(byCodePoint),
      )
    }),
  )
})

test('version 1.0 has its fields as elements, no namespace, no indices and no attachments', () => {
  const change = aCase({
    externalId: 'MRN7',
    properties: { weight: '61', age: '', case_name: 'x', owner_id: 'x' },
    indices: [index('parent', 'child')],
    attachments: { photo: attachment('u') },
  })
  const start = '<case><case_id>c-1</case_id><date_modified>2015-04-17T16:04:54.950000Z</date_modified>'
  const state =
    '<create><case_type_id>mscase</case_type_id><user_id>u-1</user_id><case_name>Trees</case_name>' +
    '<external_id>MRN7</external_id></create><update><owner_id>o-1</owner_id><age/><weight>61</weight></update>'
  assert.equal(renderCaseXml1(change, 'close-only'), `${start}${state}</case>`)
  assert.equal(renderCaseXml1({ ...change, closed: true }, 'close-only'), `${start}<close/></case>`)
  assert.equal(renderCaseXml1({ ...change, closed: true }, 'full'), `${start}${state}<close/></case>`)
  assert.equal(
    renderCaseXml1(aCase({ ownerId: '' }), 'full'),
    `${start}<create><case_type_id>mscase</case_type_id><user_id>u-1</user_id><case_name>Trees</case_name><external_id/></create>` +
      '<update><owner_id>u-1</owner_id></update></case>',
  )
})

test('version 1.0 refuses what version 2.0 refuses', () => {
  assert.deepEqual(renderCaseXml1(aCase({ properties: { 'a b': '' } }), 'full'), {
    kind: 'unrenderable',
    error: 'property "a b" cannot be the name of an XML element',
  })
  assert.deepEqual(renderCaseXml1(aCase({ properties: { a: '\0' } }), 'full'), {
    kind: 'unrenderable',
    error: 'property "a" holds U+0000, which XML 1.0 cannot hold',
  })
})
