/** Disables a user at once, and enables it again. */
import { Hono } from 'hono'
import { canBeDisabled } from '../../scim/active.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import { resourceQuery } from '../../storage/resources/directory-details.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { check } from '../check.ts'
import type { FormError } from '../components/form.tsx'
import { segmentOf, tenantPaths } from '../components/paths.ts'
import { DISABLE_INPUT } from '../contract/emergency.ts'
import { setActiveOf } from '../emergency.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { visibleName } from '../hidden-characters.ts'
import { DisablePage } from '../pages/emergency.tsx'
import { noResource } from './directory.tsx'
import { formErrorOf, loadWithTenant, readForm } from './request.ts'

export const emergency = new Hono<AdminEnv>()

emergency.get('/:tenant/:segment/:id/disable', async (c, next) => {
  const type = typeAt(c)
  return type === undefined ? await next() : await question(c, type, '')
})

emergency.post('/:tenant/:segment/:id/disable', async (c, next) => {
  const type = typeAt(c)
  if (type === undefined) return await next()
  const { reason = '' } = await readForm(c)
  try {
    const input = check(DISABLE_INPUT, reason.trim() === '' ? {} : { reason })
    await setActiveOf(c, tenantOf(c), { type, id: idOf(c), active: false, ...input })
  } catch (error) {
    return await question(c, type, reason, formErrorOf(error))
  }
  return c.redirect(pathOf(c, type), 303)
})

emergency.post('/:tenant/:segment/:id/enable', async (c, next) => {
  const type = typeAt(c)
  if (type === undefined) return await next()
  await setActiveOf(c, tenantOf(c), { type, id: idOf(c), active: true })
  return c.redirect(pathOf(c, type), 303)
})

async function question(
  c: AdminContext,
  type: StoredResourceType,
  reason: string,
  error?: FormError & { readonly status: 400 | 409 },
): Promise<Response> {
  const id = idOf(c)
  const { tenant, resource } = await loadWithTenant(c, (tenantId) => ({
    resource: resourceQuery(type, tenantId, id),
  }))
  if (resource === undefined) throw noResource(tenant.id, type, id)
  const { displayName, [type.nameAttribute]: own } = resource.resource
  const [shown, name] = [displayName, own].map((value) => (value === undefined ? undefined : String(value)))
  const props = { administrator: c.get('administrator'), tenant, type, id, reason, error }
  return c.html(<DisablePage {...props} name={visibleName(shown, name, id)} />, error?.status ?? 200)
}

function typeAt(c: AdminContext): StoredResourceType | undefined {
  return c
    .get('resourceTypes')
    .find((type) => canBeDisabled(type) && segmentOf(type) === c.req.param('segment'))
}

function pathOf(c: AdminContext, type: StoredResourceType): string {
  return `${tenantPaths(tenantOf(c)).listOf(type)}/${pathSegment(idOf(c))}`
}

function tenantOf(c: AdminContext): string {
  return c.req.param('tenant') ?? ''
}

function idOf(c: AdminContext): string {
  return c.req.param('id') ?? ''
}
