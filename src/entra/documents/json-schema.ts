/**
 * A validator for the part of JSON Schema (draft 2020-12) that job-schema.ts uses. Unlike a library's messages ("must
 * match pattern"), its messages tell the author of the file what to write. Pure.
 */
import { describeType, type FieldPath, isObject, type Problems } from '../problem.ts'

interface Described {
  readonly title?: string
  readonly description?: string
}

export interface ObjectSchema extends Described {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>
  readonly additionalProperties: false
}

export interface ListSchema extends Described {
  readonly type: 'array'
  readonly items: JsonSchema
  readonly minItems?: 0 | 1
}

export interface ChoiceSchema extends Described {
  readonly enum: readonly string[]
  readonly default?: string
}

export interface IntegerSchema extends Described {
  readonly type: 'integer'
  readonly minimum: number
  readonly maximum?: number
  readonly default?: number
}

/** Strings must not be empty; an optional field is left out instead. */
export interface StringSchema extends Described {
  readonly type: 'string'
  readonly minLength: 1
  readonly format?: 'uri' | 'email'
}

export interface BooleanSchema extends Described {
  readonly type: 'boolean'
  readonly default?: boolean
}

export interface TextOrNumberSchema extends Described {
  readonly type: readonly ['string', 'number']
}

export type JsonSchema =
  | ObjectSchema
  | ListSchema
  | ChoiceSchema
  | IntegerSchema
  | StringSchema
  | BooleanSchema
  | TextOrNumberSchema

/** Adds a problem for each violation of the schema. */
export function checkValue(value: unknown, schema: JsonSchema, path: FieldPath, problems: Problems): void {
  if (!fits(value, schema))
    problems.add(path, `must be ${describeSchema(schema)}, found ${describeType(value)}`)
  else if (isObject(value)) checkProperties(value, schema as ObjectSchema, path, problems)
  else if (Array.isArray(value)) checkItems(value, schema as ListSchema, path, problems)
}

function checkProperties(
  value: Readonly<Record<string, unknown>>,
  { properties, required = [], dependentRequired = {} }: ObjectSchema,
  path: FieldPath,
  problems: Problems,
): void {
  for (const [name, field] of Object.entries(value)) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (schema !== undefined) checkValue(field, schema, [...path, name], problems)
    else {
      const known = Object.keys(properties).join(', ')
      problems.add([...path, name], `is unknown: expected one of ${known}`)
    }
  }
  for (const name of required) if (value[name] === undefined) problems.add([...path, name], 'is required')
  for (const [name, needed] of Object.entries(dependentRequired)) {
    for (const other of value[name] === undefined ? [] : needed)
      if (value[other] === undefined) problems.add([...path, other], `is required with "${name}"`)
  }
}

function checkItems(
  value: readonly unknown[],
  { items, minItems = 0 }: ListSchema,
  path: FieldPath,
  problems: Problems,
): void {
  if (value.length < minItems) problems.add(path, `must contain at least one ${items.title ?? 'entry'}`)
  for (const [index, item] of value.entries()) checkValue(item, items, [...path, index], problems)
}

/** True if the value has the schema's type; its content is not checked. */
function fits(value: unknown, schema: JsonSchema): boolean {
  if ('enum' in schema) return typeof value === 'string' && schema.enum.includes(value)
  switch (schema.type) {
    case 'object':
      return isObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return (
        typeof value === 'number' &&
        Number.isInteger(value) &&
        value >= schema.minimum &&
        value <= (schema.maximum ?? value)
      )
    case 'string':
      return typeof value === 'string' && value !== ''
    case 'boolean':
      return typeof value === 'boolean'
    default:
      return typeof value === 'string' || typeof value === 'number'
  }
}

/** Describes the allowed values, to follow "must be". */
function describeSchema(schema: JsonSchema): string {
  if ('enum' in schema) {
    return schema.enum.length > MAX_SHORT_CHOICES
      ? `one of ${schema.enum.join(', ')}`
      : schema.enum.map((text) => `"${text}"`).join(' or ')
  }
  switch (schema.type) {
    case 'object':
      return schema.required ? `an object with ${schema.required.map(quote).join(', ')}` : 'an object'
    case 'array':
      return 'a list'
    case 'integer':
      return schema.maximum === undefined
        ? `a whole number, ${schema.minimum} or more`
        : `a whole number from ${schema.minimum} to ${schema.maximum}`
    case 'string':
      return 'a non-empty string'
    case 'boolean':
      return 'true or false'
    default:
      return 'a string or a number'
  }
}

const MAX_SHORT_CHOICES = 4

function quote(text: string): string {
  return `"${text}"`
}
