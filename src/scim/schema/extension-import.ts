/**
 * Imports extension schemas from the /Schemas response of another service provider (RFC 7644 §4) or from the attribute
 * list of an Entra application. Shipped schemas are skipped.
 */
import { type Complex, isComplex } from '../comparison.ts'
import { kindOf, quote } from '../error.ts'
import { MAX_EXTENSION_SCHEMAS } from '../limits.ts'
import { LIST_RESPONSE } from '../urn.ts'
import type { ResourceType } from './definition.ts'
import { type ExtensionOptions, type ExtensionSchema, parseExtension } from './extension.ts'
import { SchemaRefused } from './extension-members.ts'
import { findAttribute } from './lookup.ts'

export type ImportOptions = Pick<ExtensionOptions, 'resourceType' | 'resourceTypeHint'>

export interface ImportedExtensions {
  readonly schemas: readonly ExtensionSchema[]
  /** Messages for the administrator about everything that was left out, and about names to change in Entra. */
  readonly notes: readonly string[]
}

/**
 * Reads a ListResponse of schemas, one schema, Entra's attribute list, or Entra's synchronization schema as shown by
 * Microsoft Graph and *Review your schema here*.
 *
 * @param types the shipped resource types
 * @param options the resource type for schemas that do not name theirs, and the hint if it is missing
 * @throws {SchemaRefused} with the position of the schema: `Resources[2].attributes[0].type`
 */
export function importExtensions(
  body: unknown,
  types: readonly ResourceType[],
  options: ImportOptions = {},
): ImportedExtensions {
  const lists = entraLists(body)
  if (lists !== undefined) return fromEntra(lists, types, options)
  const schemas = schemasIn(body)
  const shipped = new Set(
    types.flatMap((type) => [type.schema, ...type.extensions]).map(({ id }) => id.toLowerCase()),
  )
  const own = schemas.filter(({ schema }) => !isShipped(schema, shipped))
  requireSome(own.length, 'no extension schemas other than built-in ones')
  return {
    schemas: own.map(({ schema, at }) =>
      within(at, () => parseExtension(schema, types, { ...options, isForeign: true })),
    ),
    notes:
      schemas.length > own.length ? [`${schemas.length - own.length} built-in schemas were skipped`] : [],
  }
}

interface Placed {
  readonly schema: unknown
  /** The path of the schema in the document; empty for the document itself. */
  readonly at: string
}

function schemasIn(body: unknown): readonly Placed[] {
  if (!isComplex(body))
    throw new SchemaRefused('body', `must be a JSON object or array, found ${kindOf(body)}`)
  const resources = memberOf(body, 'Resources')
  if (resources === undefined) return [{ schema: body, at: '' }]
  if (!Array.isArray(resources)) {
    throw new SchemaRefused(
      'Resources',
      `must be an array as in a "${LIST_RESPONSE}", found ${kindOf(resources)}`,
    )
  }
  return resources.map((schema, i) => ({ schema, at: `Resources[${i}]` }))
}

/** Schemas in the core namespaces are not extensions: User, Group and the discovery schemas. */
function isShipped(schema: unknown, shipped: ReadonlySet<string>): boolean {
  const id = isComplex(schema) ? (textOf(schema, 'id') ?? '').toLowerCase() : ''
  return shipped.has(id) || /^urn:ietf:params:scim:(?:schemas:core|api):/.test(id)
}

function requireSome(count: number, what: string): void {
  if (count === 0) throw new SchemaRefused('body', `has ${what}`)
  if (count <= MAX_EXTENSION_SCHEMAS) return
  throw new SchemaRefused('body', `has ${count} extension schemas, the limit is ${MAX_EXTENSION_SCHEMAS}`)
}

function within<Result>(at: string, run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof SchemaRefused) || at === '') throw error
    throw new SchemaRefused(`${at}.${error.field}`, error.message.slice(`"${error.field}" `.length))
  }
}

/** The attributes of one object type of an Entra application. */
interface EntraList {
  readonly attributes: readonly unknown[]
  /** "User" or "Group"; undefined if the document is only a list. */
  readonly object: string | undefined
}

/**
 * Recognises the documents of Entra: an array of names or attribute definitions, an object definition, or a
 * synchronization schema with directories.
 *
 * @returns undefined for any other document
 * @see https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema
 */
function entraLists(body: unknown): readonly EntraList[] | undefined {
  if (Array.isArray(body)) return [{ attributes: body, object: undefined }]
  if (!isComplex(body)) return undefined
  const directories = memberOf(body, 'directories')
  if (Array.isArray(directories)) return directories.filter(isComplex).flatMap(objectsOf)
  const objects = objectsOf(body)
  if (objects.length > 0) return objects
  const { attributes, name, schemas, id } = body
  const isDefinition = Array.isArray(attributes) && schemas === undefined && id === undefined
  return isDefinition ? [{ attributes, object: typeof name === 'string' ? name : undefined }] : undefined
}

function objectsOf(directory: Complex): readonly EntraList[] {
  const objects = memberOf(directory, 'objects')
  if (!Array.isArray(objects)) return []
  return objects.filter(isComplex).flatMap((object) => {
    const attributes = memberOf(object, 'attributes')
    return Array.isArray(attributes) ? [{ attributes, object: textOf(object, 'name') }] : []
  })
}

/**
 * The name of an extension attribute in Entra's list:
 *
 *   urn:ietf:params:scim:schemas:extension:acme:2.0:User:level
 *   ^ schema                                            ^ attribute
 *
 * Earlier documentation has `…:acme:2.0:User.level`. Both forms are accepted.
 *
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes
 */
const ENTRA_NAME =
  /^(?<schema>urn:.+?)(?::(?!(?:User|Group)\.)(?<name>[^:.]+)(?:\.(?<sub>[^:.]+))?|(?<=:(?:User|Group))\.(?<old>[^:.]+))$/i

/** The types of RFC 7643, by the lower-case values of Microsoft Graph's attributeType. */
const ENTRA_TYPES: ReadonlyMap<string, string> = new Map([
  ['string', 'string'],
  ['integer', 'integer'],
  ['boolean', 'boolean'],
  ['datetime', 'dateTime'],
  ['reference', 'reference'],
  ['binary', 'binary'],
])

function fromEntra(
  lists: readonly EntraList[],
  types: readonly ResourceType[],
  { resourceType, resourceTypeHint }: ImportOptions,
): ImportedExtensions {
  const schemas = new Map<
    string,
    { id: string; object: string | undefined; attributes: Map<string, Complex> }
  >()
  const notes = new Set<string>()
  const builtIn = new Set<string>()
  const withoutUrn = new Set<string>()
  for (const { attributes, object } of lists) {
    for (const listed of attributes) {
      const entry = isComplex(listed) ? listed : { name: listed }
      const full = textOf(entry, 'name') ?? ''
      const { schema, name, sub, old } = ENTRA_NAME.exec(full)?.groups ?? {}
      if (schema === undefined) {
        ;(isCoreAttribute(full, types) ? builtIn : withoutUrn).add(full)
        continue
      }
      if (isOfShipped(schema, types)) {
        builtIn.add(full)
        continue
      }
      const key = schema.toLowerCase()
      const found = schemas.get(key) ?? { id: schema, object, attributes: new Map() }
      schemas.set(key, found)
      addAttribute(found.attributes, name ?? old ?? '', sub, entry)
      if (old !== undefined) {
        notes.add(`in Entra's attribute list, replace "${schema}.${old}" by "${schema}:${old}"`)
      }
    }
  }
  requireSome(
    schemas.size,
    'no extension attributes, such as "urn:ietf:params:scim:schemas:extension:…:2.0:User:…"',
  )
  const parsed = Array.from(schemas.values(), ({ id, object, attributes }) =>
    within(id, () =>
      parseExtension({ id, attributes: [...attributes.values()] }, types, {
        resourceType: typeNamed(object, types) ?? (endsInType(id, types) ? undefined : resourceType),
        resourceTypeHint,
      }),
    ),
  )
  return {
    schemas: parsed,
    notes: [
      ...notes,
      ...leftOut('built-in attributes', builtIn),
      ...leftOut('names without the URN of an extension schema', withoutUrn),
    ],
  }
}

/** The most names in one note: the list of an application can have hundreds. */
const MAX_NAMES_IN_NOTE = 20

function leftOut(what: string, names: ReadonlySet<string>): readonly string[] {
  if (names.size === 0) return []
  const listed = [...names].slice(0, MAX_NAMES_IN_NOTE).map(quote).join(', ')
  const more = names.size > MAX_NAMES_IN_NOTE ? ` and ${names.size - MAX_NAMES_IN_NOTE} more` : ''
  return [`left out, ${what}: ${listed}${more}`]
}

/** True for a name such as `userName`, `name.givenName` or `emails[type eq "work"].value`. */
function isCoreAttribute(name: string, types: readonly ResourceType[]): boolean {
  const first = /^[^.[]*/.exec(name)?.[0] ?? ''
  return types.some(({ attributes }) => findAttribute(attributes, first) !== undefined)
}

function isOfShipped(schema: string, types: readonly ResourceType[]): boolean {
  const lower = schema.toLowerCase()
  return types
    .flatMap((type) => [type.schema, ...type.extensions])
    .some(({ id }) => id.toLowerCase() === lower)
}

/** Entra has two names for an object type: "User" and "urn:ietf:params:scim:schemas:core:2.0:User". */
function typeNamed(object: string | undefined, types: readonly ResourceType[]): string | undefined {
  const last = object?.slice(object.lastIndexOf(':') + 1).toLowerCase()
  return types.find(({ name }) => name.toLowerCase() === last)?.name
}

function endsInType(id: string, types: readonly ResourceType[]): boolean {
  return typeNamed(id, types) !== undefined
}

/** A name with a dot is a sub-attribute. Entra lists a complex attribute only by its sub-attributes. */
function addAttribute(
  attributes: Map<string, Complex>,
  name: string,
  sub: string | undefined,
  entry: Complex,
): void {
  const key = name.toLowerCase()
  if (sub === undefined) {
    if (!attributes.has(key)) attributes.set(key, definitionOf(name, entry))
    return
  }
  const complex = attributes.get(key) ?? { name, type: 'complex' }
  attributes.set(key, complex)
  if (Array.isArray(complex.subAttributes)) complex.subAttributes.push(definitionOf(sub, entry))
  else complex.subAttributes = [definitionOf(sub, entry)]
}

/** Entra's `required` and `anchor` concern its mapping and matching, so they are not imported. */
function definitionOf(name: string, entry: Complex): Complex {
  const stated = textOf(entry, 'type')
  const type = stated === undefined ? 'string' : (ENTRA_TYPES.get(stated.toLowerCase()) ?? stated)
  const mutability = memberOf(entry, 'mutability') ?? 'readWrite'
  const isText = type === 'string' || type === 'reference'
  return {
    name,
    type,
    multiValued: memberOf(entry, 'multivalued') ?? memberOf(entry, 'multiValued') ?? false,
    mutability:
      typeof mutability === 'string' ? mutability.charAt(0).toLowerCase() + mutability.slice(1) : mutability,
    ...(isText && { caseExact: memberOf(entry, 'caseExact') ?? false }),
  }
}

/** The member with that name, regardless of case. */
function memberOf(object: Complex, name: string): unknown {
  const key = Object.keys(object).find((candidate) => candidate.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : object[key]
}

/** A member that is a string. @returns undefined for other types */
function textOf(object: Complex, name: string): string | undefined {
  const value = memberOf(object, name)
  return typeof value === 'string' ? value : undefined
}
