/**
 * Checks the body, query or form of an administrator's request against a schema of the contract.
 */
import * as v from 'valibot'
import { isComplex } from '../scim/comparison.ts'
import { allowedAt } from './contract/allowed.ts'
import type { SchemaParts } from './contract/schema-parts.ts'
import { AdminError, invalidField, unknownField } from './errors.ts'

/**
 * @returns the output of the schema: defaults are filled in
 * @throws {AdminError} 400 for an unknown field, or else for the first invalid one; the message names what is allowed
 */
export function check<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  // valibot accepts an array as an object.
  if (!isComplex(value)) throw new AdminError(400, 'invalid', 'the body must be a JSON object')
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  // A misspelt field is reported before the field that is missing because of it.
  const unknown = result.issues.find(isUnknownField)
  const path = ((unknown ?? result.issues[0]).path ?? []) as readonly PathItem[]
  const keys = path.map(({ key }) => key)
  if (unknown !== undefined) {
    throw unknownField(keys.join('.'), Object.keys((schema as unknown as SchemaParts).entries ?? {}))
  }
  const allowed = allowedAt(schema as unknown as SchemaParts, keys)
  throw invalidField(keys.join('.'), allowed, path.at(-1)?.value)
}

/** valibot also reports a missing field of a strict object under this type, but expects its name there. */
function isUnknownField({ type, expected }: v.BaseIssue<unknown>): boolean {
  return type === 'strict_object' && expected === 'never'
}

interface PathItem {
  readonly key: unknown
  /** The value that was sent, before any transformation by the schema. */
  readonly value: unknown
}
