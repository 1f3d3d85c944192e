/**
 * Checks what an administrator sends, in a body, a query or a form, against a schema of the contract.
 */
import * as v from 'valibot'
import { isComplex } from '../scim/comparison.ts'
import { allowedAt } from './contract/allowed.ts'
import type { SchemaParts } from './contract/schema-parts.ts'
import { AdminError, invalidField } from './errors.ts'

/**
 * @returns the value as the schema makes it: with defaults, without fields that it does not know
 * @throws {AdminError} 400 that names the first field that is not as it must be, what was found and what is allowed
 */
export function check<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  // To valibot an array is an object.
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
  /** As it was sent, before the schema changed it. */
  readonly value: unknown
}
