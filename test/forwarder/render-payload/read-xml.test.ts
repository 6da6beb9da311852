import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readForm } from '../../../services/forwarder/render-payload/read-form.ts'
import { holdsFor } from '../../support/property.ts'
import { judgeXml } from './judge-xml.ts'

const PREFIXES = ['', 'p', 'q'] as const
const prefix = fc.constantFrom(...PREFIXES)
const name = fc.oneof(
  fc.constantFrom('case', '__proto__', 'constructor', 'é', 'a-b', 'a.b', '_', '\u{10000}', 'ça', 'x\u00b7'),
  fc.stringMatching(/^[a-z_][A-Za-z0-9_.-]{0,4}$/),
)
const space = fc.constantFrom(' ', '\n', '\t ', '\r\n', '\r')
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('&amp;', '&lt;', '&gt;', '&quot;', '&apos;', '&#10;', '&#13;', '&#xE9;', '&#x1F600;', '&amp;lt;'),
      fc.constantFrom('00123', 'true', '1e3', ' ', '\n', '\r\n', '\r', '\t', '😀', 'é', '>', ']] ', '--', '/', '='),
      fc.string({ maxLength: 6 }).map((plain) => plain.replaceAll(/[&<>"'\]]/g, '')),
    ),
    { maxLength: 5 },
  )
  .map((pieces) => pieces.join(''))
const quoted = fc.tuple(fc.constantFrom('"', "'"), text).map(([quote, value]) => `${quote}${value}${quote}`)
const attributes = fc.uniqueArray(fc.record({ prefix, name, quoted, space, around: fc.constantFrom('', ' ', '\n') }), {
  selector: (one) => one.name,
  maxLength: 3,
})
const declarations = fc.uniqueArray(
  fc.record({ prefix, namespace: fc.constantFrom('urn:a', 'urn:b', 'urn:a&amp;b') }),
  {
    selector: (one) => one.prefix,
    maxLength: 2,
  },
)
const cdata = text.map((inner) => `<![CDATA[<${inner}&]]>`)
const comment = text.map((inner) => `<!--${inner.replaceAll('-', '')} <x> & -->`)

/** A document's elements as they are written: with prefixes that are declared, in every way that XML has. */
const { element } = fc.letrec<{ element: string }>((tie) => ({
  element: fc
    .record({
      tag: fc.tuple(prefix, name).map(([of, local]) => (of === '' ? local : `${of}:${local}`)),
      attributes,
      declarations,
      space: fc.constantFrom('', ' ', '\n'),
      content: fc.array(fc.oneof({ depthSize: 'small' }, text, cdata, comment, tie('element')), { maxLength: 4 }),
    })
    .map(({ tag, attributes: own, declarations: declared, space: end, content }) => {
      const written = [
        ...declared.map((one) => ` xmlns${one.prefix === '' ? '' : `:${one.prefix}`}="${one.namespace}"`),
        ...own.map(({ prefix: of, name: local, quoted: value, space: before, around }) => {
          const whole = of === '' ? local : `${of}:${local}`
          return `${before}${whole}${around}=${around}${value}`
        }),
      ].join('')
      const inner = content.join('')
      return inner === '' ? `<${tag}${written}${end}/>` : `<${tag}${written}${end}>${inner}</${tag}${end}>`
    }),
}))
const documents = element.map((inner) => `<root xmlns:p="urn:p" xmlns:q='urn:q'>${inner}</root>`)

test('thousands of documents read as another parser reads them', (t) => {
  holdsFor(
    t,
    fc.property(documents, (document) => {
      const read = readForm(Buffer.from(document))
      assert.equal(read.kind, 'read', JSON.stringify(read))
      assert.deepEqual(read.root, judgeXml(document))
    }),
    5_000,
  )
})
