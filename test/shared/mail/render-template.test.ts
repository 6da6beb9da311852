import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asIs, escapeHtml, readTemplate, TemplateError } from '../../../services/shared/mail/render-template.ts'

test('names, lists, values and their absence', () => {
  const render = readTemplate('t', '{{a}}-{{#b}}[{{c}}{{a}}]{{/b}}{{^d}}none{{/d}}{{#e}}{{item}} {{/e}}', asIs)
  assert.equal(render({ a: 1, b: [{ c: 'x' }, { c: 'y', a: 2 }], e: ['p', 'q'] }), '1-[x1][y2]nonep q ')
  assert.equal(render({ a: '', b: [], d: 'there', e: null }), '-')
})

test('what is put in is escaped, and is no template', () => {
  assert.equal(
    readTemplate('t', '<b>{{a}}</b>', escapeHtml)({ a: `<i a="1" b='2'>&{{a}}` }),
    '<b>&lt;i a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;{{a}}</b>',
  )
})

test('a line with nothing but a mark leaves no empty line', () => {
  assert.equal(readTemplate('t', 'a\n{{#b}}\nb\n{{/b}}\nc\n', asIs)({ b: true }), 'a\nb\nc\n')
})

test('names of the language are not there', () => {
  assert.equal(readTemplate('t', '{{constructor}}{{toString}}', asIs)({}), '')
})

const MISTAKES = ['{{#a}}', '{{/a}}', '{{#a}}{{/b}}', '{{a b}}', '{{}}']
for (const source of MISTAKES) {
  test(`${source} is told with its file`, () => {
    assert.throws(
      () => readTemplate('mail.txt', source, asIs),
      (error) => error instanceof TemplateError && error.message.startsWith('mail.txt: '),
    )
  })
}
