/**
 * Checks the body, query or form of an administrator's request against a schema of the contract.
 */
import * as v from 'valibot'
import { isComplex } from '../scim/comparison.ts'
import { allowedAt } from './contract/allowed.ts'
import type { SchemaParts } from './contract/schema-parts.ts'
import { AdminError, invalidField } from './errors.ts'

/**
 * @returns the output of the schema: defaults are filled in, unknown fields are left out
 * @throws {AdminError} 400 for the first invalid field; the message has the value found and the values allowed
 */
export function check<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  // valibot accepts an array as an object.
  if (!isComplex(value)) throw new AdminError(400, 'invalid', 'the body must be a JSON object')
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const path = (result.issues[0].path ?? []) as readonly PathItem[]
  const keys = path.map(({ key }) => key)
  const allowed = allowedAt(schema as unknown as SchemaParts, keys)
  throw invalidField(keys.join('.'), allowed, path.at(-1)?.value)
}

interface PathItem {
  readonly key: unknown
  /** The value that was sent, before any transformation by the schema. */
  readonly value: unknown
}
