import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readCaseIds } from '../../../services/forwarder/render-payload/read-case-ids.ts'
import { sample } from './changes.ts'
import { holdsFor } from '../../support/property.ts'

const V2 = 'http://commcarehq.org/case/transaction/v2'

function idsIn(xml: string | Buffer): readonly string[] {
  const found = readCaseIds(Buffer.from(xml))
  assert.equal(found.kind, 'read', JSON.stringify(found))
  return found.caseIds
}

test("the guide's form touches one case", () => {
  assert.deepEqual(idsIn(sample('form-trees.xml')), ['b0916685-7247-4c44-b712-633d3d64e0c0'])
})

test('a case is found by its namespace, whatever its prefix, its depth and its version', () => {
  for (const [about, xml] of [
    ['default namespace', `<data><case xmlns="${V2}" case_id="c-1"/></data>`],
    ['a prefix', `<data xmlns:n0="${V2}"><n0:case case_id="c-1"/></data>`],
    ['any depth', `<data xmlns:x="${V2}"><a><b><c><x:case case_id="c-1"><x:update/></x:case></c></b></a></data>`],
    ['the root itself', `<case xmlns="${V2}" case_id="c-1"/>`],
    ['inherited default', `<data xmlns="${V2}"><group><case case_id="c-1"/></group></data>`],
    ['another version', '<data><case xmlns="http://commcarehq.org/case/transaction/v3" case_id="c-1"/></data>'],
    ['a reference in the id', `<data><case xmlns="${V2}" case_id="c&#45;1"/></data>`],
    ['a reference in the namespace', `<data><case xmlns="${V2.replace('v2', '&#118;2')}" case_id='c-1'/></data>`],
    ['no namespace, with a child', '<data><case><case_id>c-1</case_id></case></data>'],
    ['no namespace within a form of one', '<data xmlns="u"><case xmlns=""><case_id>c-1</case_id></case></data>'],
    ["the form's own namespace", '<data xmlns="u"><g><case><x/><case_id>\n c-1 \n</case_id></case></g></data>'],
    ["the form's own namespace by prefix", '<f:data xmlns:f="u"><f:case><f:case_id>c-1</f:case_id></f:case></f:data>'],
  ] as const) {
    assert.deepEqual(idsIn(xml), ['c-1'], about)
  }
})

test('what only looks like a case is none', () => {
  for (const xml of [
    '<data><case case_id="c-1"/></data>',
    '<data><case xmlns="http://example.org/law" case_id="c-1"/></data>',
    '<data xmlns="u"><case xmlns="w"><case_id>c-1</case_id></case></data>',
    '<data><case xmlns="http://commcarehq.org/case/transaction/" case_id="c-1"/></data>',
    '<data><case xmlns="http://commcarehq.org/case/transaction/v2/x" case_id="c-1"/></data>',
    `<data xmlns:n="${V2}"><case n:case_id="c-1"/></data>`,
    `<data xmlns:n="${V2}"><n:case n:case_id="c-1"/></data>`,
    `<data><case xmlns="${V2}"/><case xmlns="${V2}" case_id=""/></data>`,
    `<data><Case xmlns="${V2}" case_id="c-1"/></data>`,
    '<data><case><a><case_id>c-1</case_id></a></case></data>',
    '<data><case><case_id/></case></data>',
    `<data><!-- <case xmlns="${V2}" case_id="c-1"/> --><![CDATA[<case case_id="c-1"/>]]></data>`,
  ]) {
    assert.deepEqual(idsIn(xml), [], xml)
  }
})

test('each case is there once, in document order', () => {
  const xml = `<data xmlns:n="${V2}"><n:case case_id="b"/><g><n:case case_id="a"/></g><n:case case_id="b"/><case><case_id>c</case_id></case></data>`
  assert.deepEqual(idsIn(xml), ['b', 'a', 'c'])
})

test('a document that cannot be read has no case ids but an error', () => {
  assert.deepEqual(readCaseIds(Buffer.from('<data>\n  <case></data>')), {
    kind: 'malformed',
    error: 'line 2, column 9: <case> is closed by </data>',
  })
})

test('cases are found at every depth and under every prefix, in the order of the document', (t) => {
  const place = fc.record({
    id: fc.stringMatching(/^[a-z0-9-]{1,8}$/),
    depth: fc.nat({ max: 20 }),
    prefix: fc.stringMatching(/^[a-w_][a-z0-9_.-]{0,4}$/),
    older: fc.boolean(),
  })
  holdsFor(
    t,
    fc.property(fc.array(place), (places) => {
      const cases = places.map(({ id, depth, prefix, older }) => {
        const one = older
          ? `<case><case_id>${id}</case_id></case>`
          : `<${prefix}:case xmlns:${prefix}="${V2}" case_id="${id}"/>`
        return `${'<g>'.repeat(depth)}${one}${'</g>'.repeat(depth)}`
      })
      assert.deepEqual(idsIn(`<data>${cases.join('noise')}</data>`), [...new Set(places.map(({ id }) => id))])
    }),
  )
})
