// Keeps what avsc drops when it parses a publisher's schema: which longs are instants, and in which unit.
// Enter: what the registry client parsed. Leave: the schema in Avro's own notation. Never: a value; these types decode nothing.
import avro from 'avsc'
import type { AvroType } from './avro-schema.ts'

/** A number that remembers its logical type's name. */
class NamedNumber extends avro.types.LogicalType {
  protected override _fromValue(value: unknown): unknown {
    return value
  }
  protected override _toValue(value: unknown): unknown {
    return value
  }
  protected override _resolve(): undefined {
    return undefined
  }
}

/** Every logical type of an instant that the Avro 1.12 specification names. */
export const LOGICAL_TYPES: Readonly<Record<string, typeof NamedNumber>> = {
  'timestamp-millis': NamedNumber,
  'timestamp-micros': NamedNumber,
  'timestamp-nanos': NamedNumber,
  'local-timestamp-millis': NamedNumber,
  'local-timestamp-micros': NamedNumber,
  'local-timestamp-nanos': NamedNumber,
}

/** @returns the schema with full names, or undefined when it was parsed from something else than Avro */
export function readAvroSchema(parsed: unknown): AvroType | undefined {
  if (!avro.Type.isType(parsed)) return undefined
  // avsc has checked it: its export has the shape of our type, with attributes that we do not look at.
  return (parsed as avro.Type).schema({ exportAttrs: true }) as AvroType
}
