/**
 * Runs handlers with the context of the tenant that the token names. The context may come from a cache. If the database
 * has a newer configuration, the handler runs again with the new context.
 */
import type { Context } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { readAs } from '../storage/access/tokens.ts'
import { withTenant } from '../storage/tenants/context.ts'
import { requireAccepted } from './profile.ts'
import { logReadRefusal, logRefusal } from './provisioning-log.ts'
import { typeNamed } from './request.ts'
import { workOf } from './work.ts'

type Run<Result> = (c: Context<HttpEnv>) => Promise<Result>

/**
 * Wraps a function that reads the request, calls the provider and writes the response. A rejection is verified too, since
 * the token may be invalid or the configuration outdated: by the batch that logs a rejected request, or by a separate check.
 *
 * @param typeName the resource type whose rejected requests are logged; undefined for other endpoints
 */
export function tenantHandler(typeName?: string) {
  return (run: Run<Response>): Run<Response> =>
    (c) =>
      inTenant(c, async (c) => {
        const { roundTrips } = c.get('figures')
        try {
          requireAccepted(c)
          return await run(c)
        } catch (error) {
          if (error instanceof ScimError) await proveRefusal(c, typeName, error, roundTrips)
          throw error
        }
      })
}

/** Runs a function with the tenant's context and database, and again if the configuration has changed. */
export function inTenant<Result>(c: Context<HttpEnv>, run: Run<Result>): Promise<Result> {
  const work = workOf(c)
  const { spent } = work
  const figures = c.get('figures')
  const open = c.get('openReplica') ?? c.env.openDatabase
  const request = {
    actor: c.get('actor'),
    resourceTypes: c.get('resourceTypes'),
    openDatabase: (name: string | undefined) => open(name, figures),
    openCatalogue: () => c.env.openDatabase(undefined, figures),
  }
  return withTenant(request, (tenant) => {
    work.rewind(spent)
    c.set('tenant', tenant)
    return run(c)
  })
}

/** Statuses of rejections that depend on the configuration and may happen without a query: body, header, path, media type. */
const STATUSES_WITHOUT_QUERY: ReadonlySet<number> = new Set([400, 401, 404, 415])

/** @param roundTrips the number before the handler ran. A handler that sent a query has verified the configuration */
async function proveRefusal(
  c: Context<HttpEnv>,
  typeName: string | undefined,
  error: ScimError,
  roundTrips: number,
): Promise<void> {
  const type = typeName === undefined ? undefined : typeNamed(c, typeName)
  if (type !== undefined && (await logRefusal(c, type, error))) return
  if (!STATUSES_WITHOUT_QUERY.has(error.status) || c.get('figures').roundTrips > roundTrips) return
  if (type !== undefined && (await logReadRefusal(c, type, error))) return
  await readAs(c.get('tenant'), [])
}
