/**
 * The list of tenants, and the settings of a tenant.
 */
import { Hono } from 'hono'
import { tenantPage } from '../../provider/tenants.ts'
import { MAX_BODY_BYTES, MAX_BULK_OPERATIONS, MAX_PAGE_SIZE } from '../../scim/limits.ts'
import { readTogether } from '../../storage/database/query.ts'
import { latestJobs, latestJobsQuery } from '../../storage/tenants/jobs.ts'
import { catalogueOf, type Databases } from '../../storage/tenants/locations.ts'
import { firstTenantQuery } from '../../storage/tenants/queries.ts'
import { DEFAULT_GROUP_LIMIT } from '../../storage/tenants/tenants.ts'
import { changeTenant } from '../change-tenant.ts'
import { check } from '../check.ts'
import { number } from '../components/number.ts'
import { TENANTS_PATH, tenantPaths } from '../components/paths.ts'
import { TENANT_CHANGE, TENANT_INPUT } from '../contract/tenants.ts'
import { createTenantIn } from '../create-tenant.ts'
import { administrationDatabases } from '../database.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { guardFormOf, parseGuardForm } from '../guard-form.ts'
import { cancelMoveOf, continueCleanup, deleteTenantOf, moveTenant, undoImportOf } from '../jobs.ts'
import {
  type ConfigurationFact,
  mebibytes,
  SettingsPage,
  type SettingsProps,
  YesNo,
} from '../pages/settings.tsx'
import { type TenantForm, TenantsPage } from '../pages/tenants.tsx'
import { requireTenant } from '../require-tenant.ts'
import { fileResponse } from '../stream-of.ts'
import { cancelImportOf, exportedFile, hasFile, startExportOf } from '../transfer-jobs.ts'
import { VERSION } from '../version.ts'
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
const SETTINGS_DONE: Readonly<Record<string, string>> = {
  saved: 'Saved.',
  undone: 'The import is undone. The tenant is empty.',
  undoing: 'The imported data is being deleted.',
  moving: 'The tenant is being moved.',
  cancelled: 'The move is cancelled. The copy is being deleted.',
  exporting: 'The export has begun and continues by itself.',
}

export const tenants = new Hono<AdminEnv>()

tenants.get('/', async (c) => {
  const { first } = await readTogether(c.get('db'), { first: firstTenantQuery() })
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
  const search = (c.req.query('q') ?? '').trim().slice(0, MAX_SEARCH_CHARACTERS)
  const page = await tenantPage(databasesOf(c), after, PAGE_SIZE, search)
  const [found, second] = page.items
  if (
    c.req.query(OPEN) !== undefined &&
    found &&
    (second === undefined || found.id === search.toLowerCase())
  ) {
    return c.redirect(tenantPaths(found.id).overview, 303)
  }
  return c.html(
    <TenantsPage
      administrator={c.get('administrator')}
      tenants={page}
      isFirst={after === ''}
      search={search}
      form={form}
      error={error}
      done={doneMessage(c, TENANTS_DONE)}
    />,
    error?.status ?? 200,
  )
}

/** All databases, for pages that do not belong to one tenant. Batches of the first database also check the session. */
function databasesOf(c: AdminContext): Databases {
  const databases = administrationDatabases(c, c.get('figures'))
  const [first] = databases.names
  return { ...databases, open: (name) => (name === first ? c.get('db') : databases.open(name)) }
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
    requireTenant(await changeTenant(c.get('db'), id, change), id)
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
    requireTenant(await changeTenant(c.get('db'), id, { deprovisionGuard: parseGuardForm(guard) }), id)
    return c.redirect(`${tenantPaths(id).settings}?done=saved`, 303)
  } catch (error) {
    const guardError = formErrorOf(error)
    return await settingsPage(c, { guard, guardError }, guardError.status)
  }
})

tenants.post('/tenants/:tenant/delete', async (c) => {
  const { confirmation = '' } = await readForm(c)
  const { tenant } = await loadWithTenant(c, () => ({}))
  if (confirmation.trim() !== tenant.name) {
    const message = `Must be the name of the tenant: ${tenant.name}`
    return await settingsPage(c, { confirmation, deletionError: { field: 'confirmation', message } }, 400)
  }
  const outcome = await deleteTenantOf(c, tenant.id)
  if (outcome === 'deleting') await continueCleanup(c, tenant.id, 'delete')
  return c.redirect(`${TENANTS_PATH}?done=${outcome ?? 'deleted'}`, 303)
})

tenants.post('/tenants/:tenant/undo-import', async (c) => {
  const { tenant } = await loadWithTenant(c, () => ({}))
  if ((await cancelImportOf(c, tenant.id)) !== undefined) {
    return c.redirect(`${tenantPaths(tenant.id).settings}?done=undoing`, 303)
  }
  // If the form is sent twice, the import is undone already.
  const outcome = (await undoImportOf(c, tenant.id)) ?? 'undone'
  if (outcome === 'undoing') await continueCleanup(c, tenant.id, 'undo-import')
  return c.redirect(`${tenantPaths(tenant.id).settings}?done=${outcome}`, 303)
})

tenants.post('/tenants/:tenant/move', async (c) => {
  const id = c.req.param('tenant')
  const { database = '' } = await readForm(c)
  try {
    await moveTenant(c, id, database)
    return c.redirect(`${tenantPaths(id).settings}?done=moving#database`, 303)
  } catch (error) {
    const moveError = formErrorOf(error)
    return await settingsPage(c, { moveError }, moveError.status)
  }
})

tenants.post('/tenants/:tenant/cancel-move', async (c) => {
  const id = c.req.param('tenant')
  await cancelMoveOf(c, id)
  return c.redirect(`${tenantPaths(id).settings}?done=cancelled#database`, 303)
})

tenants.post('/tenants/:tenant/export', async (c) => {
  const id = c.req.param('tenant')
  try {
    await startExportOf(c, id, false)
    return c.redirect(`${tenantPaths(id).settings}?done=exporting#transfer`, 303)
  } catch (error) {
    const exportError = formErrorOf(error)
    return await settingsPage(c, { exportError }, exportError.status)
  }
})

tenants.get('/tenants/:tenant/jobs/:job/file', async (c) => {
  const { tenant, job } = c.req.param()
  return fileResponse(c, tenant, await exportedFile(c, c.get('db'), tenant, job))
})

async function settingsPage(
  c: AdminContext,
  typed: Pick<
    Partial<SettingsProps>,
    'form' | 'error' | 'guard' | 'guardError' | 'confirmation' | 'deletionError' | 'moveError' | 'exportError'
  >,
  status: 200 | 400 | 409 = 200,
): Promise<Response> {
  const databases = administrationDatabases(c, c.get('figures'))
  const { tenant, here } = await loadWithTenant(c, (id) => ({ here: latestJobsQuery(id) }))
  // The first database has the jobs of all of them.
  const isFirst = c.get('home') === databases.names[0]
  const jobs = isFirst ? here : await latestJobs(catalogueOf(databases), tenant.id)
  const { latest, latestExport } = jobs
  return c.html(
    <SettingsPage
      administrator={c.get('administrator')}
      tenant={tenant}
      database={{ name: c.get('home'), others: databases.names.filter((name) => name !== c.get('home')) }}
      job={latest}
      latestExport={latestExport}
      hasFile={latestExport !== undefined && hasFile(latestExport, c.env.now())}
      form={{
        name: tenant.name,
        groupLimit: String(tenant.groupLimit),
        uniqueGroupNames: String(tenant.uniqueGroupNames),
        profile: tenant.profile,
      }}
      guard={guardFormOf(tenant.deprovisionGuard)}
      {...typed}
      done={doneMessage(c, SETTINGS_DONE)}
      facts={configurationFacts(c)}
    />,
    status,
  )
}

/** The configuration, without the values of secrets. */
function configurationFacts(c: AdminContext): readonly ConfigurationFact[] {
  const { settings } = c.env
  const access = settings.accessTeamDomain ?? settings.accessAudience
  return [
    { name: 'Version', value: VERSION, where: 'the release' },
    {
      name: 'Retention of the provisioning log',
      value: `${settings.logRetentionDays} days`,
      where: 'LOG_RETENTION_DAYS',
    },
    {
      name: 'Retention of events',
      value: `${settings.eventRetentionDays} days`,
      where: 'EVENT_RETENTION_DAYS',
    },
    {
      name: 'Admin token',
      value: <YesNo isSet={Boolean(settings.adminToken)} off="Not set" />,
      where: 'ADMIN_TOKEN',
    },
    {
      name: 'Cloudflare Access',
      value: <YesNo isSet={access !== undefined} off="Not used" />,
      where: 'ACCESS_TEAM_DOMAIN, ACCESS_AUD',
    },
    ...(c.env.replicas ? [{ name: 'Reads from replicas', value: 'On', where: 'READ_REPLICATION' }] : []),
    { name: 'Server-Timing header', value: settings.serverTiming ? 'On' : 'Off', where: 'SERVER_TIMING' },
    {
      name: 'Resources in a page of a list',
      value: number(MAX_PAGE_SIZE),
      where: 'fixed',
    },
    { name: 'Body of a SCIM request', value: mebibytes(MAX_BODY_BYTES), where: 'fixed' },
    { name: 'Operations of a bulk request', value: number(MAX_BULK_OPERATIONS), where: 'fixed' },
    {
      name: 'Group limit of a new tenant',
      value: number(DEFAULT_GROUP_LIMIT),
      where: 'the settings of each tenant',
    },
  ]
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
