import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderSchema, strictSchema } from '../../../../deploy/check/schemas/render-schema.ts'

const ref = (name: string) => ({ $ref: `/api/_definitions.json#/$defs/${name}` })

test('a schema comes with the definitions that it needs, and no other', () => {
  const definitions = {
    Inner: { type: 'object', properties: { again: ref('Inner') } },
    Outer: { properties: { inner: ref('Inner') } },
    Unused: { type: 'string' },
  }
  const whole = renderSchema({ properties: { outer: ref('Outer') } }, definitions)
  assert.deepEqual(whole, {
    properties: { outer: { $ref: '#/$defs/Outer' } },
    $defs: {
      Inner: { type: 'object', properties: { again: { $ref: '#/$defs/Inner' } } },
      Outer: { properties: { inner: { $ref: '#/$defs/Inner' } } },
    },
  })
})

test('words for people are left out, a property of that name is not', () => {
  const rendered = renderSchema(
    { description: 'words', $id: 'https://schemas.example', properties: { description: { type: 'string' } } },
    {},
  )
  assert.deepEqual(rendered, { properties: { description: { type: 'string' } }, $defs: {} })
})

test('a reference that leads nowhere is an error', () => {
  assert.throws(() => renderSchema(ref('Gone'), {}), /there is no definition of Gone/)
})

test('what a definition of a kind does not list is refused, at every depth, unless it says otherwise', () => {
  const open = { type: 'object', properties: {}, 'x-kubernetes-preserve-unknown-fields': true }
  const map = { type: 'object', additionalProperties: { type: 'object', properties: { deep: { type: 'string' } } } }
  const strict = strictSchema({ properties: { open, map } })
  assert.deepEqual(strict, {
    properties: {
      open,
      map: {
        type: 'object',
        additionalProperties: { type: 'object', properties: { deep: { type: 'string' } }, additionalProperties: false },
      },
    },
    additionalProperties: false,
  })
})
