/**
 * The table of each resource type, with its columns, indexes and counters. A new type is a row of RESOURCE_TYPES and
 * one migration: the table, its indexes, the columns x1 to x5 for indexes of extension schemas, four counters in
 * `tenants`, and the triggers that maintain them. With `hasSources`, also triggers for `resource_sources`.
 */
import type { ResourceType } from '../../scim/schema/definition.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE, uniqueAttribute } from '../../scim/schema/resource-type.ts'
import { type TenantExtensions, tenantResourceTypes } from '../../scim/schema/tenant-extensions.ts'
import { CISCO_UMBRELLA_GROUP_SCHEMA, CISCO_UMBRELLA_USER_SCHEMA } from '../../scim/urn.ts'
import { LARGE_GROUP_BYTES, LARGE_USER_BYTES } from './large-documents.ts'
import { USER_VALUES, type ValueAttribute } from './user-values.ts'
import type { SearchedTexts, TextPath } from './words.ts'

/** The stored columns of each table of resources; all others but `ownColumns` are generated. */
export const RESOURCE_COLUMNS: readonly string[] = [
  'tenant_id',
  'id',
  'data',
  'keys',
  'version',
  'created_at',
  'last_modified',
  'created_by',
  'modified_by',
]

/** A resource type and the table of its resources. */
export interface StoredResourceType extends ResourceType {
  readonly table: ResourceTable
}

/** A table of resources. All have RESOURCE_COLUMNS. */
export interface ResourceTable {
  readonly name: string
  /** Stored columns that other tables of resources lack. */
  readonly ownColumns: readonly string[]
  /** Attributes with a column of their own, by canonical path. */
  readonly columns: Readonly<Record<string, ResourceColumn>>
  /** Attributes with rows in `user_values`, by canonical path. Undefined if the table has none, or lacks some. */
  readonly values?: Readonly<Record<string, ValueAttribute>> | undefined
  /** The texts whose words are in `search_words`. Undefined if the table has no triggers for them. */
  readonly texts?: SearchedTexts | undefined
  /** Whether `resource_sources` has its resources. */
  readonly hasSources: boolean
  /** The column of the unique attribute, with its table; undefined when the type has none. */
  readonly uniqueColumn?: string | undefined
  readonly counters: Counters
  /** The bytes of an ordinary row with its indexes, for estimates; `npm run bench -- cost` measures them. */
  readonly rowBytes: number
  /** The size above which the index `<name>_by_size` holds a document: LARGE_USER_BYTES at most. */
  readonly largeBytes: number
}

/** Bytes of a block: see `blocks` in directory-tables.ts. */
export const BLOCK_BYTES = 4_096

/** Columns of `tenants` that triggers maintain. */
export interface Counters {
  /** The number of resources. */
  readonly count: string
  /** The sum of their `blocks`: see directory-tables.ts. */
  readonly blocks: string
  /** The sums of their pieces and of their objects: see tenant-tables.ts. */
  readonly pieces: string
  readonly objects: string
}

export interface ResourceColumn {
  /** The column with its table, or a constant. */
  readonly sql: string
  readonly index?: ColumnIndex | undefined
  /** Whether the column is not part of the documents, so that reading it is cheap. */
  readonly isPlain?: boolean | undefined
}

/**
 * What the index of a column finds. Each index begins with the tenant.
 *
 * - "value": a value or a prefix.
 * - "order": also all resources in the order of the column, and equal values in the order of their ids.
 * - "time": as "order", and any range.
 * - "range": any range, in no order of the list; many resources may share one value.
 */
export type ColumnIndex = 'value' | 'order' | 'time' | 'range'

/** The definition of a table: its columns without those that all tables have. */
export interface TableDefinition
  extends Pick<ResourceTable, 'name' | 'values' | 'texts' | 'counters' | 'rowBytes' | 'largeBytes'> {
  readonly columns: Readonly<Record<string, { readonly column: string; readonly index?: ColumnIndex }>>
  readonly ownColumns?: readonly string[]
  /** Whether triggers keep its resources in `resource_sources`. */
  readonly hasSources?: boolean
  /** Whether the table has the index `<name>_by_modified`: the time of the last change, then the id. */
  readonly hasTimeIndex?: boolean
}

/**
 * A resource type with its table.
 *
 * @throws {Error} when the definition is invalid: a name that is not an SQL name, a name attribute without an index,
 *   a unique attribute without a column, or large documents that exceed a page
 */
export function storedType(type: ResourceType, definition: TableDefinition): StoredResourceType {
  const {
    name,
    values,
    texts,
    counters,
    rowBytes,
    largeBytes,
    columns: own,
    ownColumns = [],
    hasTimeIndex = false,
    hasSources = false,
  } = definition
  const names = [
    name,
    ...Object.values(counters),
    ...ownColumns,
    ...Object.values(own).map(({ column }) => column),
  ]
  const unsafe = names.find((one) => !/^[a-z][a-z0-9_]*$/.test(one))
  if (unsafe !== undefined)
    throw new Error(`"${unsafe}" of ${type.name} is not the name of a table or a column`)
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(type.name)) throw new Error(`"${type.name}" is not the name of a type`)
  const columns: Record<string, ResourceColumn> = {
    id: { sql: `${name}.id`, index: 'order', isPlain: true },
    // Every resource has it; its sub-attributes are columns.
    meta: { sql: `'meta'`, isPlain: true },
    'meta.resourceType': { sql: `'${type.name}'`, isPlain: true },
    'meta.created': { sql: `${name}.created_at`, isPlain: true },
    'meta.lastModified': {
      sql: `${name}.last_modified`,
      index: hasTimeIndex ? 'time' : undefined,
      isPlain: true,
    },
    'meta.version': { sql: `('W/"' || ${name}.version || '"')`, isPlain: true },
  }
  for (const [path, { column, index }] of Object.entries(own)) {
    columns[path] = { sql: `${name}.${column}`, index }
  }
  // The dashboard lists resources by their names.
  if (columns[type.nameAttribute]?.index === undefined) {
    throw new Error(`"${type.nameAttribute}" of ${type.name} names resources, and has no index in ${name}`)
  }
  if (largeBytes > LARGE_USER_BYTES) {
    throw new Error(`documents of ${name} are large from ${LARGE_USER_BYTES} bytes on, found ${largeBytes}`)
  }
  const unique = uniqueAttribute(type)?.name
  const uniqueColumn = unique === undefined ? undefined : columns[unique]?.sql
  if (unique !== undefined && uniqueColumn === undefined) {
    throw new Error(`"${unique}" of ${type.name} is unique, and has no column in ${name}`)
  }
  return {
    ...type,
    table: {
      name,
      ownColumns,
      columns,
      values,
      texts,
      hasSources,
      uniqueColumn,
      counters,
      rowBytes,
      largeBytes,
    },
  }
}

/** @param name the beginning of their names */
function countersOf(name: string): Counters {
  return {
    count: `${name}_count`,
    blocks: `${name}_blocks`,
    pieces: `${name}_pieces`,
    objects: `${name}_objects`,
  }
}

/** The e-mail addresses of a user whose words are stored. */
const MAX_WORD_EMAILS = 4

/** Its resources can be members: memberships and their triggers name the table. */
export const USERS_TABLE: TableDefinition = {
  name: 'users',
  columns: {
    userName: { column: 'user_name_key', index: 'order' },
    externalId: { column: 'external_id', index: 'value' },
    displayName: { column: 'display_name_key', index: 'value' },
    active: { column: 'active' },
    [`${CISCO_UMBRELLA_USER_SCHEMA}:nativeObjectId`]: { column: 'native_object_id_key', index: 'value' },
  },
  values: USER_VALUES,
  texts: {
    indexed: [
      ['displayName'],
      ['userName'],
      ['name', 'givenName'],
      ['name', 'familyName'],
      ...Array.from({ length: MAX_WORD_EMAILS }, (_, i): TextPath => ['emails', i, 'value']),
    ],
    others: [
      ['name', 'middleName'],
      ['name', 'formatted'],
    ],
  },
  hasSources: true,
  hasTimeIndex: true,
  counters: countersOf('user'),
  rowBytes: 3_400,
  largeBytes: LARGE_USER_BYTES,
}

/** Its resources have members and can be members: memberships and their triggers name the table. */
export const GROUPS_TABLE: TableDefinition = {
  name: 'groups',
  ownColumns: ['member_count'],
  columns: {
    // Groups may share a name, so the index continues with the id.
    displayName: { column: 'display_name_key', index: 'order' },
    externalId: { column: 'external_id', index: 'value' },
    [`${CISCO_UMBRELLA_GROUP_SCHEMA}:nativeObjectId`]: { column: 'native_object_id_key', index: 'value' },
  },
  texts: { indexed: [['displayName']], others: [] },
  hasSources: true,
  counters: countersOf('group'),
  rowBytes: 1_500,
  largeBytes: LARGE_GROUP_BYTES,
}

/** The shipped types, in the order in which they are listed. */
export const RESOURCE_TYPES: readonly StoredResourceType[] = [
  storedType(USER_RESOURCE_TYPE, USERS_TABLE),
  storedType(GROUP_RESOURCE_TYPE, GROUPS_TABLE),
]

/** The type of that name. @throws {Error} if there is none */
export function typeNamed(types: readonly StoredResourceType[], wanted: string): StoredResourceType {
  const type = types.find(({ name }) => name === wanted)
  if (type === undefined) throw new Error(`there is no resource type "${wanted}"`)
  return type
}

/** The types as a tenant has them while values are missing in `user_values`: no filter may use those that are there. */
export function withoutValues(types: readonly StoredResourceType[]): readonly StoredResourceType[] {
  return types.map((type) => ({ ...type, table: { ...type.table, values: undefined } }))
}

/** The types with the extensions of a tenant and the columns of its indexes. @param types the shipped ones */
export function extendedTypes(
  types: readonly StoredResourceType[],
  extensions: TenantExtensions,
): readonly StoredResourceType[] {
  return tenantResourceTypes(types, extensions).map((type) => {
    const ready = type.indexes.filter(({ isReady }) => isReady)
    if (ready.length === 0) return type
    const { table } = type
    const columns = ready.map(({ path, slot }) => [
      path.join(':'),
      { sql: `${table.name}.${indexColumn(slot)}`, index: 'range' } as const,
    ])
    return { ...type, table: { ...table, columns: { ...table.columns, ...Object.fromEntries(columns) } } }
  })
}

/** The column of an index, which is also the name of its key in the comparison document: see directory-tables.ts. */
export function indexColumn(slot: number): string {
  return `x${slot}`
}
