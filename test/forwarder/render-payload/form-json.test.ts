import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { FormChange } from '../../../services/shared/change.ts'
import { renderFormJson } from '../../../services/forwarder/render-payload/form-json.ts'
import { readForm } from '../../../services/forwarder/render-payload/read-form.ts'
import { aFormChange, instant } from './changes.ts'
import { holdsFor } from '../../support/property.ts'

function text(xml: string | Buffer, overrides: Partial<FormChange> = {}): string {
  const form = readForm(Buffer.from(xml))
  assert.equal(form.kind, 'read', JSON.stringify(form))
  return renderFormJson(aFormChange(overrides), form.root)
}

const json = (xml: string | Buffer, overrides: Partial<FormChange> = {}): Record<string, unknown> =>
  JSON.parse(text(xml, overrides)) as Record<string, unknown>

/** The form of a document as compact JSON: its order counts. */
const formOf = (xml: string): string => JSON.stringify(json(xml)['form'])

test("the guide's form as JSON has every key of the contract, in its order", () => {
  const change = aFormChange()
  assert.deepEqual(Object.entries(json(change.xml)), [
    ['id', 'afcb3026-c4b3-463f-85ec-0cb9a2737fc5'],
    ['domain', 'demo'],
    ['app_id', 'db9f874f0219444ee7848ddd023e292e'],
    ['build_id', null],
    ['type', 'data'],
    ['version', '10'],
    ['uiversion', '1'],
    [
      'form',
      {
        '#type': 'data',
        '@xmlns': 'http://openrosa.org/formdesigner/B9C4EB51-A7CC-49B5-B7D5-10E9F10B450B',
        '@uiVersion': '1',
        '@version': '10',
        '@name': 'Untitled Form',
        question1: 'Trees',
        case: {
          '@xmlns': 'http://commcarehq.org/case/transaction/v2',
          '@case_id': 'b0916685-7247-4c44-b712-633d3d64e0c0',
          '@date_modified': '2015-04-17T16:04:54.950-04',
          '@user_id': 'd0e472a6b36dfd3ee5059222e12b8c1b',
          create: { case_name: 'Trees', owner_id: 'd0e472a6b36dfd3ee5059222e12b8c1b', case_type: 'mscase' },
        },
        meta: {
          '@xmlns': 'http://openrosa.org/jr/xforms',
          deviceID: '990005013558458',
          timeStart: '2015-04-17T16:04:42.383-04',
          timeEnd: '2015-04-17T16:04:54.950-04',
          username: 'danny',
          userID: 'd0e472a6b36dfd3ee5059222e12b8c1b',
          instanceID: 'afcb3026-c4b3-463f-85ec-0cb9a2737fc5',
          appVersion: {
            '@xmlns': 'http://commcarehq.org/xforms',
            '#text':
              'CommCare ODK, version "2.19.8"(350848). App v10. CommCare Version 2.19. Build 1000, built on: January-22-2015',
          },
        },
      },
    ],
    [
      'metadata',
      {
        deviceID: '990005013558458',
        timeStart: '2015-04-17T20:04:42.383000Z',
        timeEnd: '2015-04-17T20:04:54.950000Z',
        username: 'danny',
        userID: 'd0e472a6b36dfd3ee5059222e12b8c1b',
        instanceID: 'afcb3026-c4b3-463f-85ec-0cb9a2737fc5',
        appVersion:
          'CommCare ODK, version "2.19.8"(350848). App v10. CommCare Version 2.19. Build 1000, built on: January-22-2015',
      },
    ],
    ['received_on', '2015-04-17T20:14:34.046462Z'],
    ['edited_on', null],
    ['archived', false],
    ['attachments', {}],
  ])
})

test('what the change says beside the document has its place', () => {
  const document = json('<data/>', {
    appId: null,
    buildId: 'b-9',
    editedOn: instant('2020-01-02T03:04:05Z'),
    attachments: {
      'photo.jpg': { url: 'https://hq.example/p', contentType: 'image/jpeg', length: 7 },
      'form.xml': { url: 'u', contentType: 'text/xml', length: null },
    },
  })
  assert.equal(document['app_id'], null)
  assert.equal(document['build_id'], 'b-9')
  assert.equal(document['edited_on'], '2020-01-02T03:04:05.000000Z')
  assert.deepEqual(document['attachments'], {
    'photo.jpg': { content_type: 'image/jpeg', length: 7, url: 'https://hq.example/p' },
    'form.xml': { content_type: 'text/xml', length: null, url: 'u' },
  })
  assert.deepEqual([document['version'], document['uiversion'], document['metadata']], [null, null, null])
})

test('each shape that XML can have has one shape in JSON', () => {
  const rows: readonly [about: string, xml: string, form: string][] = [
    ['an empty root', '<data/>', '{"#type":"data"}'],
    [
      'an answer is text',
      '<data><a>00123</a><b>true</b><c>1.50</c></data>',
      '{"#type":"data","a":"00123","b":"true","c":"1.50"}',
    ],
    ['an empty element is empty text', '<data><a/><b></b></data>', '{"#type":"data","a":"","b":""}'],
    ['white space that is an answer stays', '<data><a> x </a><b> </b></data>', '{"#type":"data","a":" x ","b":" "}'],
    ['white space between elements goes', '<data>\n  <a>1</a>\n</data>', '{"#type":"data","a":"1"}'],
    ['attributes alone', '<data><a b="1"/></data>', '{"#type":"data","a":{"@b":"1"}}'],
    ['attributes and text', '<data><a b="1">x</a></data>', '{"#type":"data","a":{"@b":"1","#text":"x"}}'],
    ['mixed content', '<data><a>x <b>1</b> y</a></data>', '{"#type":"data","a":{"#text":"x  y","b":"1"}}'],
    ['text of the root', '<data>x</data>', '{"#type":"data","#text":"x"}'],
    [
      'a repeated element',
      '<data><a>1</a><b/><a>2</a><a c="3"/></data>',
      '{"#type":"data","a":["1","2",{"@c":"3"}],"b":""}',
    ],
    ['repeated groups', '<data><g><a>1</a></g><g><a>2</a></g></data>', '{"#type":"data","g":[{"a":"1"},{"a":"2"}]}'],
    ['document order', '<data z="1" y="2"><b/><a/></data>', '{"#type":"data","@z":"1","@y":"2","b":"","a":""}'],
    [
      'a namespace where it begins',
      '<data xmlns="u"><a/><b xmlns="v"><c/></b></data>',
      '{"#type":"data","@xmlns":"u","a":"","b":{"@xmlns":"v","c":""}}',
    ],
    [
      'no namespace within one',
      '<data xmlns="u"><a xmlns="">x</a></data>',
      '{"#type":"data","@xmlns":"u","a":{"@xmlns":"","#text":"x"}}',
    ],
    [
      'prefixes are dropped',
      '<p:data xmlns:p="u" xmlns:q="v"><p:a/><q:b p:c="1"/></p:data>',
      '{"#type":"data","@xmlns":"u","a":"","b":{"@xmlns":"v","@c":"1"}}',
    ],
    [
      'two prefixes, one name',
      '<data xmlns:p="u"><a>1</a><p:a>2</p:a></data>',
      '{"#type":"data","a":["1",{"@xmlns":"u","#text":"2"}]}',
    ],
    ['an unused prefix says nothing', '<data xmlns:p="u"><a/></data>', '{"#type":"data","a":""}'],
    [
      "an element's own attribute comes first",
      '<data xmlns:p="u"><a p:b="1" b="2"/><c b="2" p:b="1"/></data>',
      '{"#type":"data","a":{"@b":"2"},"c":{"@b":"2"}}',
    ],
    ['other alphabets', '<data><名>前😀</名></data>', '{"#type":"data","名":"前😀"}'],
  ]
  for (const [about, xml, form] of rows) assert.equal(formOf(xml), form, about)
})

test('an element called __proto__ is an element like any other', () => {
  const xml = '<data><__proto__><polluted>yes</polluted></__proto__><constructor>c</constructor></data>'
  assert.equal(formOf(xml), '{"#type":"data","__proto__":{"polluted":"yes"},"constructor":"c"}')
  assert.equal(formOf('<data><a __proto__="1"/></data>'), '{"#type":"data","a":{"@__proto__":"1"}}')
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  const meta = json('<data><meta><__proto__>x</__proto__></meta></data>')['metadata']
  assert.equal(JSON.stringify(meta), '{"__proto__":"x"}')
})

test('metadata is what the meta element says in text, with an unreadable instant as it was written', () => {
  const xml =
    '<data><meta><timeStart>today</timeStart><timeEnd>2020-01-01T00:00:00Z</timeEnd><a><b/></a><c/></meta></data>'
  assert.deepEqual(json(xml)['metadata'], { timeStart: 'today', timeEnd: '2020-01-01T00:00:00.000000Z', c: '' })
})

test('an element that is repeated a hundred thousand times is an array as long', () => {
  const { a } = json(`<data>${'<a>1</a>'.repeat(100_000)}</data>`)['form'] as { readonly a: readonly string[] }
  assert.equal(a.length, 100_000)
  assert.deepEqual(new Set(a), new Set(['1']))
})

test('any answer comes back from the JSON as it went into the form', (t) => {
  const answers = fc
    .string({ unit: 'binary' })
    .filter((answer) => !/[\0-\x08\x0b\x0c\x0e-\x1f\p{Cs}\ufffe\uffff]/u.test(answer))
  holdsFor(
    t,
    fc.property(fc.array(answers, { minLength: 2 }), (list) => {
      const asReferences = (answer: string) => Array.from(answer, (one) => `&#${String(one.codePointAt(0))};`).join('')
      const xml = `<data>${list.map((answer) => `<a>${asReferences(answer)}</a>`).join('')}</data>`
      assert.deepEqual(json(xml)['form'], { '#type': 'data', a: list })
    }),
  )
})
