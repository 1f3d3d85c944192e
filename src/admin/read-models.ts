/**
 * Tenants, jobs, clients, their credentials, webhooks and log entries as JSON, for the admin API and for downloads. Times are in RFC 3339.
 */
import { healthJson } from '../provider/client-health.ts'
import type { HistoryEntry } from '../provider/history/history.ts'
import type { LocatedTenant } from '../provider/tenants.ts'
import type { UndoOfResource } from '../provider/undo/resource-undo.ts'
import { type ClientFacts, healthOf } from '../scim/client-health.ts'
import type { DeprovisionThreshold } from '../scim/deprovisioning.ts'
import type { SecretInfo } from '../storage/access/client-secrets.ts'
import type { Client } from '../storage/access/clients.ts'
import type { StoredToken } from '../storage/access/token-administration.ts'
import type { ListedToken } from '../storage/access/token-rotation.ts'
import type { Trust } from '../storage/access/trusts.ts'
import { type Deprovisioning, NO_DEPROVISIONING } from '../storage/guard/releases.ts'
import type { ListedEntry } from '../storage/log/log-pages.ts'
import type { Tombstone } from '../storage/resources/tombstones.ts'
import type { Conflict } from '../storage/sources/open-conflicts.ts'
import type { Job } from '../storage/tenants/jobs.ts'
import type { TenantState } from '../storage/tenants/tenants.ts'
import type { Delivery, Webhook, WebhookSecret } from '../storage/webhooks/webhooks.ts'

export function tenantJson({
  importedLines,
  membershipCount: _,
  createdAt,
  state,
  deprovisionGuard,
  ...tenant
}: LocatedTenant) {
  return {
    ...tenant,
    deprovisionGuard:
      deprovisionGuard === null ? null : (JSON.parse(deprovisionGuard) as DeprovisionThreshold),
    state: STATES[state],
    createdAt: isoTime(createdAt),
    ...(importedLines !== null && { importedLines }),
  }
}

/** Administrators see one tenant during a move, although its rows are in two databases. */
const STATES = {
  ready: 'ready',
  importing: 'importing',
  undoing: 'undoing',
  deleting: 'deleting',
  moving: 'moving',
  arriving: 'moving',
  moved: 'moving',
} as const satisfies Readonly<Record<TenantState, string>>

export function jobJson({ id, kind, state, step, source, target, done, total, error, ...job }: Job) {
  return {
    id,
    kind,
    state,
    // A job that failed keeps the step that it failed in.
    step: state === 'done' ? null : step,
    from: source,
    to: target,
    progress: { done: state === 'done' ? total : Math.min(done, total), total },
    error,
    createdAt: isoTime(job.createdAt),
    finishedAt: isoTimeOrNull(job.finishedAt),
  }
}

export function tombstoneJson({ seq: _, version: __, deletedAt, isRestored, ...tombstone }: Tombstone) {
  return { ...tombstone, deletedAt: isoTime(deletedAt), isRestored: isRestored === 1 }
}

export function historyEntryJson({ seq: _, time, ...entry }: HistoryEntry) {
  return { time: isoTime(time), ...entry }
}

const MAX_SHOWN_LEFT = 100

export function undoneJson({ id, type, name, existence, values, added, removed, left }: UndoOfResource) {
  return {
    id,
    resourceType: type.name,
    name,
    existence: existence ?? ('unchanged' as const),
    values,
    membersAdded: added.length,
    membersRemoved: removed.length,
    left: left
      .slice(0, MAX_SHOWN_LEFT)
      .map(({ what, of = null, reason, byClientId = null }) => ({ what, of, reason, byClientId })),
    leftCount: left.length,
  }
}

export function webhookJson({ createdAt, secrets, health, ...webhook }: Webhook) {
  const { eventsBehind, attempts, lastError } = health
  return {
    ...webhook,
    createdAt: isoTime(createdAt),
    secrets: secrets.map((secret) => ({ ...secret, createdAt: isoTime(secret.createdAt) })),
    eventsBehind,
    behindSince: isoTimeOrNull(health.behindSince),
    attempts,
    failingSince: isoTimeOrNull(health.failingSince),
    nextAttemptAt: isoTimeOrNull(health.nextAttemptAt),
    lastAttemptAt: isoTimeOrNull(health.lastAttemptAt),
    lastSuccessAt: isoTimeOrNull(health.lastSuccessAt),
    lastError,
  }
}

export function webhookSecretJson({ createdAt, ...secret }: WebhookSecret) {
  return { ...secret, createdAt: isoTime(createdAt) }
}

export function deliveryJson({ time, ...delivery }: Delivery) {
  return { time: isoTime(time), ...delivery }
}

/** Without the id, which the caller knows. */
export function conflictJson(conflict: Conflict) {
  const { kind, resourceType, attribute, value, seen, state } = conflict
  return {
    kind,
    resourceType,
    attribute,
    value,
    first: {
      resourceId: conflict.resourceId,
      resourceName: conflict.resourceName,
      clientId: conflict.clientId,
      clientName: conflict.clientName,
      time: isoTime(conflict.time),
      requestId: conflict.requestId,
    },
    other: {
      resourceId: conflict.otherResourceId,
      resourceName: conflict.otherResourceName,
      clientId: conflict.otherClientId,
      clientName: conflict.otherClientName,
      time: isoTime(conflict.lastSeenAt),
      requestId: conflict.otherRequestId,
    },
    firstSeenAt: isoTime(conflict.firstSeenAt),
    lastSeenAt: isoTime(conflict.lastSeenAt),
    seen,
    state,
    closedAt: isoTimeOrNull(conflict.closedAt),
  }
}

/** @param facts undefined for a client that may only read */
export function clientJson(
  { createdAt, lastUsedAt, ...client }: Client,
  facts: ClientFacts | undefined,
  deprovisioning: Deprovisioning | undefined,
  now: number,
) {
  const { held, alarmedAt, releasedUntil } = deprovisioning ?? NO_DEPROVISIONING
  return {
    ...client,
    createdAt: isoTime(createdAt),
    lastUsedAt: isoTimeOrNull(lastUsedAt),
    health: facts === undefined ? null : healthJson(healthOf(facts, now)),
    deprovisioning: {
      held,
      alarmedAt: isoTimeOrNull(alarmedAt),
      releasedUntil: isoTimeOrNull(releasedUntil),
    },
  }
}

export function secretJson({ lastUsedAt, revokedAt, replacedBy, ...secret }: SecretInfo) {
  return {
    ...newSecretJson(secret),
    lastUsedAt: isoTimeOrNull(lastUsedAt),
    revokedAt: isoTimeOrNull(revokedAt),
    replacedBy,
  }
}

/** A secret that was just created. */
export function newSecretJson(
  secret: Pick<SecretInfo, 'id' | 'clientId' | 'name' | 'lastCharacters' | 'createdAt' | 'expiresAt'>,
) {
  const { id, clientId, name, lastCharacters, createdAt, expiresAt } = secret
  return { id, clientId, name, lastCharacters, createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt) }
}

/** The keys that were fetched last are not part of the federation; those of the administrator are. */
export function federationJson({ jwks, jwksFetchedAt: _, createdAt, lastUsedAt, ...trust }: Trust) {
  return {
    ...trust,
    ...(trust.jwksUri === null && jwks !== null && { jwks: JSON.parse(jwks) as unknown }),
    createdAt: isoTime(createdAt),
    lastUsedAt: isoTimeOrNull(lastUsedAt),
  }
}

export function tokenJson({ lastUsedAt, revokedAt, replacedBy, ...token }: ListedToken) {
  return {
    ...newTokenJson(token),
    lastUsedAt: isoTimeOrNull(lastUsedAt),
    revokedAt: isoTimeOrNull(revokedAt),
    replacedBy,
  }
}

/** A token that was just created. */
export function newTokenJson(token: StoredToken) {
  const { id, clientId, name, scope, lastCharacters, createdAt, expiresAt } = token
  return {
    ...{ id, clientId, name, scope, lastCharacters },
    createdAt: isoTime(createdAt),
    expiresAt: isoTimeOrNull(expiresAt),
  }
}

export function logEntryJson({ changes, time, request, ...entry }: ListedEntry) {
  return { ...entry, time: isoTime(time), changes: changes ?? [], request: request ?? null }
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

export function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms)
}
