/**
 * The federation of a client: connects a new client or an existing one to an issuer, and ends it.
 */
import { Hono } from 'hono'
import { MIN_TOKEN_LIFETIME_SECONDS } from '../../scim/limits.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import { clientQuery, newClientId } from '../../storage/access/clients.ts'
import { putTrust, trustQuery } from '../../storage/access/trusts.ts'
import { check } from '../check.ts'
import { tenantPaths } from '../components/paths.ts'
import { CLIENT_INPUT } from '../contract/clients.ts'
import { refuseBeyondLimits } from '../credential-limits.ts'
import { deleteTrustOf } from '../end-access.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import { trustOf } from '../federation.ts'
import { EMPTY_FORM, type FederationForm, formOf, inputOf } from '../federation-form.ts'
import { FederationPage, RemoveFederationPage } from '../pages/federation.tsx'
import { NoSuchTenant } from '../require-tenant.ts'
import { tenantUrl, tokenUrl } from '../tenant-url.ts'
import { noClient } from './api-keys.tsx'
import { doneMessage, formErrorOf, loadWithTenant, readForm } from './request.ts'

type FormError = ReturnType<typeof formErrorOf>

const DONE: Readonly<Record<string, string>> = {
  connected: 'The federation is stored. Enter the values below in the identity provider.',
}

export const federation = new Hono<AdminEnv>()

federation.get('/:tenant/api-keys/federation', (c) => newPage(c, EMPTY_FORM, undefined))

federation.post('/:tenant/api-keys/federation', async (c) => {
  const tenantId = c.req.param('tenant')
  const sent = await readForm(c)
  const form = typedForm(sent)
  try {
    const id = requireClientId(sent.id, tenantId)
    const { name, scope } = check(CLIENT_INPUT, { name: form.name, scope: form.scope })
    const trust = trustOf(c, id, inputOf(form))
    const client = {
      ...{ id, name, scope, tokenLifetime: MIN_TOKEN_LIFETIME_SECONDS },
      createdAt: c.env.now(),
    }
    if ((await putTrust(c.get('db'), tenantId, trust, client)) === undefined) {
      await refuseBeyondLimits(c.get('db'), tenantId, ['clients'])
      throw new NoSuchTenant(tenantId)
    }
    return c.redirect(`${pathOf(tenantId, id)}?done=connected`, 303)
  } catch (error) {
    return await newPage(c, form, formErrorOf(error))
  }
})

federation.get('/:tenant/api-keys/clients/:id/federation', (c) => clientPage(c, undefined, undefined))

federation.post('/:tenant/api-keys/clients/:id/federation', async (c) => {
  const { tenant: tenantId, id } = c.req.param()
  const form = typedForm(await readForm(c))
  try {
    const trust = trustOf(c, id, inputOf(form))
    if ((await putTrust(c.get('db'), tenantId, trust)) === undefined) throw noClient(tenantId, id)
    return c.redirect(`${pathOf(tenantId, id)}?done=connected`, 303)
  } catch (error) {
    return await clientPage(c, form, formErrorOf(error))
  }
})

federation.get('/:tenant/api-keys/clients/:id/federation/remove', async (c) => {
  const { tenant, client } = await loadClient(c)
  return c.html(
    <RemoveFederationPage administrator={c.get('administrator')} tenant={tenant} client={client} />,
  )
})

federation.post('/:tenant/api-keys/clients/:id/federation/remove', async (c) => {
  const { tenant: tenantId, id } = c.req.param()
  if (!(await deleteTrustOf(c, tenantId, id))) throw noClient(tenantId, id)
  return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=unfederated`, 303)
})

function typedForm(sent: Readonly<Record<string, string | undefined>>): FederationForm {
  const names = Object.keys(EMPTY_FORM) as (keyof FederationForm)[]
  return Object.fromEntries(names.map((name) => [name, sent[name] ?? ''])) as unknown as FederationForm
}

async function newPage(
  c: AdminContext,
  form: FederationForm,
  error: FormError | undefined,
): Promise<Response> {
  const { tenant } = await loadWithTenant(c, () => ({}))
  const fresh = { client: undefined, newClientId: newClientId(tenant.id), isFederated: false }
  return c.html(
    <FederationPage {...shown(c)} {...{ tenant, form, error }} {...fresh} />,
    error?.status ?? 200,
  )
}

/** @param form as typed; undefined: as stored */
async function clientPage(
  c: AdminContext,
  form: FederationForm | undefined,
  error: FormError | undefined,
): Promise<Response> {
  const { tenant, client, trust } = await loadClient(c)
  const stored = trust === undefined ? EMPTY_FORM : formOf(trust)
  return c.html(
    <FederationPage
      {...shown(c)}
      {...{ tenant, client, error, form: form ?? stored }}
      isFederated={trust !== undefined}
      hasOwnKeys={trust?.jwksUri === null}
      done={doneMessage(c, DONE)}
    />,
    error?.status ?? 200,
  )
}

function shown(c: AdminContext) {
  return { administrator: c.get('administrator'), tenantUrl: tenantUrl(c), tokenUrl: tokenUrl(c) }
}

async function loadClient(c: AdminContext) {
  const clientId = c.req.param('id') ?? ''
  const { client, ...loaded } = await loadWithTenant(c, (id) => ({
    client: clientQuery(id, clientId),
    trust: trustQuery(id, clientId),
  }))
  if (client === undefined) throw noClient(loaded.tenant.id, clientId)
  return { ...loaded, client }
}

/** The id in a hidden field of the form. @throws {AdminError} 400 */
function requireClientId(value: string | undefined, tenantId: string): string {
  const random = value?.startsWith(`${tenantId}_`) ? value.slice(tenantId.length + 1) : ''
  if (value !== undefined && /^[A-Za-z0-9_-]{22}$/.test(random)) return value
  throw new AdminError(400, 'invalid', 'The form is incomplete. Open the page again.')
}

function pathOf(tenantId: string, clientId: string): string {
  return `${tenantPaths(tenantId).apiKeys}/clients/${pathSegment(clientId)}/federation`
}
