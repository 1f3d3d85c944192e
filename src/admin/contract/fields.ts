/**
 * Fields that several routes share, and metadata of fields for error messages and OpenAPI.
 */
import * as v from 'valibot'
import { MAX_GIVEN_NAME_CHARACTERS } from '../../storage/access/clients.ts'

/** Metadata that a schema cannot express. */
export interface FieldMetadata {
  /** The allowed values, for messages: `"id" must be <allowed>, found …`. Not needed for ranges, picklists and booleans. */
  readonly allowed?: string
  /** JSON Schema keywords that replace or complete the derived ones. */
  readonly jsonSchema?: Readonly<Record<string, unknown>>
  /** The schema of the values, for a value that is checked elsewhere. */
  readonly describedBy?: v.GenericSchema
  /** Names that are allowed besides those of the registered resource types. The handler checks the name. */
  readonly resourceTypeOr?: readonly string[]
}

/** Adds metadata to a schema. */
export function field<Type>(metadata: FieldMetadata) {
  return v.metadata<Type, Record<string, unknown>>({ ...metadata })
}

export const TEXT = v.string()
export const TEXT_OR_NULL = v.nullable(TEXT)
export const COUNT = v.pipe(v.number(), v.integer(), v.minValue(0))
/** The name of a resource type. */
export const RESOURCE_TYPE = v.pipe(v.string(), field({ resourceTypeOr: [] }))
/** A time in an answer: RFC 3339, in UTC. */
export const TIME = v.pipe(v.string(), field({ jsonSchema: { format: 'date-time' } }))
export const TIME_OR_NULL = v.nullable(TIME)

/** A time in a request. The output is in milliseconds since 1970. */
export const TIME_INPUT = v.pipe(
  v.string(),
  v.check((text) => !Number.isNaN(Date.parse(text))),
  v.transform(Date.parse),
  field({ allowed: 'a time such as "2027-01-31T00:00:00Z"', jsonSchema: { format: 'date-time' } }),
)
export const URI = v.pipe(TEXT, field({ jsonSchema: { format: 'uri' } }))

/** A display name, on one line. Leading and trailing spaces are removed. */
export const NAME = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(MAX_GIVEN_NAME_CHARACTERS),
  v.check((text) => text.isWellFormed() && !/\p{Cc}/u.test(text)),
  field({ allowed: `a text of 1 to ${MAX_GIVEN_NAME_CHARACTERS} characters without control characters` }),
)
