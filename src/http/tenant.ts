/**
 * The tenant of a request: which one the token names, and the context that its handler runs with. A handler is written
 * as if the context were certain; when the database has another configuration, it runs once more from its beginning.
 */
import type { Context } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { type TenantContext, withTenant } from '../storage/tenant-context.ts'
import { readAs } from '../storage/tokens.ts'
import { requireAcceptedPath } from './profile.ts'
import { logRefusal } from './provisioning-log.ts'
import { typeNamed, workOf } from './request.ts'

type Run<Result> = (c: Context<HttpEnv>) => Promise<Result>

/**
 * Makes handlers out of functions that read, call the provider and write. What they refuse is proven too: the refusal of
 * a write by its entry in the provisioning log, any other that follows from the request alone by a check of its own.
 *
 * @param typeName of the resources whose writes are logged when they are refused; undefined for endpoints that write
 *   nothing
 */
export function tenantHandler(typeName?: string) {
  return (run: Run<Response>): Run<Response> =>
    (c) =>
      inTenant(c, async (c) => {
        const { roundTrips } = c.get('figures')
        try {
          requireAcceptedPath(c)
          return await run(c)
        } catch (error) {
          if (error instanceof ScimError) await proveRefusal(c, typeName, error, roundTrips)
          throw error
        }
      })
}

/** Runs with the tenant's context, and with its database open; once more when the configuration has changed. */
export async function inTenant<Result>(c: Context<HttpEnv>, run: Run<Result>): Promise<Result> {
  const work = workOf(c)
  const { spent } = work
  const openCatalogue = () => c.env.openDatabase(undefined, c.get('figures'))
  const { tenantId } = c.get('credentials')
  return await withTenant(tenantId, c.get('resourceTypes'), openCatalogue, async (tenant) => {
    work.rewind(spent)
    enter(c, tenant)
    return await run(c)
  })
}

function enter(c: Context<HttpEnv>, tenant: TenantContext): void {
  c.set('tenant', tenant)
  c.set('credentials', { ...c.get('credentials'), tenantVersion: tenant.version })
  const open = c.get('openReplica') ?? c.env.openDatabase
  c.set('db', open(tenant.database, c.get('figures')))
}

/** What may be refused before the database is asked, as the configuration has it: a body, a path, a media type. */
const FOLLOWING_FROM_REQUEST: ReadonlySet<number> = new Set([400, 404, 415])

/** @param roundTrips before the handler ran: when it asked the database, the configuration was checked there */
async function proveRefusal(
  c: Context<HttpEnv>,
  typeName: string | undefined,
  error: ScimError,
  roundTrips: number,
): Promise<void> {
  if (typeName !== undefined && (await logRefusal(c, typeNamed(c, typeName), error))) return
  if (!FOLLOWING_FROM_REQUEST.has(error.status) || c.get('figures').roundTrips > roundTrips) return
  await readAs(c.get('db'), c.get('credentials'), [])
}
