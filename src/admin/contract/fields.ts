/**
 * Fields that several routes share, and what messages and OpenAPI say of a field beyond its schema.
 */
import * as v from 'valibot'

/** What a schema cannot say of itself. */
export interface FieldMetadata {
  /** What is allowed, for messages: `"id" must be <allowed>, found …`. Ranges, choices and booleans need none. */
  readonly allowed?: string
  /** Keywords of JSON Schema that replace or complete those that follow from the schema. */
  readonly jsonSchema?: Readonly<Record<string, unknown>>
}

/** What messages and OpenAPI say of a field. */
export function field<Type>(metadata: FieldMetadata) {
  return v.metadata<Type, Record<string, unknown>>({ ...metadata })
}

export const TEXT = v.string()
export const TEXT_OR_NULL = v.nullable(TEXT)
export const COUNT = v.pipe(v.number(), v.integer(), v.minValue(0))
/** A time of an answer, RFC 3339 in UTC. */
export const TIME = v.pipe(v.string(), field({ jsonSchema: { format: 'date-time' } }))
export const TIME_OR_NULL = v.nullable(TIME)

const MAX_NAME_CHARACTERS = 100

/** A name in an export: earlier versions took some that are not one line. */
export const EXPORTED_NAME = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(MAX_NAME_CHARACTERS),
  v.check((text) => text.isWellFormed()),
)

/** A name that people read, on one line: without spaces around it. */
export const NAME = v.pipe(
  ...EXPORTED_NAME.pipe,
  v.check((text) => !/\p{Cc}/u.test(text)),
  field({ allowed: `a text of 1 to ${MAX_NAME_CHARACTERS} characters without control characters` }),
)
