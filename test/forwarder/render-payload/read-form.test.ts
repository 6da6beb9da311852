import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readForm } from '../../../services/forwarder/render-payload/read-form.ts'
import type { XmlElement } from '../../../services/forwarder/render-payload/xml-element.ts'
import { holdsFor } from '../../support/property.ts'

function read(xml: string | Buffer): XmlElement {
  const form = readForm(Buffer.from(xml))
  assert.equal(form.kind, 'read', JSON.stringify(form))
  return form.root
}

function errorOf(xml: string | Buffer): string {
  const form = readForm(Buffer.from(xml))
  assert.equal(form.kind, 'malformed', String(xml).slice(0, 200))
  return form.error
}

test('what is not well-formed is refused with what is wrong, its line and its column', () => {
  const rows: readonly [string, string][] = [
    ['', 'line 1, column 1: there is no element'],
    [' \n ', 'line 2, column 2: there is no element'],
    ['<?xml version="1.0"?>', 'line 1, column 22: there is no element'],
    ['data', 'line 1, column 1: text outside the root element'],
    ['<a/>x', 'line 1, column 5: text outside the root element'],
    ['<a/>\n&amp;', 'line 2, column 1: text outside the root element'],
    ['<a/><b/>', 'line 1, column 5: <b> is a second root element'],
    ['<a></a><a></a>', 'line 1, column 8: <a> is a second root element'],
    ['<a>\n<b>\n</a>', 'line 3, column 1: <b> is closed by </a>'],
    ['<a><b></B></a>', 'line 1, column 7: <b> is closed by </B>'],
    ['<a></a></a>', 'line 1, column 8: </a> closes nothing'],
    ['<a><b/>', 'line 1, column 1: <a> is never closed'],
    ['<a>\r\n<b>\r<c>\n  text', 'line 3, column 1: <c> is never closed'],
    ['<a', 'line 1, column 3: the tag <a> is malformed here'],
    ['<a b', 'line 1, column 4: the tag <a> is malformed here'],
    ['<a b=1/>', 'line 1, column 4: the tag <a> is malformed here'],
    ['<a b/>', 'line 1, column 4: the tag <a> is malformed here'],
    ['<a b="1"c="2"/>', 'line 1, column 9: the tag <a> is malformed here'],
    ['<a b="1/>', 'line 1, column 4: the tag <a> is malformed here'],
    ['<a b="1" b="2"/>', 'line 1, column 10: attribute "b" is there twice'],
    ['<a xmlns="u" xmlns="v"/>', 'line 1, column 14: attribute "xmlns" is there twice'],
    ['<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>', 'line 1, column 36: attribute "b" is there twice'],
    ['<a b="<"/>', 'line 1, column 7: "<" in an attribute (it is written "&lt;")'],
    ['<a b="1"\n  1c="2"/>', 'line 2, column 3: the tag <a> is malformed here'],
    ['<a/ >', 'line 1, column 3: the tag <a> is malformed here'],
    ['< a/>', 'line 1, column 1: "<" begins no tag (in text it is written "&lt;")'],
    ['<a>1 < 2</a>', 'line 1, column 6: "<" begins no tag (in text it is written "&lt;")'],
    ['<1a/>', 'line 1, column 1: "<" begins no tag (in text it is written "&lt;")'],
    ['<a></a b="1">', 'line 1, column 4: an end tag is malformed'],
    ['<a></ a>', 'line 1, column 4: an end tag is malformed'],
    ['<a></a', 'line 1, column 4: an end tag is malformed'],
    ['<a>]]></a>', 'line 1, column 4: "]]>" in text (it is written "]]&gt;")'],
    ['<a><![CDATA[x</a>', 'line 1, column 4: a CDATA section is never closed'],
    ['<![CDATA[x]]><a/>', 'line 1, column 1: a CDATA section outside the root element'],
    ['<a><!-- x</a>', 'line 1, column 4: a comment is never closed'],
    ['<a><!-- x -- y --></a>', 'line 1, column 11: "--" within a comment'],
    ['<a><!-- x ---></a>', 'line 1, column 11: "--" within a comment'],
    ['<a><!-></a>', 'line 1, column 4: "<!" begins neither a comment nor a CDATA section'],
    ['<a><!ELEMENT b EMPTY></a>', 'line 1, column 4: "<!" begins neither a comment nor a CDATA section'],
    ['<a><?x</a>', 'line 1, column 4: "<?" begins no processing instruction'],
    ['<a><?x y</a>', 'line 1, column 4: a processing instruction is never closed'],
    ['<a><? x?></a>', 'line 1, column 4: "<?" begins no processing instruction'],
    [' <?xml version="1.0"?><a/>', 'line 1, column 2: an XML declaration is accepted only at the very start'],
    ['<a><?XML version="1.0"?></a>', 'line 1, column 4: an XML declaration is accepted only at the very start'],
    ['<?xml?><a/>', 'line 1, column 1: an XML declaration is accepted only at the very start'],
    ['<?xml encoding="UTF-8"?><a/>', 'line 1, column 1: the XML declaration is malformed'],
    ['<?xml version="2.0"?><a/>', 'line 1, column 1: the XML declaration is malformed'],
    ['<?xml version="1.0" standalone="maybe"?><a/>', 'line 1, column 1: the XML declaration is malformed'],
    ['<p:a/>', 'line 1, column 1: prefix "p" is not declared'],
    ['<a><b xmlns:p="u"/><p:c/></a>', 'line 1, column 20: prefix "p" is not declared'],
    ['<a p:b="1"/>', 'line 1, column 4: prefix "p" is not declared'],
    ['<a xmlns:p=""/>', 'line 1, column 4: prefix "p" is declared without a namespace'],
    ['<a xmlns:xmlns="u"/>', 'line 1, column 4: the prefix "xmlns" cannot be declared'],
    ['<a xmlns:xml="u"/>', 'line 1, column 4: prefix "xml" cannot have this namespace'],
    ['<p:a:b xmlns:p="u"/>', 'line 1, column 5: the tag <p:a> is malformed here'],
    ['<a>😀é<b></a>', 'line 1, column 9: <b> is closed by </a>'],
  ]
  for (const [xml, error] of rows) assert.equal(errorOf(xml), error, JSON.stringify(xml))
})

test('a document type declaration is refused, whatever is in it, and opens no file', () => {
  const error = 'a document type declaration is not accepted'
  assert.equal(errorOf('<!DOCTYPE data><data/>'), `line 1, column 1: ${error}`)
  assert.equal(
    errorOf('<?xml version="1.0"?>\n<!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<data>&x;</data>'),
    `line 2, column 1: ${error}`,
  )
  const laughs = ['<!ENTITY a "ha">', ...['b', 'c', 'd'].map((name) => `<!ENTITY ${name} "&a;&a;&a;&a;&a;&a;&a;&a;">`)]
  assert.equal(errorOf(`<!DOCTYPE data [${laughs.join('')}]><data>&d;</data>`), `line 1, column 1: ${error}`)
  assert.equal(errorOf('<data><!DOCTYPE data></data>'), `line 1, column 7: ${error}`)
})

test('an entity that is not one of the five of XML is refused, in text and in attributes', () => {
  for (const [xml, error] of [
    ['<a>&nbsp;</a>', `line 1, column 4: entity "&nbsp;" is not one of XML's five`],
    ['<a>x\n&eacute;</a>', `line 2, column 1: entity "&eacute;" is not one of XML's five`],
    ['<a b="&x;"/>', `line 1, column 7: entity "&x;" is not one of XML's five`],
    ['<a>&AMP;</a>', `line 1, column 4: entity "&AMP;" is not one of XML's five`],
    ['<a>a & b</a>', 'line 1, column 6: "&" begins no reference (it is written "&amp;")'],
    ['<a>&amp</a>', 'line 1, column 4: "&" begins no reference (it is written "&amp;")'],
    ['<a>&#xZ;</a>', 'line 1, column 4: "&" begins no reference (it is written "&amp;")'],
    ['<a>&#;</a>', 'line 1, column 4: "&" begins no reference (it is written "&amp;")'],
    ['<a>&#X41;</a>', 'line 1, column 4: "&" begins no reference (it is written "&amp;")'],
    ['<a>&#0;</a>', 'line 1, column 4: reference to U+0000, which XML 1.0 cannot hold'],
    ['<a>&#x1F;</a>', 'line 1, column 4: reference to U+001F, which XML 1.0 cannot hold'],
    ['<a>&#xD800;</a>', 'line 1, column 4: reference to U+D800, which XML 1.0 cannot hold'],
    ['<a>&#xFFFF;</a>', 'line 1, column 4: reference to U+FFFF, which XML 1.0 cannot hold'],
    ['<a>&#x110000;</a>', 'line 1, column 4: reference to U+110000, which XML 1.0 cannot hold'],
    ['<a b="&#8;"/>', 'line 1, column 7: reference to U+0008, which XML 1.0 cannot hold'],
  ] as const) {
    assert.equal(errorOf(xml), error, xml)
  }
})

test('a character reference and the five entities are read once, and not at all in a CDATA section', () => {
  assert.equal(read('<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;&#10;&amp;lt;&amp;#65;</a>').text, `<>&"'A😀\n&lt;&#65;`)
  assert.equal(read('<a>x<![CDATA[<b>&amp;]] >]]>y<!-- & < -->z<?p it\'s "?>!</a>').text, 'x<b>&amp;]] >yz!')
  assert.equal(read('<a b=" 1\n2\t&#10;&lt; "/>').attributes[0]?.value, ' 1 2 \n< ')
  assert.equal(read('<a>1\r\n2\r3&#13;</a>').text, '1\n2\n3\r')
})

test('bytes that are not UTF-8 are refused where they stand', () => {
  const row = (bytes: number[]) => Buffer.concat([Buffer.from('<a>\né�'), Buffer.from(bytes), Buffer.from('</a>')])
  for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
    assert.equal(errorOf(row(bytes)), 'line 2, column 3: the bytes are not UTF-8')
  }
  const marked = Buffer.concat([Buffer.from('\ufeff<a>'), Buffer.from([0xff]), Buffer.from('</a>')])
  assert.equal(errorOf(marked), 'line 1, column 4: the bytes are not UTF-8')
  assert.match(errorOf(Buffer.from('\ufeff<a/>', 'utf16le')), /^line 1, column 1: the bytes are not UTF-8$/)
})

test('a byte order mark is passed over, and an encoding other than UTF-8 is refused by its name', () => {
  assert.equal(read('\ufeff<?xml version="1.0" encoding="utf-8"?><a>x</a>').text, 'x')
  assert.equal(read(`<?xml version='1.0' ?><a>x</a>`).text, 'x')
  assert.equal(read(`<?xml version="1.1" encoding='US-ASCII' standalone="yes"?>\n<a>x</a>\n`).text, 'x')
  assert.equal(
    errorOf('<?xml version="1.0" encoding="ISO-8859-1"?><a/>'),
    'line 1, column 1: the encoding is ISO-8859-1: only UTF-8 is read',
  )
})

test('a character that XML cannot hold is refused where it stands', () => {
  assert.equal(errorOf('<a>\n\u0000</a>'), 'line 2, column 1: U+0000, which XML 1.0 cannot hold')
  assert.equal(errorOf('<a>x\u000b</a>'), 'line 1, column 5: U+000B, which XML 1.0 cannot hold')
  assert.equal(errorOf('<a b="\uffff"/>'), 'line 1, column 7: U+FFFF, which XML 1.0 cannot hold')
})

test('a hundred levels of elements are read, and one more is refused', () => {
  const nested = (levels: number, leaf = '') => `${'<a>'.repeat(levels)}${leaf}${'</a>'.repeat(levels)}`
  let element: XmlElement | undefined = read(nested(100))
  let levels = 0
  for (; element; element = element.elements[0]) levels += 1
  assert.equal(levels, 100)
  const error = 'line 1, column 301: elements are nested more than 100 levels deep'
  assert.equal(errorOf(nested(101)), error)
  assert.equal(errorOf(nested(1_000)), error)
  assert.equal(errorOf(nested(100, '<b/>')), error, 'an empty element is a level too')
})

test('ten mebibytes are read, and one byte more is refused', () => {
  const document = (bytes: number) => `<a>${'x'.repeat(bytes - 7)}</a>`
  assert.equal(read(document(10 * 1024 * 1024)).text.length, 10 * 1024 * 1024 - 7)
  assert.equal(errorOf(document(10 * 1024 * 1024 + 1)), 'the form has 10485761 bytes; at most 10485760 are read')
})

test('a form of five megabytes is read', () => {
  const question = '<question><answer>00123</answer></question>'
  const root = read(`<data>${question.repeat(Math.ceil(5_000_000 / question.length))}</data>`)
  assert.equal(root.elements.at(-1)?.elements[0]?.text, '00123')
})

test('prefixes are resolved where they hold, and may change their meaning inside', () => {
  const root = read('<p:a xmlns:p="u" xmlns="v"><p:b xmlns:p="w"/><p:c/><d><e xmlns=""/></d><f xml:lang="en"/></p:a>')
  const spaces = (element: XmlElement): string[] => [
    `${element.name} ${element.namespace}`,
    ...element.elements.flatMap(spaces),
  ]
  assert.deepEqual(spaces(root), ['a u', 'b w', 'c u', 'd v', 'e ', 'f v'])
})

test('a name may hold what XML has in names and JavaScript takes for white space', () => {
  const root = read('<a\ufeff b\u1680="1"/>')
  assert.deepEqual([root.name, root.attributes[0]?.name], ['a\ufeff', 'b\u1680'])
})

test('an element may have the name of anything that JavaScript objects have', () => {
  for (const name of [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '__defineGetter__',
  ]) {
    const root = read(`<data><${name} ${name}="1">x</${name}><${name}/></data>`)
    assert.deepEqual(
      root.elements.map((element) => [element.name, element.text]),
      [
        [name, 'x'],
        [name, ''],
      ],
    )
    assert.deepEqual(root.elements[0]?.attributes, [{ name, prefix: undefined, value: '1' }])
  }
})

type Written = {
  readonly name: string
  readonly attributes: Record<string, string>
  readonly content: (Written | string)[]
}

const name = fc.oneof(
  fc.constantFrom('case', '__proto__', 'constructor', 'é', 'xml', 'a-b', 'a.b', '_', '\u{10000}'),
  fc.stringMatching(/^[a-z_][A-Za-z0-9_.-]{0,4}$/),
)
const text = fc
  .oneof(fc.string({ unit: 'binary' }), fc.constantFrom(' ', '\n', '&', '<', ']]>', '"', '00123', 'true', '1e3'))
  .filter((characters) => !/[\0-\x08\x0b-\x1f\p{Cs}\ufffe\uffff]/u.test(characters))
const { element: documents } = fc.letrec<{ element: Written }>((tie) => ({
  element: fc.record({
    name,
    attributes: fc.dictionary(
      name.filter((called) => called !== 'xmlns'),
      text,
      { maxKeys: 3, noNullPrototype: true },
    ),
    content: fc.array(fc.oneof({ depthSize: 'small' }, text, tie('element')), { maxLength: 4 }),
  }),
}))

/** Writes text in one of the ways XML has, chosen by the text itself so that a failure is found again. */
function written(characters: string): string {
  const escaped = characters.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  if (characters.length % 3 === 1) return Array.from(characters, (one) => `&#${String(one.codePointAt(0))};`).join('')
  if (characters.length % 3 === 2 && !characters.includes(']]>')) return `<!-- <x> --><![CDATA[${characters}]]>`
  return `${escaped}<?pi it's > ?>`
}

const render = ({ name: called, attributes, content }: Written): string => {
  const pairs = Object.entries(attributes).map(([key, value]) => {
    const plain = value.replace(/[&<>"\t\n]/g, (one) => `&#${String(one.codePointAt(0))};`)
    return `\n${key} = "${plain}"`
  })
  const inner = content.map((part) => (typeof part === 'string' ? written(part) : render(part))).join('')
  return inner === '' ? `<${called}${pairs.join('')} />` : `<${called}${pairs.join('')} >${inner}</${called}\n>`
}

type Plain = readonly [name: string, attributes: [string, string][], text: string, elements: Plain[]]
const plainOfWritten = ({ name: called, attributes, content }: Written): Plain => [
  called,
  Object.entries(attributes),
  content.filter((part) => typeof part === 'string').join(''),
  content.filter((part) => typeof part !== 'string').map(plainOfWritten),
]
const plainOfRead = (element: XmlElement): Plain => [
  element.name,
  element.attributes.map((attribute) => [attribute.name, attribute.value]),
  element.text,
  element.elements.map(plainOfRead),
]

test('any document comes back as the elements, attributes and texts it was written from', (t) => {
  holdsFor(
    t,
    fc.property(documents, (document) => {
      assert.deepEqual(plainOfRead(read(render(document))), plainOfWritten(document))
    }),
  )
})

test('whatever the bytes are, a form is read or refused, never a throw, and a cut document is always refused', (t) => {
  holdsFor(
    t,
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      assert.match(readForm(Buffer.from(bytes)).kind, /^(read|malformed)$/)
    }),
  )
  const pieces = fc.constantFrom(
    '<',
    '>',
    '/',
    'a',
    ' ',
    '"',
    "'",
    '=',
    '&',
    ';',
    '#',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    ':',
    'xmlns',
    '!',
  )
  holdsFor(
    t,
    fc.property(fc.array(pieces, { maxLength: 30 }), (list) => {
      const form = readForm(Buffer.from(list.join('')))
      if (form.kind === 'malformed') assert.match(form.error, /^line 1, column \d+: /)
    }),
    2_000,
  )
  holdsFor(
    t,
    fc.property(documents, fc.nat(), (document, at) => {
      const whole = render(document)
      assert.equal(
        readForm(
          Buffer.from(
            Array.from(whole)
              .slice(0, at % Array.from(whole).length)
              .join(''),
          ),
        ).kind,
        'malformed',
      )
    }),
  )
})
