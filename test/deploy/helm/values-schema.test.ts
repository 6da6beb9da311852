// The chart's schema and its values have the same names, and no place takes others.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { CHART } from '../../../deploy/helm/chart-files.ts'
import { REPOSITORY } from '../../../deploy/local/paths.ts'

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
  readonly $defs?: Readonly<Record<string, Schema>>
}

const read = (name: string): string => readFileSync(join(REPOSITORY, CHART, name), 'utf8')
const schema = JSON.parse(read('values.schema.json')) as Schema
const values: unknown = parse(read('values.yaml'))

/** Every place that lists names: `forwarder.autoscaling`. */
function closedPlaces(at: Schema, path: string): readonly (readonly [path: string, schema: Schema])[] {
  const below = Object.entries(at.properties ?? {}).flatMap(([name, part]) => closedPlaces(part, `${path}.${name}`))
  return at.properties === undefined ? below : [[path, at], ...below]
}

/** Names that the schema lists and the values have not, and the other way round, with their places. */
function differences(at: Schema, value: unknown, path: string): readonly string[] {
  // What takes names of somebody else's has no list of them.
  if (at.properties === undefined || typeof value !== 'object' || value === null) return []
  const listed = Object.keys(at.properties)
  const found = Object.keys(value)
  return [
    ...listed.filter((name) => !found.includes(name)).map((name) => `${path}.${name} is in the schema only`),
    ...found.filter((name) => !listed.includes(name)).map((name) => `${path}.${name} is in the values only`),
    ...Object.entries(at.properties).flatMap(([name, part]) =>
      differences(part, (value as Record<string, unknown>)[name], `${path}.${name}`),
    ),
  ]
}

test('every value is in the schema, and the schema has no other', () => {
  const found = differences(schema, values, '')
  // Helm sets it in a chart of charts. Claims of resources are for devices, which nobody has by default.
  const others = found.filter((text) => !/^\.global |\.resources\.claims /.test(text))
  assert.deepEqual(others, [])
  assert.ok(found.includes('.global is in the schema only'), 'the comparison saw nothing')
})

test('a name that is not listed is refused everywhere', () => {
  const places = [
    ...closedPlaces(schema, ''),
    ...Object.entries(schema.$defs ?? {}).flatMap(([name, part]) => closedPlaces(part, name)),
  ]
  for (const [path, place] of places) assert.equal(place.additionalProperties, false, path)
  assert.ok(places.length > 30, `only ${places.length} places were seen`)
})
