// The tables of keys → JSON Schemas (draft 2020-12) of the forwarding file and of the records it becomes. Pure.
import { AUTH_TYPES, SIGNING_KEYS, SUCCESS_KEYS, TLS_KEYS } from '../../services/shared/forwarding/auth-keys.ts'
import {
  CONNECTION_KEYS,
  FILE_KEYS,
  FILTER_KEYS,
  FORWARDS,
  LIMITS_KEYS,
  REPEATER_KEYS,
  type JsonSchema,
  type Keys,
} from '../../services/shared/forwarding/forwarding-keys.ts'

const DRAFT = 'https://json-schema.org/draft/2020-12/schema'

export const forwardingSchema = (): JsonSchema => ({
  $schema: DRAFT,
  $id: 'https://onward.example/schemas/forwarding.schema.json',
  title: 'Onward forwarding file',
  description:
    'The connections and repeaters of one project. onward apply checks more than a schema can say. Generated from the code.',
  ...objectOf(FILE_KEYS),
  $defs: {
    connection: { description: 'A remote API.', ...objectOf(CONNECTION_KEYS) },
    repeater: { description: 'Which changes go to which connection, as which payload.', ...repeater() },
    ...parts(),
  },
})

export const connectionRecordSchema = (): JsonSchema => ({
  $schema: DRAFT,
  $id: 'https://onward.example/schemas/config-connection.schema.json',
  title: 'Record of a connection',
  description:
    'Value of the key connection/<project>/<id> in the topic onward.config: the connection with every default written out. Secrets are references. Generated from the code.',
  ...recordOf(
    objectOf(CONNECTION_KEYS),
    Object.keys(CONNECTION_KEYS).filter((name) => !['tls', 'signing', 'successWhen'].includes(name)),
  ),
  $defs: connectionParts(),
})

export const repeaterRecordSchema = (): JsonSchema => ({
  $schema: DRAFT,
  $id: 'https://onward.example/schemas/config-repeater.schema.json',
  title: 'Record of a repeater',
  description:
    'Value of the key repeater/<project>/<id> in the topic onward.config: the repeater with every default written out, without keys that do nothing for what it forwards. Generated from the code.',
  ...recordOf(repeater(), ['id', 'connection', 'forward', 'method', 'supersede', 'onDeadLetter']),
  $defs: { filters: parts().filters },
})

const connectionParts = () => ({
  auth: { description: CONNECTION_KEYS.auth.description, oneOf: Object.entries(AUTH_TYPES).map(authOf) },
  limits: { description: CONNECTION_KEYS.limits.description, ...objectOf(LIMITS_KEYS) },
  tls: { description: CONNECTION_KEYS.tls.description, ...objectOf(TLS_KEYS), ...TLS_RULES },
  signing: { description: CONNECTION_KEYS.signing.description, ...objectOf(SIGNING_KEYS) },
  successWhen: { description: CONNECTION_KEYS.successWhen.description, ...objectOf(SUCCESS_KEYS), ...SUCCESS_RULES },
})

const TLS_RULES: JsonSchema = { dependentRequired: { cert: ['key'], key: ['cert'], keyPassphrase: ['key'] } }
const SUCCESS_RULES: JsonSchema = {
  oneOf: [{ required: ['json'] }, { required: ['text'] }],
  dependentRequired: { equals: ['json'] },
  not: { required: ['equals', 'exists'] },
}

const parts = () => ({
  ...connectionParts(),
  filters: { description: REPEATER_KEYS.filters.description, ...objectOf(FILTER_KEYS) },
})

const authOf = ([type, keys]: [string, Keys]): JsonSchema => ({
  ...objectOf({ type: { description: 'The scheme.', schema: { const: type }, required: true }, ...keys }),
  ...('tokenSecret' in keys ? { dependentRequired: { token: ['tokenSecret'], tokenSecret: ['token'] } } : {}),
})

/** A key that does nothing for what the repeater forwards is refused. */
const repeater = (): JsonSchema & { readonly properties: JsonSchema } => {
  const keys: Keys = REPEATER_KEYS
  return {
    ...objectOf(keys),
    allOf: Object.entries(keys).flatMap(([name, { for: kinds }]) => {
      if (kinds === undefined) return []
      const others = FORWARDS.filter((forward) => !kinds.includes(forward))
      return [
        {
          if: { properties: { forward: { enum: others } }, required: ['forward'] },
          then: { properties: { [name]: false } },
        },
      ]
    }),
  }
}

const objectOf = (keys: Keys) => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, propertyOf(key)])),
  required: Object.entries(keys).flatMap(([name, { required }]) => (required ? [name] : [])),
  additionalProperties: false,
})

function propertyOf({ description, schema, default: otherwise }: Keys[string]): JsonSchema {
  // A default that is written as YAML is told by the description of what it refers to.
  const isPlain = otherwise !== undefined && !String(otherwise).startsWith('{')
  return { description, ...schema, ...(isPlain ? { default: otherwise } : {}) }
}

const recordOf = (
  definition: JsonSchema & { readonly properties: JsonSchema },
  required: readonly string[],
): JsonSchema => ({
  ...definition,
  properties: {
    project: { description: FILE_KEYS.project.description, ...FILE_KEYS.project.schema },
    ...definition.properties,
  },
  required: ['project', ...required],
})
