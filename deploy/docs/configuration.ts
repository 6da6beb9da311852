// Writes what is generated from the tables of settings and keys: docs/configuration.md and the schemas of the configuration.
// `node deploy/docs/configuration.ts` from the repository; a test fails while a file is not what this would write.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { configurationPage } from './configuration-page.ts'
import { connectionRecordSchema, forwardingSchema, repeaterRecordSchema } from './forwarding-schemas.ts'

export type GeneratedFile = { readonly path: string; readonly text: string }

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))

export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  const schemas = {
    'schemas/forwarding.schema.json': forwardingSchema(),
    'schemas/config-connection.schema.json': connectionRecordSchema(),
    'schemas/config-repeater.schema.json': repeaterRecordSchema(),
  }
  const written = Object.entries(schemas).map(async ([name, schema]) => {
    const path = pathOf(name)
    const style = await resolveConfig(path)
    return { path, text: await format(JSON.stringify(schema), { ...style, filepath: path }) }
  })
  return [{ path: pathOf('docs/configuration.md'), text: configurationPage() }, ...(await Promise.all(written))]
}

if (import.meta.main) {
  for (const { path, text } of await generatedFiles()) writeFileSync(path, text)
}
