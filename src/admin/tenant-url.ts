/** The Tenant URL that an administrator pastes into an identity provider. */
import type { Context } from 'hono'

/** The same for every tenant: the token names the tenant. */
export function tenantUrl(c: Pick<Context, 'req'>): string {
  return `${new URL(c.req.url).origin}/scim/v2`
}
