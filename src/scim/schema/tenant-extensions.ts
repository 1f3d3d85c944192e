/**
 * All extension schemas of a tenant as a value, the changes that an administrator makes, and the resource types that
 * follow. Pure: storage/extensions/ stores it, and changes stored resources accordingly.
 */
import { quote } from '../error.ts'
import {
  MAX_EXTENSION_ATTRIBUTES,
  MAX_EXTENSION_CHARACTERS,
  MAX_EXTENSION_SCHEMAS,
  MAX_INDEXED_ATTRIBUTES,
} from '../limits.ts'
import { type Attribute, type AttributeIndex, attribute, type ResourceType } from './definition.ts'
import { type ExtensionSchema, overlaps } from './extension.ts'
import { SchemaRefused } from './extension-members.ts'
import { extendedType } from './resource-type.ts'

/**
 * "active": clients see the schema. "removed": they do not, and its values are kept. "purging": its values are being
 * deleted, and then the schema is removed from the list.
 */
export type ExtensionState = 'active' | 'removed' | 'purging'

export interface TenantExtension {
  readonly schema: ExtensionSchema
  readonly state: ExtensionState
}

export interface TenantExtensions {
  readonly extensions: readonly TenantExtension[]
  /** Of active extensions. */
  readonly indexes: readonly AttributeIndex[]
}

export const NO_EXTENSIONS: TenantExtensions = { extensions: [], indexes: [] }

/** The extension of that URN, in whatever case it is given. */
export function findExtension(all: TenantExtensions, id: string): TenantExtension | undefined {
  return all.extensions.find(({ schema }) => schema.id.toLowerCase() === id.toLowerCase())
}

/**
 * The extensions with a schema, which is new or takes the place of the one of its URN.
 *
 * @throws {SchemaRefused} when the tenant would have more than it may, or paths would have two meanings
 */
export function withSchema(all: TenantExtensions, schema: ExtensionSchema): TenantExtensions {
  const others = all.extensions.filter((other) => other.schema.id !== schema.id)
  const other = others.find((one) => overlaps(one.schema.id, schema.id))
  if (other !== undefined) {
    const reason = `is ${quote(schema.id)}, which would share paths with the extension "${other.schema.id}"`
    throw new SchemaRefused('id', reason)
  }
  const isNew = others.length === all.extensions.length
  const active: TenantExtension = { schema, state: 'active' }
  const extensions = isNew
    ? [...all.extensions, active]
    : all.extensions.map((one) => (one.schema.id === schema.id ? active : one))
  requireFew(extensions)
  const changed = { extensions, indexes: indexesOf(extensions, all.indexes) }
  const characters = JSON.stringify(encodeExtensions(changed)).length
  if (characters <= MAX_EXTENSION_CHARACTERS) return changed
  throw new SchemaRefused(
    'attributes',
    `make the extensions of the tenant ${characters} characters long, the limit is ${MAX_EXTENSION_CHARACTERS}`,
  )
}

function requireFew(extensions: readonly TenantExtension[]): void {
  const count = extensions.flatMap(({ schema }) => schema.attributes).length
  if (count > MAX_EXTENSION_ATTRIBUTES) {
    throw new SchemaRefused(
      'attributes',
      `would bring the tenant to ${count} extension attributes, including removed schemas; the limit is ${MAX_EXTENSION_ATTRIBUTES}`,
    )
  }
  if (extensions.length > MAX_EXTENSION_SCHEMAS) {
    throw new SchemaRefused(
      'id',
      `would bring the tenant to ${extensions.length} extension schemas, including removed ones; the limit is ${MAX_EXTENSION_SCHEMAS}`,
    )
  }
  const indexed = indexedPaths(extensions).length
  if (indexed <= MAX_INDEXED_ATTRIBUTES) return
  const reason = `give the tenant ${indexed} indexed attributes, the limit is ${MAX_INDEXED_ATTRIBUTES}`
  throw new SchemaRefused('attributes', reason)
}

/** The extensions with one of them in another state. */
export function withState(all: TenantExtensions, id: string, state: ExtensionState): TenantExtensions {
  const extensions = all.extensions.map((one) => (one.schema.id === id ? { ...one, state } : one))
  return { extensions, indexes: indexesOf(extensions, all.indexes) }
}

/** Removes an extension whose values are all deleted. */
export function withoutExtension(all: TenantExtensions, id: string): TenantExtensions {
  return { ...all, extensions: all.extensions.filter(({ schema }) => schema.id !== id) }
}

/** The extensions with an index that holds all that is stored. */
export function withIndexReady(all: TenantExtensions, index: AttributeIndex): TenantExtensions {
  const isIt = (one: AttributeIndex) => one.slot === index.slot && isSamePath(one.path, index.path)
  return { ...all, indexes: all.indexes.map((one) => (isIt(one) ? { ...one, isReady: true } : one)) }
}

/** Whether reads show other values of an extension afterwards, although no resource was written. */
export function changesShownValues(before: TenantExtensions, after: TenantExtensions): boolean {
  return before.extensions.some((one) => {
    const other = findExtension(after, one.schema.id)
    const isHidden = other === undefined || other.state !== 'active'
    return isAnyChanged(
      one.schema.attributes,
      isHidden ? [] : other.schema.attributes,
      one.state === 'active',
    )
  })
}

/** @param areShown whether the attributes were shown before, as far as their own characteristics allowed it */
function isAnyChanged(before: readonly Attribute[], after: readonly Attribute[], areShown: boolean): boolean {
  return before.some(({ name, returned, subAttributes = [] }) => {
    const wasShown = areShown && returned !== 'request'
    const other = after.find((one) => one.name === name && one.returned !== 'request')
    if (other === undefined) return wasShown
    return !wasShown || isAnyChanged(subAttributes, other.subAttributes ?? [], true)
  })
}

function indexedPaths(extensions: readonly TenantExtension[]): readonly AttributeIndex['path'][] {
  return extensions
    .filter(({ state }) => state === 'active')
    .flatMap(({ schema }) =>
      schema.attributes.filter(({ indexed }) => indexed).map(({ name }) => [schema.id, name] as const),
    )
}

/** An attribute keeps its column. A new index is not ready: its column may still hold the keys of another attribute. */
function indexesOf(
  extensions: readonly TenantExtension[],
  before: readonly AttributeIndex[],
): readonly AttributeIndex[] {
  const paths = indexedPaths(extensions)
  const kept = before.filter(({ path }) => paths.some((wanted) => isSamePath(wanted, path)))
  const taken = new Set(kept.map(({ slot }) => slot))
  const free = Array.from({ length: MAX_INDEXED_ATTRIBUTES }, (_, i) => i + 1).filter(
    (slot) => !taken.has(slot),
  )
  const added = paths
    .filter((path) => !kept.some((index) => isSamePath(index.path, path)))
    .map((path, i) => ({ path, slot: free[i] ?? 0, isReady: false }))
  return [...kept, ...added]
}

/** Whether two paths name the same attribute of the same schema. */
export function isSamePath(
  [urnA, nameA]: AttributeIndex['path'],
  [urnB, nameB]: AttributeIndex['path'],
): boolean {
  return urnA === urnB && nameA === nameB
}

/** The resource types of a tenant. @param types those that are shipped */
export function tenantResourceTypes<Type extends ResourceType>(
  types: readonly Type[],
  { extensions, indexes }: TenantExtensions,
): readonly Type[] {
  if (extensions.length === 0) return types
  return types.map((type) => {
    const own = extensions.filter(({ schema }) => schema.resourceType === type.name)
    const inState = (state: ExtensionState) =>
      own.filter((one) => one.state === state).map(({ schema }) => schema)
    return extendedType(type, {
      extensions: inState('active'),
      removed: inState('removed'),
      isPurging: inState('purging').length > 0,
      indexes: indexes.filter(({ path }) => own.some(({ schema }) => schema.id === path[0])),
    })
  })
}

/** Attributes as they are stored: without characteristics that have their default. */
type EncodedAttribute = Omit<Partial<Attribute>, 'subAttributes'> &
  Pick<Attribute, 'name' | 'type' | 'description'> & { readonly subAttributes?: readonly EncodedAttribute[] }

/** As it is stored with the tenant. */
export interface EncodedExtensions {
  readonly extensions: readonly (Omit<ExtensionSchema, 'attributes'> & {
    readonly state: ExtensionState
    readonly attributes: readonly EncodedAttribute[]
  })[]
  readonly indexes: readonly AttributeIndex[]
}

/** Extensions in the form that a database stores. */
export function encodeExtensions({ extensions, indexes }: TenantExtensions): EncodedExtensions {
  return {
    extensions: extensions.map(({ schema, state }) => ({
      ...schema,
      state,
      attributes: schema.attributes.map(encodeAttribute),
    })),
    indexes,
  }
}

/** The reverse of encodeExtensions. */
export function decodeExtensions({ extensions, indexes }: EncodedExtensions): TenantExtensions {
  return {
    extensions: extensions.map(({ state, attributes, ...schema }) => ({
      schema: { ...schema, attributes: attributes.map(decodeAttribute) },
      state,
    })),
    indexes,
  }
}

function encodeAttribute(one: Attribute): EncodedAttribute {
  const { name, type, description, multiValued } = one
  const defaults: Partial<Attribute> = attribute(name, type, description, { multiValued })
  const own = Object.entries(one).filter(([key, value]) =>
    key === 'multiValued' ? multiValued : defaults[key as keyof Attribute] !== value,
  )
  const { subAttributes } = one
  return {
    ...(Object.fromEntries(own) as EncodedAttribute),
    name,
    type,
    description,
    ...(subAttributes && { subAttributes: subAttributes.map(encodeAttribute) }),
  }
}

function decodeAttribute({ name, type, description, subAttributes, ...own }: EncodedAttribute): Attribute {
  const decoded = attribute(name, type, description, own)
  return subAttributes === undefined
    ? decoded
    : { ...decoded, subAttributes: subAttributes.map(decodeAttribute) }
}
