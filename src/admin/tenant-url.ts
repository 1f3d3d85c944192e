/** The addresses that an administrator pastes into an identity provider. */
import type { Context } from 'hono'
import { publicOrigin } from '../edge/url.ts'
import type { Runtime } from '../runtime.ts'

type Served = Pick<Context<{ Bindings: Runtime }>, 'env' | 'req'>

/** The Tenant URL. It is the same for every tenant: the token names the tenant. */
export function tenantUrl(c: Served): string {
  return `${publicOrigin(c)}/scim/v2`
}

/** The issuer identifier of this server (RFC 8414 §2), which clients name as the audience of their assertions. */
export function issuerIdentifier(c: Served): string {
  return publicOrigin(c)
}

/** The token endpoint (RFC 6749 §3.2). It is the same for every tenant: the id of the client names the tenant. */
export function tokenUrl(c: Served): string {
  return `${publicOrigin(c)}/oauth/token`
}
