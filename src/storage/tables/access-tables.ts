/** The tables of access: clients, their credentials, and ended sessions of the dashboard. */
import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { HEALTH_STATES } from '../../scim/client-health.ts'
import { tenants } from './tenant-tables.ts'

/**
 * A client of a tenant: the actor that the provisioning log names, whatever credential it uses. A client that the
 * administrator deletes has no valid token, and its row stays until the log no longer names it.
 */
export const clients = sqliteTable(
  'clients',
  {
    /** `<tenantId>_<random>`. */
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    name: text('name').notNull(),
    /** The scope of all of its tokens. */
    scope: text('scope', { enum: ['provision', 'read'] }).notNull(),
    /** The key that seals its cursors. */
    cursorKey: text('cursor_key').notNull().default(sql`(lower(hex(randomblob(16))))`),
    /** Seconds from the issue of an access token to its expiry. */
    tokenLifetime: integer('token_lifetime').notNull().default(3600),
    createdAt: integer('created_at').notNull(),
    /** The latest use of a token that is deleted by now. */
    lastUsedAt: integer('last_used_at'),
    deletedAt: integer('deleted_at'),
    /** The last provisioning request. Written at most once a minute. */
    lastProvisioningAt: integer('last_provisioning_at'),
    /** JSON: the times of its latest contacts, oldest first: src/scim/client-health.ts. */
    contacts: text('contacts', { mode: 'json' }).$type<readonly number[]>(),
    /** The state that the hourly run noticed last, and when. NULL before the first time. */
    health: text('health', { enum: HEALTH_STATES }),
    healthSince: integer('health_since'),
    /** Until when an administrator lets it pass the guard against unusual deprovisioning. */
    guardReleasedUntil: integer('guard_released_until'),
  },
  (table) => [
    index('clients_by_tenant').on(table.tenantId, table.createdAt, table.id),
    index('clients_deleted').on(table.deletedAt).where(sql`deleted_at IS NOT NULL`),
  ],
)

/** One row, with id 1: the id of the client up to which the hourly run has looked for changes of health. */
export const clientSweep = sqliteTable('client_sweep', {
  id: integer('id').primaryKey(),
  position: text('position').notNull(),
})

/**
 * A secret with which a client asks for access tokens (RFC 6749 §4.4). Only its SHA-256 is stored. Revoked and expired
 * secrets stay as long as the provisioning log names them. A trigger deletes them with their client.
 */
export const clientSecrets = sqliteTable(
  'client_secrets',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    clientId: text('client_id').notNull(),
    name: text('name').notNull(),
    /** Hexadecimal. */
    hash: text('hash').notNull(),
    /** By which an administrator recognises the secret: its last four characters. */
    lastCharacters: text('last_characters').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    /** The latest issue of an access token. Written at most once a minute. */
    lastUsedAt: integer('last_used_at'),
    revokedAt: integer('revoked_at'),
    /** The secret that replaces this one, which is to be revoked. */
    replacedBy: text('replaced_by'),
  },
  (table) => [
    uniqueIndex('client_secrets_by_hash').on(table.hash),
    index('client_secrets_by_tenant').on(table.tenantId, table.id),
    index('client_secrets_of_client').on(table.clientId),
    index('client_secrets_revoked').on(table.revokedAt).where(sql`revoked_at IS NOT NULL`),
    index('client_secrets_expiring').on(table.expiresAt),
    index('client_secrets_replaced').on(table.replacedBy).where(sql`replaced_by IS NOT NULL`),
  ],
)

/**
 * The issuer whose assertions a client presents instead of a secret (RFC 7523): a client has one or none. A trigger
 * deletes it with its client.
 */
export const clientTrusts = sqliteTable(
  'client_trusts',
  {
    clientId: text('client_id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    /** The claim "iss", character by character. */
    issuer: text('issuer').notNull(),
    /** The address of the issuer's keys (RFC 7517 §5). NULL: `jwks` has them, and they are never fetched. */
    jwksUri: text('jwks_uri'),
    /** The claim "sub". */
    subject: text('subject').notNull(),
    /** The values of the claim "aud" of which one is required. */
    audiences: text('audiences', { mode: 'json' }).$type<readonly string[]>().notNull(),
    /** The claims "tid" and "azp" of Microsoft Entra ID; NULL: they are not checked. */
    tid: text('tid'),
    azp: text('azp'),
    /** JSON: the keys of the administrator, or those that were fetched last. An isolate that begins has no others. */
    jwks: text('jwks'),
    /** When they were fetched; NULL: never. */
    jwksFetchedAt: integer('jwks_fetched_at'),
    createdAt: integer('created_at').notNull(),
    /** The latest issue of an access token. Written at most once a minute. */
    lastUsedAt: integer('last_used_at'),
  },
  (table) => [index('client_trusts_by_tenant').on(table.tenantId, table.clientId)],
)

/**
 * A bearer token of a client: one that an administrator generated, or an access token. Only its SHA-256 is stored.
 * Revoked and expired tokens of administrators stay as long as the provisioning log names them. The log does not name
 * access tokens, so they are deleted soon after they expire.
 */
export const tokens = sqliteTable(
  'tokens',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id),
    name: text('name').notNull(),
    scope: text('scope', { enum: ['provision', 'read'] }).notNull(),
    /** Hexadecimal. */
    hash: text('hash').notNull(),
    /** Its last four characters; NULL in tokens of older versions, and in access tokens. */
    lastCharacters: text('last_characters'),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
    /** Written at most once a minute. */
    lastUsedAt: integer('last_used_at'),
    revokedAt: integer('revoked_at'),
    /** The token that replaces this one, which is to be revoked. */
    replacedBy: text('replaced_by'),
    /** Derived: the state of its tenant. */
    tenantState: text('tenant_state').notNull().default('ready'),
    /** Derived: the version of the configuration of its tenant. */
    tenantVersion: integer('tenant_version').notNull().default(0),
    /** A trigger creates a client for a token without one, so the value is NULL in no row. */
    clientId: text('client_id'),
    /** Derived: the `cursorKey` of its client. */
    cursorKey: text('cursor_key'),
    /**
     * What an access token was issued for: the id of a secret, or of the client whose trust it was. NULL for a token
     * that an administrator generated.
     */
    credentialId: text('credential_id'),
    /** The position in the event feed after which its client last read, and when; written at most once a minute. */
    feedSeq: integer('feed_seq'),
    feedReadAt: integer('feed_read_at'),
  },
  (table) => [
    uniqueIndex('tokens_by_hash').on(table.hash),
    index('tokens_by_tenant').on(table.tenantId, table.id),
    index('tokens_revoked').on(table.revokedAt).where(sql`revoked_at IS NOT NULL`),
    index('tokens_expiring').on(table.expiresAt).where(sql`expires_at IS NOT NULL`),
    index('tokens_replaced').on(table.replacedBy).where(sql`replaced_by IS NOT NULL`),
    index('tokens_issued').on(table.clientId, table.id).where(sql`credential_id IS NOT NULL`),
  ],
)

/**
 * A session of the dashboard that its administrator ended. Sessions are signed cookies; a row here invalidates copies
 * of the cookie. The cron trigger deletes it long after the session would have expired.
 */
export const endedSessions = sqliteTable('ended_sessions', {
  id: text('id').primaryKey(),
  expiresAt: integer('expires_at').notNull(),
})
