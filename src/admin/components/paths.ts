/**
 * The addresses of the dashboard's pages.
 */
import { pathSegment } from '../../scim/path-segment.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import type { CredentialKind } from '../../storage/access/replacements.ts'

export interface TenantPaths {
  readonly overview: string
  /** The guides of the identity providers. */
  readonly connect: string
  readonly connectTo: (guideId: string) => string
  /** The list of the first type. */
  readonly directory: string
  /** The list of a type. */
  readonly listOf: (type: Pick<ResourceType, 'endpoint'>) => string
  readonly apiKeys: string
  readonly log: string
  /** What administrators did. */
  readonly audit: string
  readonly explain: string
  readonly drift: string
  readonly schemas: string
  readonly sources: string
  readonly webhooks: string
  readonly deleted: string
  readonly undo: string
  /** The history of a user or a group. */
  readonly historyOf: (id: string) => string
  readonly settings: string
  /** Export, import and move. */
  readonly transfer: string
  readonly import: string
  readonly checkImport: string
  readonly undoImport: string
  readonly move: string
  readonly cancelMove: string
  readonly export: string
  /** The file of an export. */
  readonly file: (jobId: string) => string
}

/** The path segment of a type's list: "users". */
export function segmentOf({ endpoint }: Pick<ResourceType, 'endpoint'>): string {
  return endpoint.slice(1).toLowerCase()
}

export const TENANTS_PATH = '/admin/tenants'
export const AUDIT_PATH = '/admin/audit'
export const ADMINISTRATORS_PATH = '/admin/administrators'

/** The limits and settings of the server. */
export const LIMITS_PATH = '/admin/limits'

export function tenantPaths(tenantId: string): TenantPaths {
  const overview = `${TENANTS_PATH}/${pathSegment(tenantId)}`
  return {
    overview,
    connect: `${overview}/connect`,
    connectTo: (guideId) => `${overview}/connect/${pathSegment(guideId)}`,
    directory: `${overview}/users`,
    listOf: (type) => `${overview}/${segmentOf(type)}`,
    apiKeys: `${overview}/api-keys`,
    log: `${overview}/log`,
    audit: `${overview}/audit`,
    explain: `${overview}/explain`,
    drift: `${overview}/drift`,
    schemas: `${overview}/schemas`,
    sources: `${overview}/sources`,
    webhooks: `${overview}/webhooks`,
    deleted: `${overview}/deleted`,
    undo: `${overview}/undo`,
    historyOf: (id) => `${overview}/history/${pathSegment(id)}`,
    settings: `${overview}/settings`,
    transfer: `${overview}/transfer`,
    import: `${overview}/transfer/import`,
    checkImport: `${overview}/transfer/check`,
    undoImport: `${overview}/undo-import`,
    move: `${overview}/move`,
    cancelMove: `${overview}/cancel-move`,
    export: `${overview}/export`,
    file: (jobId) => `${overview}/jobs/${pathSegment(jobId)}/file`,
  }
}

/** The page of a token or of a client secret. */
export function credentialPath(
  tenantId: string,
  { kind, id }: { readonly kind: CredentialKind; readonly id: string },
): string {
  return `${tenantPaths(tenantId).apiKeys}/${kind === 'secret' ? 'secrets/' : ''}${pathSegment(id)}`
}
