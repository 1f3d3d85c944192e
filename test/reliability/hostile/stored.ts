/**
 * Hostile stored data: long values, many elements, groups that contain each other, long logs. Much of it can no longer
 * be sent, but a version without today's limits may have stored it. Each kind has a tenant, which is written by SQL
 * into a database file that no server has open.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { type Complex, comparisonDocument, isComplex } from '../../../src/scim/comparison.ts'
import { MAX_NESTED_MEMBERSHIPS } from '../../../src/scim/limits.ts'
import type { ProfileName } from '../../../src/scim/profile.ts'
import type { ResourceType } from '../../../src/scim/schema/definition.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import {
  encodeExtensions,
  NO_EXTENSIONS,
  type TenantExtensions,
  tenantResourceTypes,
} from '../../../src/scim/schema/tenant-extensions.ts'
import { migrate } from '../../../src/sqlite/migrations.ts'
import { openFile } from '../../../src/sqlite/open.ts'
import { indexColumn } from '../../../src/storage/tables/resource-tables.ts'
import { MIGRATIONS } from '../../support/migrations.ts'
import { extensionValues, MANY_EXTENSIONS, REMOVED_EXTENSIONS, WIDE_EXTENSION } from './schemas.ts'

/** A tenant, and the tokens of its client. */
export interface StoredTenant {
  readonly id: string
  readonly token: string
  readonly readToken: string
}

/** By kind. */
export type StoredTenants = Readonly<Record<StoredKind, StoredTenant>>

export type StoredKind = keyof typeof KINDS

/** The amount of data. The benchmark uses `1`, tests use less. */
export type Scale = number

const TIME = Date.UTC(2026, 0, 1)

/** The users whose data is hostile have the first numbers. */
export const HOSTILE_USERS = 12

/** Users and groups are numbered from 1 in each tenant. */
export function userId(number: number): string {
  return `01900000-0000-7000-8000-1${String(number).padStart(11, '0')}`
}

export function groupId(number: number): string {
  return `01900000-0000-7000-8000-2${String(number).padStart(11, '0')}`
}

type Member = readonly [id: string, type: 'User' | 'Group']

interface Writer {
  /** Before the first resource. */
  configure(profile: ProfileName, extensions: TenantExtensions): void
  user(number: number, resource: Complex): void
  /** Groups with the given members. */
  groups(members: readonly (readonly Member[])[]): void
  refusedWrites(count: number): void
}

const person = (number: number, more: Complex = {}): Complex => ({
  userName: `person-${number}@quillfern.example`,
  externalId: `person-${number}`,
  active: true,
  displayName: `Given person-${number}`,
  name: { givenName: 'Given', familyName: `person-${number}` },
  emails: [{ type: 'work', value: `person-${number}@quillfern.example`, primary: true }],
  ...more,
})

/**
 * A tenant with a profile and extensions. The first users are as large as a row may be: one with few long values of each
 * attribute, one with long lists. The others have every attribute, and are many.
 */
function configured(profile: ProfileName, extensions: TenantExtensions) {
  return (write: Writer, scale: Scale) => {
    write.configure(profile, extensions)
    const values = (elements: number, text: (i: number) => string) =>
      extensionValues(extensions, 'User', Math.max(1, Math.ceil(elements * scale)), text)
    const emails = (count: number) =>
      Array.from({ length: Math.ceil(count * scale) }, (_, i) => ({ type: `t${i}`, value: `${i}@x.example` }))
    write.user(1, person(1, { emails: emails(1_000), ...values(60, (i) => `é${i}`) }))
    write.user(2, person(2, { roles: emails(1_000), ...values(2, (i) => `${'ΐ'.repeat(500)}${i}`) }))
    write.user(3, person(3, { emails: emails(12_000) }))
    const users = Math.ceil(2_000 * scale)
    for (let i = 4; i <= users; i++)
      write.user(
        i,
        person(
          i,
          values(1, (k) => `value ${k} of ${i}`),
        ),
      )
    const everybody = Array.from({ length: users }, (_, i): Member => [userId(i + 1), 'User'])
    write.groups([everybody, everybody, [], ...everybody.slice(0, 100).map((one) => [one])])
  }
}

/** The data of each kind of tenant. */
const KINDS = {
  'an ordinary tenant': (write: Writer, scale: Scale) => {
    for (let i = 1; i <= Math.ceil(200 * scale); i++) write.user(i, person(i))
    write.groups([Array.from({ length: Math.ceil(200 * scale) }, (_, i) => [userId(i + 1), 'User'])])
  },
  'long values': (write: Writer, scale: Scale) => {
    const long = (character: string, length: number) => character.repeat(Math.ceil(length * scale))
    write.user(1, person(1, { emails: [{ type: 'work', value: long('é', 300_000) }] }))
    write.user(2, person(2, { title: long('t', 800_000) }))
    write.user(3, person(3, { title: long('\u0301\u0316', 150_000) }))
    for (let i = 4; i <= 12; i++) write.user(i, person(i, { title: `${long('a', 130_000)}${i}` }))
  },
  'many elements': (write: Writer, scale: Scale) => {
    const emails = Array.from({ length: Math.ceil(12_000 * scale) }, (_, i) => ({
      type: `é${i}`,
      value: `é${i}@quillfern.example`,
    }))
    write.user(1, person(1, { emails }))
    write.user(2, person(2, { addresses: emails.map(({ type, value }) => ({ type, streetAddress: value })) }))
  },
  'nested groups': (write: Writer, scale: Scale) => {
    const [groups, users] = [Math.ceil(200 * scale), Math.ceil(1_000 * scale)]
    for (let i = 1; i <= users; i++) write.user(i, person(i))
    // The maximum number of groups, each of which contains all others.
    const nested = (group: number) =>
      Array.from(
        { length: Math.min(groups, Math.floor(MAX_NESTED_MEMBERSHIPS / groups)) },
        (_, i): Member => [groupId(1 + ((group + i + 1) % groups)), 'Group'],
      )
    const membersOf = (group: number) =>
      Array.from({ length: users / 10 }, (_, i): Member => [userId(1 + ((group * 7 + i) % users)), 'User'])
    write.groups(Array.from({ length: groups }, (_, group) => [...nested(group), ...membersOf(group)]))
  },
  'many users': (write: Writer, scale: Scale) => {
    for (let i = 1; i <= Math.ceil(50_000 * scale); i++) write.user(i, person(i))
    write.groups([[]])
  },
  'large users': (write: Writer, scale: Scale) => {
    for (let i = 1; i <= Math.ceil(400 * scale); i++) write.user(i, person(i, { title: 'x'.repeat(880_000) }))
  },
  'a long log': (write: Writer, scale: Scale) => {
    write.user(1, person(1))
    write.refusedWrites(Math.ceil(300_000 * scale))
  },
  'large groups': (write: Writer, scale: Scale) => {
    const users = Math.ceil(100_000 * scale)
    for (let i = 1; i <= users; i++) write.user(i, person(i))
    const all = Array.from({ length: users }, (_, i): Member => [userId(i + 1), 'User'])
    // Everybody is in a dozen groups, some are in forty, and the first users are in very many. The index by member has a
    // page for each of those in forty.
    write.groups([
      ...Array.from({ length: 12 }, () => all),
      all.slice(0, Math.ceil(20_000 * scale)),
      ...Array.from({ length: Math.ceil(10_000 * scale) }, (_, i) => all.slice(0, 3 + (i % 20))),
      ...Array.from({ length: 28 }, () => all.slice(0, Math.ceil(20_000 * scale))),
    ])
  },
  'one wide extension': configured('tolerant', WIDE_EXTENSION),
  'many extensions': configured('tolerant', MANY_EXTENSIONS),
  'removed extensions': configured('entra', REMOVED_EXTENSIONS),
  'strict, with many extensions': configured('strict', MANY_EXTENSIONS),
  entra: configured('entra', WIDE_EXTENSION),
  okta: configured('okta', WIDE_EXTENSION),
  'strict, without extensions': configured('strict', NO_EXTENSIONS),
} satisfies Record<string, (write: Writer, scale: Scale) => void>

export const ALL_KINDS = Object.keys(KINDS) as readonly StoredKind[]

/** The kinds for random requests: "large groups" takes long to create, and is for requests that name its groups. */
export const STORED_KINDS = ALL_KINDS.filter((kind) => kind !== 'large groups')

/** Creates the database file with its tenants. */
export function makeStored(
  file: string,
  scale: Scale,
  kinds: readonly StoredKind[] = STORED_KINDS,
): StoredTenants {
  const { database, close } = openFile(file, { synchronous: 'NORMAL', busyTimeoutMs: 1_000 })
  migrate(database, MIGRATIONS)
  database.exec('BEGIN')
  const tenants = kinds.map((kind, i) => [kind, makeTenant(database, `hostile-${i + 1}`, kind, scale)])
  database.exec('COMMIT')
  close()
  return Object.fromEntries(tenants)
}

function makeTenant(database: DatabaseSync, id: string, kind: StoredKind, scale: Scale): StoredTenant {
  database
    .prepare('INSERT INTO tenants (id, name, group_limit, created_at) VALUES (?, ?, 1000000, ?)')
    .run(id, kind, TIME)
  const token = makeToken(database, id, 'provision')
  KINDS[kind](writerOf(database, id, token.id), scale)
  return { id, token: token.text, readToken: makeToken(database, id, 'read').text }
}

function makeToken(database: DatabaseSync, tenantId: string, scope: 'provision' | 'read') {
  const text = `scim_${tenantId}_${randomBytes(32).toString('base64url')}`
  const hash = createHash('sha256').update(text).digest('hex')
  const id = crypto.randomUUID()
  database
    .prepare('INSERT INTO tokens (id, tenant_id, name, scope, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)')
    .run(id, tenantId, scope, scope, hash, TIME)
  return { id, text }
}

function writerOf(database: DatabaseSync, tenantId: string, tokenId: string): Writer {
  let types: readonly ResourceType[] = [USER_RESOURCE_TYPE, GROUP_RESOURCE_TYPE]
  const insert = (table: 'users' | 'groups', typeIndex: 0 | 1) => {
    const statement = database.prepare(`INSERT INTO ${table}
      (tenant_id, id, data, keys, version, created_at, last_modified) VALUES (?, ?, ?, ?, 1, ?, ?)`)
    return (id: string, resource: Complex) => {
      const type = types[typeIndex] as ResourceType
      const schemas = [type.schema.id, ...Object.keys(resource).filter((name) => name.startsWith('urn:'))]
      const data = JSON.stringify({ schemas, ...resource })
      const keys = JSON.stringify(keysOf(resource, type))
      statement.run(tenantId, id, data, keys, TIME, TIME)
    }
  }
  const insertUser = insert('users', 0)
  const insertGroup = insert('groups', 1)
  const insertMember = database.prepare(
    'INSERT INTO memberships (tenant_id, group_id, member_id, member_type) VALUES (?, ?, ?, ?)',
  )
  const insertEntry =
    database.prepare(`INSERT INTO provisioning_log (tenant_id, id, time, token_id, action, outcome,
    resource_type, resource_id, resource_name, status, detail, changes, ignored, request_id)
    VALUES (?, ?, ?, ?, 'create', 'refused', 'User', NULL, ?, 400, 'refused', '[]', '[]', 'request')`)
  return {
    configure: (profile, extensions) => {
      types = tenantResourceTypes(types, extensions)
      const schemas = extensions === NO_EXTENSIONS ? {} : { schemas: encodeExtensions(extensions) }
      database
        .prepare('UPDATE tenants SET configuration = ? WHERE id = ?')
        .run(JSON.stringify({ profile, ...schemas }), tenantId)
    },
    user: (number, resource) => insertUser(userId(number), resource),
    groups: (members) => {
      for (const i of members.keys()) insertGroup(groupId(i + 1), { displayName: `group ${i + 1}` })
      for (const [i, list] of members.entries())
        for (const [id, type] of list) insertMember.run(tenantId, groupId(i + 1), id, type)
      database
        .prepare(`UPDATE groups SET member_count = (SELECT count(*) FROM memberships AS m
          WHERE m.tenant_id = groups.tenant_id AND m.group_id = groups.id) WHERE tenant_id = ?`)
        .run(tenantId)
    },
    refusedWrites: (count) => {
      for (let i = 0; i < count; i++) {
        const hex = (TIME + i).toString(16).padStart(12, '0')
        const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${String(i).padStart(12, '0')}`
        insertEntry.run(tenantId, id, TIME + i, tokenId, `person ${i}`)
      }
    },
  }
}

/** The comparison document with the keys of the tenant's indexes. */
function keysOf(resource: Complex, { storedAttributes, indexes }: ResourceType): Complex {
  const keys = comparisonDocument(resource, storedAttributes)
  for (const { path, slot } of indexes) {
    const [urn, name] = path
    const extension = keys[urn]
    if (isComplex(extension) && extension[name] !== undefined) keys[indexColumn(slot)] = extension[name]
  }
  return keys
}
