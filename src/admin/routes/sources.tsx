/**
 * The page of sources: conflicts, what each client has, and owners.
 */
import { Hono } from 'hono'
import { pathSegment } from '../../scim/path-segment.ts'
import { offeredClientsQuery } from '../../storage/access/clients.ts'
import { together } from '../../storage/database/query.ts'
import { handOver, handOverAll } from '../../storage/sources/hand-over.ts'
import { sweepQuery, sweepSources } from '../../storage/sources/sweep.ts'
import { tenantQuery } from '../../storage/tenants/queries.ts'
import { changeTenant } from '../change-tenant.ts'
import { check } from '../check.ts'
import type { FormError } from '../components/form.tsx'
import { withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { TENANT_CHANGE } from '../contract/tenants.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { SourcesPage } from '../pages/sources.tsx'
import { requireTenant } from '../require-tenant.ts'
import { conflictIdOf, dismissConflict, readConflicts, requireOwners } from '../sources.ts'
import { doneMessage, formErrorOf, readForm } from './request.ts'

/** So many that the page reads about 200 rows. */
const SHOWN_CONFLICTS = 30
/** Below the limit of the free plan of Cloudflare: a large directory is counted by the hourly run. */
const COUNTED_STATEMENTS = 30

const DONE: Readonly<Record<string, string>> = {
  dismissed: 'The conflict is dismissed.',
  counted: 'Counted. In a large directory, the hourly run goes on.',
  saved: 'Saved.',
  handed: 'Handed over.',
  more: 'A part is handed over. Send the form again for the rest.',
}

export const sources = new Hono<AdminEnv>()

sources.get('/:tenant/sources', (c) => sourcesPage(c))

sources.post('/:tenant/sources/conflicts/:conflict/dismiss', async (c) => {
  await dismissConflict(c.get('db'), tenantOf(c), c.req.param('conflict'), c.env.now())
  return done(c, 'dismissed')
})

sources.post('/:tenant/sources/count', async (c) => {
  const run = { now: c.env.now(), maxStatements: COUNTED_STATEMENTS, tenantId: tenantOf(c) }
  await sweepSources(c.get('db'), c.get('resourceTypes'), run)
  return done(c, 'counted')
})

sources.post('/:tenant/sources/mode', async (c) => {
  const { sourceMode } = await readForm(c)
  try {
    const change = check(TENANT_CHANGE, { sourceMode })
    requireTenant(await changeTenant(c, tenantOf(c), change), tenantOf(c))
    return done(c, 'saved')
  } catch (error) {
    return await sourcesPage(c, formErrorOf(error))
  }
})

sources.post('/:tenant/sources/hand-over', async (c) => {
  const form = await readForm(c)
  const [from, to] = [form.from || null, form.to || null]
  try {
    await requireOwners(c.get('db'), tenantOf(c), { to })
    const request = { tenantId: tenantOf(c), from, to, after: form.after || undefined }
    const { next } = await handOverAll(c.get('db'), c.get('resourceTypes'), request)
    if (next === undefined) return done(c, 'handed')
    const rest = { done: 'more', from: from ?? '', to: to ?? '', after: next }
    return c.redirect(`${withQuery(tenantPaths(tenantOf(c)).sources, rest)}#owners`, 303)
  } catch (error) {
    return await sourcesPage(c, formErrorOf(error))
  }
})

/** The form is on the page of the resource. */
sources.post('/:tenant/:list/:id/owner', async (c) => {
  const { clientId } = await readForm(c)
  const [tenantId, id, to] = [tenantOf(c), c.req.param('id'), clientId || null]
  await requireOwners(c.get('db'), tenantId, { clientId: to })
  await handOver(c.get('db'), c.get('resourceTypes'), { tenantId, id, to })
  return c.redirect(
    `${tenantPaths(tenantId).overview}/${pathSegment(c.req.param('list'))}/${pathSegment(id)}`,
    303,
  )
})

async function sourcesPage(c: AdminContext, error?: FormError & { readonly status: 400 | 409 }) {
  const tenantId = tenantOf(c)
  const types = c.get('resourceTypes')
  const request = {
    tenantId,
    types,
    state: 'open',
    size: SHOWN_CONFLICTS + 1,
    now: c.env.now(),
  } as const
  const others = together({
    tenant: tenantQuery(tenantId),
    clients: offeredClientsQuery(tenantId, 'provision'),
    sweep: sweepQuery(tenantId),
  })
  const { rest, left } = await readConflicts(c.get('db'), request, others)
  const tenant = requireTenant(rest.tenant, tenantId)
  return c.html(
    <SourcesPage
      administrator={c.get('administrator')}
      tenant={{ ...tenant, resourceTypes: types }}
      clients={rest.clients}
      sweep={rest.sweep}
      conflicts={left
        .slice(0, SHOWN_CONFLICTS)
        .map((conflict) => ({ ...conflict, id: conflictIdOf(conflict) }))}
      handOver={handOverOf(c)}
      hasMore={left.length > SHOWN_CONFLICTS}
      done={doneMessage(c, DONE)}
      error={error}
    />,
    error?.status ?? 200,
  )
}

/** Where a hand-over that is not complete goes on. */
function handOverOf(c: AdminContext) {
  const { from, to, after } = c.req.query()
  return after === undefined ? undefined : { from, to, after }
}

function tenantOf(c: AdminContext): string {
  return c.req.param('tenant') ?? ''
}

function done(c: AdminContext, what: string): Response {
  return c.redirect(`${tenantPaths(tenantOf(c)).sources}?done=${what}`, 303)
}
