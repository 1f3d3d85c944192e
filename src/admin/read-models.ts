/**
 * What is stored of a tenant, a token and the log as JSON, for the admin API and for downloads: times in RFC 3339.
 */
import type { ListedEntry } from '../storage/log-pages.ts'
import type { Tenant } from '../storage/tenants.ts'
import type { TokenInfo } from '../storage/tokens.ts'

export function tenantJson({ importedLines, membershipCount: _, createdAt, ...tenant }: Tenant) {
  return {
    ...tenant,
    createdAt: isoTime(createdAt),
    ...(importedLines !== null && { importedLines }),
  }
}

export function tokenJson({ id, name, scope, createdAt, expiresAt, lastUsedAt, revokedAt }: TokenInfo) {
  return {
    ...newTokenJson({ id, name, scope, createdAt, expiresAt }),
    lastUsedAt: isoTimeOrNull(lastUsedAt),
    revokedAt: isoTimeOrNull(revokedAt),
  }
}

/** A token that nobody has used or revoked yet. */
export function newTokenJson({
  id,
  name,
  scope,
  createdAt,
  expiresAt,
}: Pick<TokenInfo, 'id' | 'name' | 'scope' | 'createdAt' | 'expiresAt'>) {
  return { id, name, scope, createdAt: isoTime(createdAt), expiresAt: isoTimeOrNull(expiresAt) }
}

export function logEntryJson({ changes, tokenName, time, ...entry }: ListedEntry) {
  return { ...entry, time: isoTime(time), changes: changes ?? [], tokenName: tokenName ?? null }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms)
}
