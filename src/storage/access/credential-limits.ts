/**
 * How many clients, tokens and client secrets a tenant may have. The statement that stores one tests the limit, so the test
 * takes no round trip. A client that was deleted and a credential that was revoked do not count; an expired one does.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_CLIENTS, MAX_SECRETS, MAX_TOKENS } from '../../scim/limits.ts'
import { statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'

/** The revoked credentials of each kind that lists show, the newest ones. */
const SHOWN_REVOKED = 100

export type LimitedKind = 'clients' | 'tokens' | 'secrets'

export const LIMITS: Readonly<Record<LimitedKind, number>> = {
  clients: MAX_CLIENTS,
  tokens: MAX_TOKENS,
  secrets: MAX_SECRETS,
}

/** Access tokens have a credential, and limits of their own. */
const GENERATED = sql.raw('tokens WHERE credential_id IS NULL')

const COUNTED: Readonly<Record<LimitedKind, SQL>> = {
  clients: sql.raw('clients WHERE deleted_at IS NULL'),
  tokens: sql`${GENERATED} AND revoked_at IS NULL`,
  secrets: sql.raw('client_secrets WHERE revoked_at IS NULL'),
}

/** A condition: the tenant may have one more. */
export function hasRoomFor(kind: LimitedKind, tenantId: string): SQL {
  return sql`${countOf(kind, tenantId)} < ${LIMITS[kind]}`
}

function countOf(kind: LimitedKind, tenantId: string): SQL {
  return sql`(SELECT count(*) FROM ${COUNTED[kind]} AND tenant_id = ${tenantId})`
}

/** The kinds of which a tenant has as many as it may. */
export function fullQuery(tenantId: string): Query<readonly LimitedKind[]> {
  const kinds = Object.keys(LIMITS) as LimitedKind[]
  return {
    statements: kinds.map((kind) => statement(sql`SELECT ${countOf(kind, tenantId)} AS n`)),
    read: (results) => kinds.filter((kind, i) => Number(results[i]?.rows[0]?.n) >= LIMITS[kind]),
  }
}

/** A condition on the rows of a list: those that are not revoked, and the newest of the others. */
export function isShown(kind: 'tokens' | 'secrets', tenantId: string): SQL {
  const rows = kind === 'tokens' ? GENERATED : sql.raw('client_secrets WHERE true')
  return sql`(revoked_at IS NULL OR id IN (SELECT id FROM ${rows} AND tenant_id = ${tenantId} AND revoked_at IS NOT NULL
    ORDER BY id DESC LIMIT ${SHOWN_REVOKED}))`
}
