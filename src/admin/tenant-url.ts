/** The Tenant URL, which an administrator pastes into an identity provider. */
import type { Context } from 'hono'
import { publicOrigin } from '../edge/url.ts'
import type { Runtime } from '../runtime.ts'

/** The same for every tenant: the token names the tenant. */
export function tenantUrl(c: Pick<Context<{ Bindings: Runtime }>, 'env' | 'req'>): string {
  return `${publicOrigin(c)}/scim/v2`
}
