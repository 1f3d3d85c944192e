/**
 * A tenant with long, hostile and bidirectional values in every table, and the addresses of every page that shows it.
 */
import { PAGES } from '../../../src/admin/people/operations.ts'
import { admin, newTenant } from './browser.ts'

export type Tenant = Awaited<ReturnType<typeof newTenant>>

export interface HostileTenant extends Tenant {
  /** By handler: each GET in PAGES that shows a page. */
  readonly pages: Readonly<Record<string, readonly string[]>>
}

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const EXTENSION = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const LONG_EXTENSION = `urn:ietf:params:scim:schemas:extension:${'quillfern-field-crew-'.repeat(4)}acme:2.0:User`
const GUIDES = ['entra', 'entra-custom', 'okta', 'onelogin', 'jumpcloud', 'google', 'other']
const DAY_MS = 24 * 60 * 60 * 1000
export const SCRIPT = '<script>alert(1)</script>'
export const IMAGE = '<img src=x onerror=alert(2)>'

/** Names of many scripts and directions, without a place to break, and with characters that hide or turn round the text. */
const NAMES = [
  'شركة النور للتجارة والمقاولات (فرع القاهرة)',
  'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverleihungsurkunde',
  'Bezirksschornsteinfegermeisterin Müller-Lüdenscheidt von und zu Hohenzollern-Sigmaringen',
  'abc\u202Eexe.png',
  '\u200B\u200B\u200B',
  'e\u0301\u0323\u0327'.repeat(60),
  '👩‍👩‍👧‍👦'.repeat(40),
  `https://quillfern.example/${'path/'.repeat(60)}`,
]

/** At most 100 characters, as names of clients and credentials are. */
const SHORT_NAMES = NAMES.map((name) => name.slice(0, 100).toWellFormed()).filter((name) => /\w/u.test(name))

/** Handlers whose answer is a file. */
export const DOWNLOADS: readonly string[] = Object.keys(PAGES).filter((handler) =>
  /^GET .*(?:\.csv|\.json|\/file)$/.test(handler),
)

/** Handlers that show a page. */
export const SHOWN_PAGES: readonly string[] = Object.keys(PAGES).filter(
  (handler) => handler.startsWith('GET ') && !DOWNLOADS.includes(handler),
)

export async function hostileTenant(): Promise<HostileTenant> {
  const tenant = await newTenant()
  const made = await fill(tenant)
  return { ...tenant, pages: await pagesOf(tenant, made) }
}

type Made = Awaited<ReturnType<typeof fill>>

async function fill(tenant: Tenant) {
  const { user, group } = await createDirectory(tenant)
  await createSchemas(tenant)
  const access = await createClients(tenant)
  const webhook = await failingWebhook(tenant)
  await meetSources(tenant)
  const disabled = await disabledUser(tenant)
  const deleted = await deletedUser(tenant)
  return { user, group, webhook, disabled, deleted, ...access, ...(await createJobs(tenant)) }
}

async function pagesOf(tenant: Tenant, made: Made): Promise<HostileTenant['pages']> {
  const { user, group, webhook, disabled, deleted, clientId, secretId, adminTokenId, undoId } = made
  const at = tenant.path
  const below = `GET /admin/tenants/:tenant`
  const window = 'from=2026-01-01T00:00&to=2100-01-01T00:00'
  return {
    'GET /admin': ['/admin'],
    'GET /admin/tenants': ['/admin/tenants', '/admin/tenants?q=nobody'],
    'GET /admin/administrators': ['/admin/administrators'],
    'GET /admin/administrators/tokens/:id/revoke': [`/admin/administrators/tokens/${adminTokenId}/revoke`],
    'GET /admin/audit': ['/admin/audit'],
    'GET /admin/limits': ['/admin/limits'],
    [below]: [at],
    [`${below}/audit`]: [`${at}/audit`],
    [`${below}/settings`]: [`${at}/settings`],
    [`${below}/transfer`]: [`${at}/transfer`],
    [`${below}/:segment`]: [`${at}/users`, `${at}/users?q=nobody`, `${at}/users?q=quillfern`, `${at}/groups`],
    [`${below}/:segment/:id`]: [`${at}/users/${user}`, `${at}/users/${disabled}`, `${at}/groups/${group}`],
    [`${below}/:segment/:id/disable`]: [`${at}/users/${user}/disable`],
    [`${below}/connect`]: [`${at}/connect`],
    [`${below}/connect/:guide`]: [
      ...GUIDES.map((guide) => `${at}/connect/${guide}`),
      `${at}/connect/entra?client=${clientId}`,
    ],
    [`${below}/api-keys`]: [`${at}/api-keys`],
    [`${below}/api-keys/:id/rotate`]: [`${at}/api-keys/${tenant.tokenId}/rotate`],
    [`${below}/api-keys/:id/revoke`]: [`${at}/api-keys/${tenant.tokenId}/revoke`],
    [`${below}/api-keys/clients/:id/delete`]: [`${at}/api-keys/clients/${clientId}/delete`],
    [`${below}/api-keys/secrets/:id/rotate`]: [`${at}/api-keys/secrets/${secretId}/rotate`],
    [`${below}/api-keys/secrets/:id/revoke`]: [`${at}/api-keys/secrets/${secretId}/revoke`],
    [`${below}/api-keys/federation`]: [`${at}/api-keys/federation`],
    [`${below}/api-keys/clients/:id/federation`]: [
      `${at}/api-keys/clients/${clientId}/federation?done=connected`,
    ],
    [`${below}/api-keys/clients/:id/federation/remove`]: [
      `${at}/api-keys/clients/${clientId}/federation/remove`,
    ],
    [`${below}/log`]: [`${at}/log`, `${at}/log?q=s`, `${at}/log?outcome=refused&type=User`],
    [`${below}/log/:id`]: [
      `${at}/log/${await latestEntry(tenant)}`,
      `${at}/log/${await latestRefusal(tenant)}`,
    ],
    [`${below}/explain`]: [`${at}/explain`, `${at}/explain?entry=${await latestRefusal(tenant)}`],
    [`${below}/drift`]: [`${at}/drift`],
    [`${below}/schemas`]: [`${at}/schemas`],
    [`${below}/schemas/remove`]: [`${at}/schemas/remove?urn=${EXTENSION}`],
    [`${below}/webhooks`]: [`${at}/webhooks`],
    [`${below}/webhooks/:id`]: [`${at}/webhooks/${webhook}`],
    [`${below}/webhooks/:id/delete`]: [`${at}/webhooks/${webhook}/delete`],
    [`${below}/sources`]: [`${at}/sources?done=counted`],
    [`${below}/deleted`]: [`${at}/deleted`],
    [`${below}/deleted/:id/restore`]: [`${at}/deleted/${deleted}/restore`],
    [`${below}/deleted/:id/erase`]: [`${at}/deleted/${deleted}/erase`],
    [`${below}/history/:id`]: [`${at}/history/${user}`],
    [`${below}/undo`]: [`${at}/undo`, `${at}/undo?client=${clientId}&${window}`],
    [`${below}/undo/:id`]: [`${at}/undo/${undoId}`],
  }
}

async function create(tenant: Tenant, path: string, resource: Record<string, unknown>, token?: string) {
  const schemas = path === '/Users' ? [USER] : undefined
  const response = await tenant.scim('POST', path, { ...resource, schemas }, token)
  return (await response.json()) as { id: string }
}

async function createDirectory(tenant: Tenant) {
  const script = { userName: SCRIPT, displayName: IMAGE, active: true }
  const { id: user } = await create(tenant, '/Users', script)
  const inactive = { userName: 'mirela@quillfern.example', active: false, nickName: 'a'.repeat(300) }
  await create(tenant, '/Users', inactive)
  const members = [{ value: user }]
  for (const [i, displayName] of NAMES.entries()) {
    const userName = `${displayName.slice(0, 200)}${i}`
    const { id } = await create(tenant, '/Users', { userName, externalId: 'x'.repeat(250), displayName })
    members.push({ value: id })
  }
  const { id: group } = await create(tenant, '/Groups', { displayName: 'Field Crew', members })
  await create(tenant, '/Groups', {
    displayName: NAMES[0],
    externalId: 'y'.repeat(250),
    members: [{ value: group }],
  })
  for (let i = 0; i < 16; i++) await create(tenant, '/Groups', { displayName: `Group ${i}` })
  for (let i = 0; i < 12; i++) await create(tenant, '/Users', { userName: SCRIPT })
  return { user, group }
}

async function createSchemas({ id }: Tenant): Promise<void> {
  for (const urn of [EXTENSION, LONG_EXTENSION]) {
    await admin('PUT', `/tenants/${id}/schemas/${urn}`, {
      id: urn,
      description: SCRIPT,
      attributes: [
        { name: 'badge', description: SCRIPT, indexed: true },
        { name: 'a'.repeat(64), type: 'complex', subAttributes: [{ name: 'b'.repeat(64) }] },
      ],
    })
  }
}

/** Clients with tokens, secrets and federation; and a named token of an administrator. */
async function createClients({ id: tenantId }: Tenant) {
  const clients = `/tenants/${tenantId}/clients`
  const { id } = await admin('POST', clients, { name: 'Microsoft Entra ID' })
  const expiresAt = new Date(Date.now() + 6 * DAY_MS).toISOString()
  const secret = { name: 'Microsoft Entra ID, spring 2027', expiresAt }
  const { id: secretId } = await admin('POST', `${clients}/${id}/secrets`, secret)
  for (const name of SHORT_NAMES) {
    await admin('POST', `/tenants/${tenantId}/tokens`, { name, scope: 'read', expiresAt })
    await admin('POST', `${clients}/${id}/secrets`, { name, expiresAt })
  }
  const { id: clientId } = await admin('POST', clients, { name: SCRIPT })
  await admin('PUT', `${clients}/${clientId}/federation`, {
    issuer: `https://login.microsoftonline.com/${SCRIPT}/v2.0`,
    jwksUri: 'https://login.microsoftonline.com/tenant/discovery/v2.0/keys',
    subject: SCRIPT,
    audiences: ['a'.repeat(300), SCRIPT],
  })
  const [name] = SHORT_NAMES
  const held = { name, role: 'viewer', tenants: [tenantId], expiresAt }
  const { id: adminTokenId } = await admin('POST', '/administrators/tokens', held)
  return { clientId, secretId, adminTokenId }
}

/** A webhook with deliveries, to a port that nobody listens on. @returns its id */
async function failingWebhook(tenant: Tenant): Promise<string> {
  const path = `/tenants/${tenant.id}/webhooks`
  await admin('POST', path, { url: `http://127.0.0.1:9/${'path/'.repeat(60)}` })
  const { id } = await admin('POST', path, { url: `http://127.0.0.1:9/${'a'.repeat(100)}` })
  await admin('POST', `${path}/${id}/secrets`)
  await create(tenant, '/Users', { userName: 'tavish@quillfern.example' })
  await admin('POST', `${path}/${id}/test`)
  return id
}

/** Conflicts with a second client, and the mode in which a page shows the owner. */
async function meetSources(tenant: Tenant): Promise<void> {
  const [, name] = SHORT_NAMES
  const { token } = await admin('POST', `/tenants/${tenant.id}/tokens`, { name })
  const externalId = 'a'.repeat(200)
  await create(tenant, '/Users', { userName: 'second@quillfern.example', externalId }, token)
  await create(tenant, '/Users', { userName: 'third@quillfern.example', externalId })
  await create(tenant, '/Users', { userName: SCRIPT, externalId }, token)
  await create(tenant, '/Groups', { displayName: NAMES[0] }, token)
  await admin('PATCH', `/tenants/${tenant.id}`, { sourceMode: 'owner' })
}

/** A user whom an administrator has disabled, with a reason of many scripts. @returns its id */
async function disabledUser(tenant: Tenant): Promise<string> {
  const user = { userName: 'disabled@quillfern.example', displayName: NAMES[3] }
  const { id } = await create(tenant, '/Users', user)
  const reason = NAMES.join(' ').slice(0, 200).toWellFormed()
  await admin('POST', `/tenants/${tenant.id}/users/${id}/disable`, { reason })
  return id
}

/** A user that was deleted, whose name another one has by now. @returns its id */
async function deletedUser(tenant: Tenant): Promise<string> {
  const userName = `${SCRIPT} ${NAMES[0]}`
  const user = { userName, displayName: NAMES[1], nickName: 'z'.repeat(300) }
  const { id } = await create(tenant, '/Users', user)
  await tenant.scim('DELETE', `/Users/${id}`)
  await create(tenant, '/Users', { userName })
  return id
}

/** An undo of a client of its own, and a finished export. @returns the id of the undo */
async function createJobs(tenant: Tenant) {
  const { token, clientId } = await admin('POST', `/tenants/${tenant.id}/tokens`, { name: 'Trial' })
  for (const [i, displayName] of NAMES.entries()) {
    await create(tenant, '/Users', { userName: `trial-${i}@quillfern.example`, displayName }, token)
  }
  const [from, to] = [Date.now() - DAY_MS, Date.now() + 1000].map((time) => new Date(time).toISOString())
  const { id: undoId } = await admin('POST', `/tenants/${tenant.id}/undo`, { clientId, from, to })
  await untilDone(tenant, undoId)
  const { id: exportId } = await admin('POST', `/tenants/${tenant.id}/exports`)
  await untilDone(tenant, exportId)
  return { undoId }
}

const JOB_TIMEOUT_MS = 30_000

async function untilDone(tenant: Tenant, jobId: string): Promise<void> {
  const end = Date.now() + JOB_TIMEOUT_MS
  let state: unknown
  do {
    await new Promise((done) => setTimeout(done, 200))
    state = (await admin('GET', `/tenants/${tenant.id}/jobs/${jobId}`)).state
    if (state === 'done') return
  } while (Date.now() < end)
  throw new Error(`the job is ${state} after ${JOB_TIMEOUT_MS} ms`)
}

async function latestRefusal(tenant: Tenant): Promise<string> {
  const path = `/tenants/${tenant.id}/log?outcome=refused&resourceType=User`
  return (await admin('GET', path)).entries[0].id
}

/** The id of the newest entry of the log. */
async function latestEntry(tenant: Tenant): Promise<string> {
  return (await admin('GET', `/tenants/${tenant.id}/log`)).entries[0].id
}
