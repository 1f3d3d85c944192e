/**
 * The list of tenants, and the settings of a tenant.
 */
import { Hono } from 'hono'
import { tenantsOf } from '../../administrators/role.ts'
import { type FoundTenants, searchTenants, tenantPage } from '../../provider/tenants.ts'
import { readTogether } from '../../storage/database/query.ts'
import type { Databases } from '../../storage/tenants/locations.ts'
import { firstTenantQuery } from '../../storage/tenants/queries.ts'
import { DEFAULT_GROUP_LIMIT } from '../../storage/tenants/tenants.ts'
import { changeTenant } from '../change-tenant.ts'
import { check } from '../check.ts'
import { TENANTS_PATH, tenantPaths } from '../components/paths.ts'
import { TENANT_CHANGE, TENANT_INPUT } from '../contract/tenants.ts'
import { createTenantIn } from '../create-tenant.ts'
import { administrationDatabases } from '../database.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { guardFormOf, parseGuardForm } from '../guard-form.ts'
import { continueCleanup, deleteTenantOf } from '../jobs.ts'
import { confirmationOf, SettingsPage, type SettingsProps } from '../pages/settings.tsx'
import { type TenantForm, TenantsPage } from '../pages/tenants.tsx'
import { noteTarget } from '../people/audit-note.ts'
import { requireTenant } from '../require-tenant.ts'
import { doneMessage, formErrorOf, loadWithTenant, readForm } from './request.ts'

const PAGE_SIZE = 50
/** A name has 100 characters. */
const MAX_SEARCH_CHARACTERS = 100
const EMPTY_FORM: TenantForm = { id: '', name: '', groupLimit: String(DEFAULT_GROUP_LIMIT) }

/** The message about the last action, by `?done=`. */
const TENANTS_DONE: Readonly<Record<string, string>> = {
  deleted: 'The tenant is deleted with all of its data.',
  deleting: 'The tokens of the tenant are no longer valid. Its data is being deleted.',
}
const SETTINGS_DONE: Readonly<Record<string, string>> = { saved: 'Saved.' }

export const tenants = new Hono<AdminEnv>()

tenants.get('/', async (c) => {
  const { first } = await readTogether(c.get('db'), {
    first: firstTenantQuery(tenantsOf(c.get('administrator').grants)),
  })
  return c.redirect(first === undefined ? TENANTS_PATH : tenantPaths(first).overview, 303)
})

tenants.get('/tenants', (c) => tenantsPage(c, EMPTY_FORM, undefined))

/** The parameter of the search in the sidebar: opens the tenant if the search finds one, or if it is an id. */
const OPEN = 'open'

tenants.post('/tenants', async (c) => {
  const sent = await readForm(c)
  const form = { id: sent.id ?? '', name: sent.name ?? '', groupLimit: sent.groupLimit ?? '' }
  try {
    const typed = { ...form, id: form.id.trim(), groupLimit: parseNumber(form.groupLimit) }
    const { id, ...input } = check(TENANT_INPUT, typed)
    const { database, ...tenant } = input
    const created = { id, ...tenant, createdAt: c.env.now() }
    await createTenantIn(databasesOf(c), c.get('resourceTypes'), created, database)
    noteTarget(c, id)
    c.set('pathTenant', id)
    return c.redirect(tenantPaths(id).overview, 303)
  } catch (error) {
    return await tenantsPage(c, form, formErrorOf(error))
  }
})

async function tenantsPage(
  c: AdminContext,
  form: TenantForm,
  error: ReturnType<typeof formErrorOf> | undefined,
) {
  const after = c.req.query('after') ?? ''
  const among = tenantsOf(c.get('administrator').grants)
  const search = (c.req.query('q') ?? '').trim().slice(0, MAX_SEARCH_CHARACTERS)
  const isSearch = search !== ''
  const found = isSearch ? await searchTenants(databasesOf(c), search, PAGE_SIZE, among) : undefined
  const only = found && onlyMatch(found, search)
  if (c.req.query(OPEN) !== undefined && only) return c.redirect(tenantPaths(only.id).overview, 303)
  const page = found
    ? { ...found, next: undefined }
    : await tenantPage(databasesOf(c), after, PAGE_SIZE, among)
  return c.html(
    <TenantsPage
      administrator={c.get('administrator')}
      tenants={page}
      isFirst={isSearch || after === ''}
      isComplete={found?.isComplete ?? true}
      search={search}
      form={form}
      error={error}
      done={doneMessage(c, TENANTS_DONE)}
    />,
    error?.status ?? 200,
  )
}

/** The tenant with the id that was searched for, or else the only one that there is. */
function onlyMatch(
  { items, isComplete }: FoundTenants,
  search: string,
): FoundTenants['items'][number] | undefined {
  const [first, second] = items
  return (
    items.find(({ id }) => id === search.toLowerCase()) ??
    (isComplete && second === undefined ? first : undefined)
  )
}

/** All databases, for pages that do not belong to one tenant. */
function databasesOf(c: AdminContext): Databases {
  return administrationDatabases(c, c.get('figures'))
}

tenants.get('/tenants/:tenant/settings', (c) => settingsPage(c, {}))

tenants.post('/tenants/:tenant/settings', async (c) => {
  const id = c.req.param('tenant')
  const input = await readForm(c)
  const form = {
    name: input.name ?? '',
    groupLimit: input.groupLimit ?? '',
    uniqueGroupNames: input.uniqueGroupNames,
    profile: input.profile,
  }
  try {
    const change = check(TENANT_CHANGE, {
      name: form.name,
      groupLimit: parseNumber(form.groupLimit),
      uniqueGroupNames: parseChoice(form.uniqueGroupNames),
      profile: form.profile,
    })
    requireTenant(await changeTenant(c, id, change), id)
    return c.redirect(`${tenantPaths(id).settings}?done=saved`, 303)
  } catch (error) {
    const formError = formErrorOf(error)
    return await settingsPage(c, { form, error: formError }, formError.status)
  }
})

tenants.post('/tenants/:tenant/guard', async (c) => {
  const id = c.req.param('tenant')
  const { share = '', count = '', windowMinutes = '' } = await readForm(c)
  const guard = { share, count, windowMinutes }
  try {
    requireTenant(await changeTenant(c, id, { deprovisionGuard: parseGuardForm(guard) }), id)
    return c.redirect(`${tenantPaths(id).settings}?done=saved`, 303)
  } catch (error) {
    const guardError = formErrorOf(error)
    return await settingsPage(c, { guard, guardError }, guardError.status)
  }
})

tenants.post('/tenants/:tenant/delete', async (c) => {
  const { confirmation = '' } = await readForm(c)
  const { tenant } = await loadWithTenant(c, () => ({}))
  const expected = confirmationOf(tenant)
  if (confirmation.trim() !== expected) {
    const message = `Must be ${expected === tenant.name ? 'the name' : 'the id'} of the tenant: ${expected}`
    return await settingsPage(c, { confirmation, deletionError: { field: 'confirmation', message } }, 400)
  }
  const outcome = await deleteTenantOf(c, tenant.id)
  if (outcome === 'deleting') await continueCleanup(c, tenant.id, 'delete')
  return c.redirect(`${TENANTS_PATH}?done=${outcome ?? 'deleted'}`, 303)
})

async function settingsPage(
  c: AdminContext,
  typed: Pick<
    Partial<SettingsProps>,
    'form' | 'error' | 'guard' | 'guardError' | 'confirmation' | 'deletionError'
  >,
  status: 200 | 400 | 409 = 200,
): Promise<Response> {
  const { tenant } = await loadWithTenant(c, () => ({}))
  return c.html(
    <SettingsPage
      administrator={c.get('administrator')}
      tenant={tenant}
      form={{
        name: tenant.name,
        groupLimit: String(tenant.groupLimit),
        uniqueGroupNames: String(tenant.uniqueGroupNames),
        profile: tenant.profile,
      }}
      guard={guardFormOf(tenant.deprovisionGuard)}
      {...typed}
      done={doneMessage(c, SETTINGS_DONE)}
    />,
    status,
  )
}

/** The number in a form field. Other text is returned unchanged, so that the error can quote it. */
function parseNumber(typed: string): unknown {
  const value = Number(typed)
  return typed.trim() === '' || Number.isNaN(value) ? typed : value
}

/** The boolean in a form field. Undefined if the form, perhaps of an older version, does not have the field. */
function parseChoice(value: string | undefined): unknown {
  return value === 'true' || value === 'false' ? value === 'true' : value
}
