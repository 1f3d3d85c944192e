/**
 * Extension schemas that are as costly as the limits allow, and the names by which requests refer to their attributes.
 */
import {
  MAX_ATTRIBUTE_NAME_CHARACTERS,
  MAX_EXTENSION_ATTRIBUTES,
  MAX_EXTENSION_SCHEMAS,
  MAX_INDEXED_ATTRIBUTES,
  MAX_SCHEMA_URN_CHARACTERS,
  MAX_SUB_ATTRIBUTES,
} from '../../../src/scim/limits.ts'
import { type ExtensionSchema, parseExtension } from '../../../src/scim/schema/extension.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import {
  NO_EXTENSIONS,
  type TenantExtensions,
  withIndexReady,
  withSchema,
  withState,
} from '../../../src/scim/schema/tenant-extensions.ts'

type Definition = Readonly<Record<string, unknown>>

const times = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i))

/** A URN of the maximum length. All of them have the same beginning. */
function longUrn(number: number): string {
  const end = `:${String(number).padStart(2, '0')}`
  const start = 'urn:ietf:params:scim:schemas:extension:'
  return `${start}${'Quillfern'.repeat(40)}`.slice(0, MAX_SCHEMA_URN_CHARACTERS - end.length) + end
}

/** A name of the maximum length. */
function longName(number: number): string {
  return `attribute${number}-`.padEnd(MAX_ATTRIBUTE_NAME_CHARACTERS, 'N')
}

const WIDE = 'urn:quillfern:wide:2.0:User'
const COMPLEX_ATTRIBUTES = 8

/** One schema: lists of objects with as many sub-attributes as there may be, and simple attributes. */
const wideSchema: Definition = {
  id: WIDE,
  resourceType: 'User',
  attributes: [
    ...times(COMPLEX_ATTRIBUTES, (i) => ({
      name: `list${i}`,
      type: 'complex',
      multiValued: true,
      subAttributes: times(MAX_SUB_ATTRIBUTES, (k) => ({ name: k === 0 ? 'value' : `sub${k}` })),
    })),
    ...times(MAX_EXTENSION_ATTRIBUTES - COMPLEX_ATTRIBUTES, (i) => ({
      name: `text${i}`,
      ...(i < MAX_INDEXED_ATTRIBUTES ? { indexed: true } : {}),
      ...(i % 3 === 0 ? { caseExact: true } : {}),
      ...(i % 5 === 0 && i >= MAX_INDEXED_ATTRIBUTES ? { multiValued: true } : {}),
      ...(i === 20 ? { returned: 'always' } : {}),
      ...(i === 21 ? { returned: 'request' } : {}),
      ...(i === 22 ? { type: 'dateTime' } : {}),
      ...(i === 23 ? { type: 'decimal' } : {}),
      ...(i === 24 ? { type: 'binary' } : {}),
    })),
  ],
}

/** As many schemas as there may be, with the longest URNs and names. */
const manySchemas: readonly Definition[] = times(MAX_EXTENSION_SCHEMAS, (i) => ({
  id: longUrn(i),
  resourceType: i % 4 === 3 ? 'Group' : 'User',
  attributes: times(2, (k) => ({
    name: longName(k),
    ...(k === 0 && i < MAX_INDEXED_ATTRIBUTES ? { indexed: true } : {}),
    ...(k === 1 ? { multiValued: true } : {}),
    ...(k === 1 && i % 2 === 1 ? { returned: 'request' } : {}),
  })),
}))

function extensionsOf(definitions: readonly Definition[]): TenantExtensions {
  const schemas = definitions.map(
    (one): ExtensionSchema => parseExtension(one, [USER_RESOURCE_TYPE, GROUP_RESOURCE_TYPE]),
  )
  const all = schemas.reduce(withSchema, NO_EXTENSIONS)
  return all.indexes.reduce(withIndexReady, all)
}

/** One schema with as many attributes as there may be. */
export const WIDE_EXTENSION = extensionsOf([wideSchema])
/** As many schemas as there may be. */
export const MANY_EXTENSIONS = extensionsOf(manySchemas)
/** The same, half of which are removed: their values are stored, and left out of answers. */
export const REMOVED_EXTENSIONS = times(MAX_EXTENSION_SCHEMAS / 2, (i) => longUrn(2 * i)).reduce(
  (all, urn) => withState(all, urn, 'removed'),
  MANY_EXTENSIONS,
)

/** Values of all attributes of the extensions of a type, as stored. @param elements of each list */
export function extensionValues(
  { extensions }: TenantExtensions,
  resourceType: string,
  elements: number,
  text: (i: number) => string,
): Readonly<Record<string, unknown>> {
  const simple = (type: string, i: number) =>
    type === 'dateTime'
      ? '2026-01-01T00:00:00Z'
      : type === 'decimal'
        ? i
        : type === 'binary'
          ? 'AAAA'
          : text(i)
  const own = extensions.filter(({ schema }) => schema.resourceType === resourceType)
  return Object.fromEntries(
    own.map(({ schema }) => [
      schema.id,
      Object.fromEntries(
        schema.attributes.map(({ name, type, multiValued, subAttributes = [] }) => {
          const one = (i: number) =>
            subAttributes.length === 0
              ? simple(type, i)
              : Object.fromEntries(subAttributes.map((sub, k) => [sub.name, text(i * 100 + k)]))
          return [name, multiValued ? times(elements, one) : one(0)]
        }),
      ),
    ]),
  )
}

/** URNs that requests name: known ones in several spellings, and unknown ones that begin like them. */
export const EXTENSION_URNS: readonly string[] = [
  WIDE,
  WIDE.toUpperCase(),
  longUrn(0),
  longUrn(3),
  longUrn(19).toUpperCase(),
  `${longUrn(1)}x`,
]

/** Paths of attributes of the extensions. */
export const EXTENSION_PATHS: readonly string[] = [
  `${WIDE}:list0`,
  `${WIDE}:list7.value`,
  `${WIDE}:list3.sub19`,
  `${WIDE}:text0`,
  `${WIDE}:text4`,
  `${WIDE}:text10`,
  `${WIDE}:text20`,
  `${WIDE}:text21`,
  `${WIDE}:text22`,
  `${WIDE}:text23`,
  `${WIDE}:text24`,
  `${WIDE}:nothing`,
  ...[0, 1, 3, 18].flatMap((i) => [`${longUrn(i)}:${longName(0)}`, `${longUrn(i)}:${longName(1)}`]),
  `${longUrn(2)}:${longName(0)}`.toUpperCase(),
  `${longUrn(4)}:nothing`,
]

/** Lists of objects in the wide schema, which value paths select from. */
export const EXTENSION_LISTS: readonly string[] = times(3, (i) => `${WIDE}:list${i}`)
