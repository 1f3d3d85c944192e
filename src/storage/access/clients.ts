/**
 * The clients of a tenant: the actors, whatever credential they use. The administrator creates, changes and deletes
 * them.
 */
import { type SQL, sql } from 'drizzle-orm'
import { changedFields } from '../database/changed-fields.ts'
import { type Database, type Statement, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { clients } from '../tables/tables.ts'
import { administratorId } from './administrator.ts'
import { hasRoomFor } from './credential-limits.ts'
import { toBase64Url } from './secrets.ts'
import type { TokenScope } from './tokens.ts'

/** Times in milliseconds since 1970. */
export interface Client {
  readonly id: string
  readonly name: string
  /** The scope of its tokens. An access token may have less. */
  readonly scope: TokenScope
  /** Seconds from the issue of an access token to its expiry. */
  readonly tokenLifetime: number
  readonly createdAt: number
  /** Accurate to the minute. */
  readonly lastUsedAt: number | null
}

/** The most characters in the name of a client, or of anything else that an administrator names. */
export const MAX_GIVEN_NAME_CHARACTERS = 100

const CLIENT_ID_BYTES = 16

/** A new id: `<tenantId>_<22 characters>`. It is not a secret. */
export function newClientId(tenantId: string): string {
  return `${tenantId}_${toBase64Url(crypto.getRandomValues(new Uint8Array(CLIENT_ID_BYTES)))}`
}

const LAST_USED_AT = sql<number | null>`nullif(max(coalesce(last_used_at, 0),
  coalesce((SELECT max(t.last_used_at) FROM tokens AS t WHERE t.tenant_id = clients.tenant_id AND t.client_id = clients.id), 0)
  ), 0)`

const CLIENT = selection(clients, ['id', 'name', 'scope', 'tokenLifetime', 'createdAt'], {
  computed: { lastUsedAt: LAST_USED_AT },
})

const STORED_CLIENT = selection(clients, ['id', 'name', 'scope', 'tokenLifetime', 'createdAt', 'lastUsedAt'])

/** The clients of a tenant, oldest first, without deleted ones. The tokens of the tenant are read once for all of them. */
export function clientsQuery(tenantId: string): Query<readonly Client[]> {
  return {
    statements: [
      STORED_CLIENT.where(sql`tenant_id = ${tenantId} AND deleted_at IS NULL ORDER BY created_at, id`),
      statement(sql`SELECT client_id AS id, max(last_used_at) AS lastUsedAt FROM tokens
        WHERE tenant_id = ${tenantId} AND last_used_at IS NOT NULL GROUP BY client_id`),
    ],
    read: ([result, uses]) => {
      const used = new Map((uses?.rows ?? []).map(({ id, lastUsedAt }) => [id, Number(lastUsedAt)]))
      return STORED_CLIENT.all(result).map((client) => ({
        ...client,
        lastUsedAt: Math.max(client.lastUsedAt ?? 0, used.get(client.id) ?? 0) || null,
      }))
    },
  }
}

/** What a form or a list shows of a client that it offers. */
export type OfferedClient = Pick<Client, 'id' | 'name' | 'scope' | 'createdAt'>

const OFFERED_CLIENT = selection(clients, ['id', 'name', 'scope', 'createdAt'])

/** A page offers so many clients, so that it reads few rows. */
const MAX_OFFERED = 100

/** The same of a page that also says how each of them is. */
export const MAX_WATCHED = 30

/**
 * The newest clients of a tenant, and the given one, oldest first, without deleted ones.
 *
 * @param among those that may write, or all
 * @param andId an id, or a subquery of one
 */
export function offeredClientsQuery(
  tenantId: string,
  among: TokenScope | 'all',
  andId?: string | SQL,
  size = MAX_OFFERED,
): Query<readonly OfferedClient[]> {
  const inTenant = sql`tenant_id = ${tenantId} AND deleted_at IS NULL`
  const ofScope = among === 'all' ? sql`` : sql` AND scope = ${among}`
  return {
    statements: [
      OFFERED_CLIENT.where(
        sql`${inTenant}${ofScope} ORDER BY created_at DESC, id DESC LIMIT ${sql.raw(String(size))}`,
      ),
      OFFERED_CLIENT.where(sql`${inTenant} AND id = ${andId ?? null}`),
    ],
    read: (results) => {
      const found = results.flatMap((result) => OFFERED_CLIENT.all(result))
      const unique = [...new Map(found.map((client) => [client.id, client])).values()]
      return unique.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    },
  }
}

/** The clients that may own a resource: the newest that may write, and the owner. */
export function ownersQuery(
  { table }: Pick<StoredResourceType, 'table'>,
  tenantId: string,
  resourceId: string,
): Query<readonly OfferedClient[]> {
  const owner = sql`(SELECT created_by FROM ${sql.raw(table.name)} WHERE tenant_id = ${tenantId} AND id = ${resourceId})`
  return offeredClientsQuery(tenantId, 'provision', owner)
}

/** The newest clients, and the one that sent the request of an entry of the provisioning log. */
export function sendersQuery(tenantId: string, entryId: string): Query<readonly OfferedClient[]> {
  const sender = sql`(SELECT client_id FROM provisioning_log WHERE tenant_id = ${tenantId} AND id = ${entryId})`
  return offeredClientsQuery(tenantId, 'all', sender)
}

/** A client that has written or may do so; the administrator is one of them. */
export interface Writer {
  readonly id: string
  readonly name: string
  readonly isDeleted: boolean
}

/** The newest clients that may write, deleted ones included, and the given one. */
export function writersQuery(
  tenantId: string,
  { size, andId }: { readonly size: number; readonly andId: string | undefined },
): Query<readonly Writer[]> {
  const select = sql`SELECT id, name, deleted_at IS NOT NULL AND id <> ${administratorId(tenantId)} AS isDeleted
    FROM clients WHERE tenant_id = ${tenantId}`
  return {
    statements: [
      statement(sql`${select} AND scope = 'provision' ORDER BY created_at DESC, id DESC LIMIT ${size}`),
      ...(andId === undefined ? [] : [statement(sql`${select} AND id = ${andId}`)]),
    ],
    read: (results) => {
      const rows = results.flatMap(({ rows }) => rows)
      const writers = rows.map((row) => ({
        id: String(row.id),
        name: String(row.name),
        isDeleted: row.isDeleted === 1,
      }))
      return [...new Map(writers.map((writer) => [writer.id, writer])).values()]
    },
  }
}

/** @returns undefined when the tenant has no such client, or the client was deleted */
export function clientQuery(tenantId: string, id: string): Query<Client | undefined> {
  return {
    statements: [selectClient(tenantId, id)],
    read: ([result]) => CLIENT.first(result),
  }
}

function selectClient(tenantId: string, id: string): Statement {
  return CLIENT.where(sql`tenant_id = ${tenantId} AND id = ${id} AND deleted_at IS NULL`)
}

/** A client to store. */
export type NewClient = Omit<Client, 'lastUsedAt'>

/** @returns false when there is no such tenant, the tenant is being deleted, or it has MAX_CLIENTS */
export async function insertClient(db: Database, tenantId: string, client: NewClient): Promise<boolean> {
  const insert = insertClientStatement(tenantId, client)
  const [inserted] = await db.batch([{ ...insert, act: { target: client.id } }])
  return (inserted?.changes ?? 0) > 0
}

/** Does nothing if the client exists, or the tenant has MAX_CLIENTS. */
export function insertClientStatement(
  tenantId: string,
  { id, name, scope, tokenLifetime, createdAt }: NewClient,
): Statement {
  return statement(sql`INSERT INTO clients (id, tenant_id, name, scope, token_lifetime, created_at)
    SELECT ${id}, id, ${name}, ${scope}, ${tokenLifetime}, ${createdAt} FROM tenants
    WHERE id = ${tenantId} AND state <> 'deleting' AND ${hasRoomFor('clients', tenantId)} ON CONFLICT (id) DO NOTHING`)
}

/**
 * Changes by an administrator. An undefined member stays as it is. A new scope applies to all tokens from the next
 * request on, except that an access token never gets a wider scope. A new lifetime applies to access tokens that are
 * issued from then on.
 */
export interface ClientChange {
  readonly name?: string | undefined
  readonly scope?: TokenScope | undefined
  readonly tokenLifetime?: number | undefined
}

/** @returns undefined when the tenant has no such client */
export async function updateClient(
  db: Database,
  tenantId: string,
  id: string,
  {
    name = null,
    scope = null,
    tokenLifetime = null,
  }: { [Name in keyof ClientChange]: ClientChange[Name] | null },
): Promise<Client | undefined> {
  const scopeOfClient = sql`(SELECT scope FROM clients WHERE clients.id = ${id})`
  const isClient = sql`tenant_id = ${tenantId} AND id = ${id} AND deleted_at IS NULL`
  const update =
    statement(sql`UPDATE clients SET name = coalesce(${name}, name), scope = coalesce(${scope}, scope),
      token_lifetime = coalesce(${tokenLifetime}, token_lifetime) WHERE ${isClient}`)
  const changed = changedFields(
    [
      ['name', sql`name <> ${name}`],
      ['scope', sql`scope <> ${scope}`],
      ['tokenLifetime', sql`token_lifetime <> ${tokenLifetime}`],
    ],
    sql`FROM clients WHERE ${isClient}`,
  )
  const [, , found] = await db.batch([
    { ...update, act: { changed } },
    statement(sql`UPDATE tokens SET scope = ${scopeOfClient} WHERE tenant_id = ${tenantId} AND client_id = ${id}
      AND (credential_id IS NULL OR ${scopeOfClient} = 'read')`),
    selectClient(tenantId, id),
  ])
  return CLIENT.first(found)
}

/**
 * Deletes a client and revokes all of its tokens and secrets, from the next request on. It gets no access token any more. The log
 * still names the client.
 *
 * @returns false when the tenant has no such client
 */
export async function deleteClient(
  db: Database,
  tenantId: string,
  id: string,
  now: number,
): Promise<boolean> {
  const end = statement(sql`UPDATE clients SET deleted_at = ${now}
    WHERE tenant_id = ${tenantId} AND id = ${id} AND deleted_at IS NULL`)
  const [deleted] = await db.batch([
    { ...end, act: {} },
    statement(sql`UPDATE tokens SET revoked_at = coalesce(revoked_at, ${now})
      WHERE tenant_id = ${tenantId} AND client_id = ${id}`),
    statement(sql`UPDATE client_secrets SET revoked_at = coalesce(revoked_at, ${now})
      WHERE tenant_id = ${tenantId} AND client_id = ${id}`),
  ])
  return deleted?.changes === 1
}

/** Both sides of a move must stay equal. */
const ON_THE_MOVE = sql.raw("(SELECT id FROM tenants WHERE state IN ('moving', 'arriving', 'moved'))")

/**
 * Deletes tokens that were revoked or expired before a time, and clients that were deleted before it and have no
 * token left. The log must hold no older entries, so that every entry keeps its names.
 *
 * @returns the number of deleted tokens
 */
export async function deleteDeadTokens(db: Database, before: number): Promise<number> {
  const [tokens] = await db.batch([
    statement(
      sql`DELETE FROM tokens WHERE (revoked_at < ${before} OR expires_at < ${before}) AND tenant_id NOT IN ${ON_THE_MOVE}`,
    ),
    statement(sql`DELETE FROM clients WHERE deleted_at < ${before} AND tenant_id NOT IN ${ON_THE_MOVE} AND NOT EXISTS (
      SELECT 1 FROM tokens WHERE tokens.tenant_id = clients.tenant_id AND tokens.client_id = clients.id)`),
  ])
  return tokens?.changes ?? 0
}
