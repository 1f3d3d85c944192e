/**
 * Failed access in the provisioning log: one entry for each tenant, token, reason and minute, however often and in
 * however many isolates it happened.
 */
import { sql } from 'drizzle-orm'
import { MINUTE_MS } from '../../scim/duration.ts'
import type { AccessRefusal } from '../access/access-refused.ts'
import type { CredentialRefusal } from '../access/access-tokens.ts'
import { type Database, statement } from '../database/database.ts'

/** The refusals of tokens and of credentials that an administrator reads in the log. */
export type LoggedReason = Exclude<AccessRefusal, 'wrong scope' | 'lapsed'> | CredentialRefusal | 'no keys'

/** Requests that were refused for one reason. */
export interface FailedAccess {
  /** The tenant that the token or the client names. Nothing is stored if there is no such tenant. */
  readonly tenantId: string
  readonly reason: LoggedReason
  /** The id of the token or of the credential, if the tenant has it. */
  readonly tokenId: string | undefined
  /** The id of the client in the request, if a token does not name it. */
  readonly clientId?: string | undefined
  /** UUIDv7 of the entry. */
  readonly id: string
  /** The time of the first request, in milliseconds since 1970. */
  readonly time: number
  /** The id of the first request. */
  readonly requestId: string
  readonly count: number
}

/** What the log says about each. */
export const ACCESS_DETAILS = {
  malformed: 'the token names this tenant but is incomplete: a token is scim_<tenant>_<43 characters>',
  unknown: 'the token is not one of this tenant',
  revoked: 'the token was revoked',
  expired: 'the token has expired',
  'without scheme': 'the token was sent without "Bearer", which the profile of this tenant requires',
  'unknown client': 'the tenant has no such client',
  'wrong secret': 'the secret is not one of this client',
  'revoked secret': 'the secret was revoked',
  'expired secret': 'the secret has expired',
  'no federation': 'the client has no federation',
  'no keys': 'the keys of the issuer cannot be fetched; the log of the server has the reason',
  'assertion: malformed': 'the assertion is not a JSON Web Token',
  'assertion: algorithm': 'the algorithm ("alg") of the assertion is neither RS256 nor ES256',
  'assertion: header':
    'the header of the assertion has no "kid", another "typ" than "JWT", or names a key ("jku", "jwk", "x5u", "x5c") or "crit"',
  'assertion: issuer': 'the issuer ("iss") of the assertion is not the one in the federation',
  'assertion: subject': 'the subject ("sub") of the assertion is not the one in the federation',
  'assertion: audience': 'the audience ("aud") of the assertion is none of those in the federation',
  'assertion: tenant': 'the tenant ("tid") of the assertion is not the one in the federation',
  'assertion: authorized party':
    'the authorized party ("azp" or "appid") of the assertion is not the one in the federation',
  'assertion: expired': 'the assertion has expired',
  'assertion: not yet valid': 'the assertion is not valid yet ("nbf" or "iat")',
  'assertion: lifetime': 'the assertion does not expire ("exp") within a day',
  'assertion: unknown key': 'the issuer has no key with the id ("kid") and the algorithm of the assertion',
  'assertion: signature': 'the signature of the assertion is wrong',
} as const satisfies Readonly<Record<LoggedReason, string>>

/** The states of a tenant in which its log is not being copied or deleted. */
const WRITABLE = sql`('ready', 'importing', 'undoing')`

/**
 * Stores all of them with one statement.
 *
 * @returns those of tenants that are being moved: the log at the source must not change, because it is compared with the
 *   copy
 */
export async function logFailedAccess(
  db: Database,
  all: readonly FailedAccess[],
): Promise<readonly FailedAccess[]> {
  const rows = all.map(({ reason, ...row }) => ({
    ...row,
    detail: ACCESS_DETAILS[reason],
    status: reason === 'no keys' ? 503 : 401,
    // log-pages.ts finds the newest ones by their keys.
    key: `authenticate ${Math.floor(row.time / MINUTE_MS)} ${reason} `,
  }))
  const value = (name: keyof (typeof rows)[number]) => sql`e.value ->> ${sql.raw(`'$.${name}'`)}`
  const [, moving] = await db.batch([
    statement(sql`INSERT INTO provisioning_log (tenant_id, id, time, token_id, client_id, action, outcome, resource_type,
        resource_id, resource_name, status, detail, changes, ignored, request_id, repeated, fold_key)
      SELECT tenants.id, ${value('id')}, ${value('time')}, coalesce(t.id, s.id, ''), c.id, 'authenticate', 'refused',
        'Client', c.id, coalesce(t.name, s.name, c.name), ${value('status')}, ${value('detail')}, '[]', '[]', ${value('requestId')},
        ${value('count')} - 1, ${value('key')} || coalesce(t.id, s.id, c.id, '')
      FROM json_each(${JSON.stringify(rows)}) AS e CROSS JOIN tenants ON tenants.id = ${value('tenantId')}
      LEFT JOIN tokens AS t ON t.id = ${value('tokenId')} AND t.tenant_id = tenants.id
      LEFT JOIN client_secrets AS s ON s.id = ${value('tokenId')} AND s.tenant_id = tenants.id
      LEFT JOIN clients AS c ON c.id = coalesce(t.client_id, s.client_id, ${value('clientId')}, ${value('tokenId')}) AND c.tenant_id = tenants.id
      WHERE tenants.state IN ${WRITABLE}
      ON CONFLICT (tenant_id, fold_key) WHERE fold_key IS NOT NULL
      DO UPDATE SET repeated = repeated + excluded.repeated + 1`),
    statement(sql`SELECT DISTINCT tenants.id FROM json_each(${JSON.stringify(rows)}) AS e
      CROSS JOIN tenants ON tenants.id = ${value('tenantId')}
      WHERE tenants.state IN ('moving', 'arriving', 'moved')`),
  ])
  const ids = new Set(moving?.rows.map(({ id }) => id))
  return all.filter(({ tenantId }) => ids.has(tenantId))
}
