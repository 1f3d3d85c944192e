/**
 * The addresses of the dashboard's pages.
 */
export interface TenantPaths {
  readonly overview: string
  readonly users: string
  readonly groups: string
  readonly apiKeys: string
  readonly log: string
  readonly schemas: string
  readonly settings: string
  readonly undoImport: string
}

export const TENANTS_PATH = '/admin/tenants'

export function tenantPaths(tenantId: string): TenantPaths {
  const overview = `${TENANTS_PATH}/${encodeURIComponent(tenantId)}`
  return {
    overview,
    users: `${overview}/users`,
    groups: `${overview}/groups`,
    apiKeys: `${overview}/api-keys`,
    log: `${overview}/log`,
    schemas: `${overview}/schemas`,
    settings: `${overview}/settings`,
    undoImport: `${overview}/undo-import`,
  }
}
