/**
 * API Keys: rotates, keeps and revokes one token or client secret. The paths differ only in `secrets/`.
 */
import { Hono } from 'hono'
import { generateSecret, rotateSecret, secretsQuery } from '../../storage/access/client-secrets.ts'
import { clientsQuery } from '../../storage/access/clients.ts'
import { type CredentialKind, keepCredential } from '../../storage/access/replacements.ts'
import { generateToken } from '../../storage/access/token-administration.ts'
import { rotateToken, tokensQuery } from '../../storage/access/token-rotation.ts'
import { trustsQuery } from '../../storage/access/trusts.ts'
import { GuardError } from '../../storage/database/database.ts'
import { TenantMoved } from '../../storage/tenants/locations.ts'
import { getTenant } from '../../storage/tenants/queries.ts'
import { tenantPaths } from '../components/paths.ts'
import { refuseBeyondLimits } from '../credential-limits.ts'
import {
  type Access,
  type Credential,
  credentialsOf,
  isLive,
  type Remaining,
  remainingWithout,
  secretCredential,
  successorOf,
  tokenCredential,
} from '../credentials.ts'
import { revokeSecretOf, revokeTokenOf } from '../end-access.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import type { PageTenant } from '../layout.tsx'
import { NewCredentialPage, RevokePage, RotatePage } from '../pages/credentials.tsx'
import { tenantUrl, tokenUrl } from '../tenant-url.ts'
import { loadWithTenant, PageNotFound, readForm, requireUuid } from './request.ts'

const PATHS = { token: '/:tenant/api-keys/:id', secret: '/:tenant/api-keys/secrets/:id' } as const

export const credentials = new Hono<AdminEnv>()

for (const kind of ['token', 'secret'] as const) {
  const path = PATHS[kind]
  credentials.get(`${path}/rotate`, (c) => rotateQuestion(c, kind))
  credentials.post(`${path}/rotate`, (c) => rotate(c, kind))
  credentials.post(`${path}/keep`, (c) => keep(c, kind))
  credentials.get(`${path}/revoke`, async (c) => revokeQuestion(c, await load(c, kind)))
  credentials.post(`${path}/revoke`, (c) => revoke(c, kind))
}

async function rotateQuestion(c: AdminContext, kind: CredentialKind): Promise<Response> {
  const loaded = await load(c, kind)
  const { tenant, credential, all, now } = loaded
  if (!isLive(credential, now) || successorOf(credential, all, now) !== undefined) throw gone(tenant.id, kind)
  return c.html(<RotatePage {...loaded} administrator={c.get('administrator')} newId={c.env.newId()} />)
}

async function rotate(c: AdminContext, kind: CredentialKind): Promise<Response> {
  const { id: newId } = await readForm(c)
  const id = requireUuid(newId)
  const { tenant, credential: old, all, now } = await load(c, kind)
  const isKnown = all.some((one) => one.id === id)
  const { text, stored } = isKnown ? TAKEN : await replacement(c, old, { id, createdAt: now })
  if (stored === 'taken') return c.redirect(`${tenantPaths(tenant.id).apiKeys}?done=known`, 303)
  if (stored === undefined) {
    await refuseBeyondLimits(c.get('db'), tenant.id, [kind === 'token' ? 'tokens' : 'secrets'])
    throw gone(tenant.id, kind)
  }
  return newCredentialPage(c, { tenant, credential: stored, text, old })
}

const TAKEN = { text: '', stored: 'taken' } as const

/** Stores a replacement. @returns the text, which is not stored, and the outcome: see rotateToken */
async function replacement(
  c: AdminContext,
  { kind, id: oldId }: Credential,
  fresh: Pick<Credential, 'id' | 'createdAt'>,
): Promise<{ readonly text: string; readonly stored: Credential | 'taken' | undefined }> {
  const [db, tenantId] = [c.get('db'), c.req.param('tenant') ?? '']
  if (kind === 'secret') {
    const { secret, ...generated } = await generateSecret()
    const stored = await rotateSecret(db, tenantId, oldId, { ...fresh, ...generated })
    return { text: secret, stored: typeof stored === 'object' ? secretCredential(stored) : stored }
  }
  const { token, ...generated } = await generateToken(tenantId)
  const stored = await rotateToken(db, tenantId, oldId, { ...fresh, ...generated })
  return { text: token, stored: typeof stored === 'object' ? newTokenCredential(stored) : stored }
}

/** A token that was just stored. */
export function newTokenCredential(
  token: Omit<Parameters<typeof tokenCredential>[0], 'lastUsedAt' | 'revokedAt' | 'replacedBy'>,
): Credential {
  return tokenCredential({ ...token, lastUsedAt: null, revokedAt: null, replacedBy: null })
}

/** The page with a new token or secret. */
export async function newCredentialPage(
  c: AdminContext,
  shown: {
    readonly tenant?: PageTenant
    readonly credential: Credential
    readonly text: string
    readonly old?: Credential
  },
): Promise<Response> {
  const id = c.req.param('tenant') ?? ''
  const tenant = shown.tenant ?? {
    ...{ id, name: id, ...(await getTenant(c.get('db'), id)) },
    resourceTypes: c.get('resourceTypes'),
  }
  const urls = { tenantUrl: tenantUrl(c), tokenUrl: tokenUrl(c) }
  return c.html(
    <NewCredentialPage {...{ ...shown, ...urls, tenant }} administrator={c.get('administrator')} />,
    201,
  )
}

async function keep(c: AdminContext, kind: CredentialKind): Promise<Response> {
  const { tenant: tenantId = '', id = '' } = c.req.param()
  if (!(await keepCredential(c.get('db'), kind, tenantId, id))) throw gone(tenantId, kind)
  return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=kept`, 303)
}

function revokeQuestion(c: AdminContext, loaded: Loaded, hasChanged = false): Response | Promise<Response> {
  const props = { ...loaded, remaining: remainingOf(loaded), hasChanged }
  return c.html(<RevokePage {...props} administrator={c.get('administrator')} />, hasChanged ? 409 : 200)
}

/** Ends access, unless less would remain to the client than the form said. */
async function revoke(c: AdminContext, kind: CredentialKind): Promise<Response> {
  const { tenant: tenantId = '', id = '' } = c.req.param()
  const { remaining: said } = await readForm(c)
  const loaded = await loadForRevocation(c, kind)
  if (loaded !== undefined && RANKS[remainingOf(loaded)] < (RANKS[said as Remaining] ?? RANKS.used)) {
    return await revokeQuestion(c, loaded, true)
  }
  const isRevoked = await (kind === 'token'
    ? revokeTokenOf(c, tenantId, id)
    : revokeSecretOf(c, tenantId, { id }))
  if (!isRevoked) throw gone(tenantId, kind)
  const done = kind === 'token' ? 'revoked' : 'secret-revoked'
  return c.redirect(`${tenantPaths(tenantId).apiKeys}?done=${done}`, 303)
}

/** The less remains, the lower. */
const RANKS: Readonly<Record<Remaining, number>> = { nothing: 0, unused: 1, used: 2 }

function remainingOf({ credential, access, now }: Loaded): Remaining {
  return isLive(credential, now) ? remainingWithout(credential, access, now) : 'used'
}

interface Loaded {
  readonly tenant: PageTenant
  readonly credential: Credential
  readonly all: readonly Credential[]
  readonly access: Access
  readonly client: Awaited<ReturnType<typeof loadAccess>>['clients'][number] | undefined
  readonly now: number
}

/** The credential in the path, with all others. @throws {PageNotFound} if there is none, or it was revoked */
async function load(c: AdminContext, kind: CredentialKind): Promise<Loaded> {
  const { tenant, clients, ...access } = await loadAccess(c)
  const all = credentialsOf(access)
  const id = c.req.param('id')
  const credential = all.find((one) => one.kind === kind && one.id === id && one.revokedAt === null)
  if (credential === undefined) throw gone(tenant.id, kind)
  const client = clients.find((one) => one.id === credential.clientId)
  return { tenant, credential, all, access, client, now: c.env.now() }
}

async function loadAccess(c: AdminContext) {
  return await loadWithTenant(c, (tenantId) => ({
    clients: clientsQuery(tenantId),
    tokens: tokensQuery(tenantId),
    secrets: secretsQuery(tenantId),
    trusts: trustsQuery(tenantId),
  }))
}

/**
 * Likewise, before access ends. That works even while the tenant is moved, when its database refuses this read, and a second
 * time, in case the first one was not reported everywhere.
 *
 * @returns undefined if there is nothing to ask about
 */
async function loadForRevocation(c: AdminContext, kind: CredentialKind): Promise<Loaded | undefined> {
  try {
    return await load(c, kind)
  } catch (error) {
    const isMoving = error instanceof GuardError && error.rule === 'moving'
    if (error instanceof TenantMoved || error instanceof PageNotFound || isMoving) return undefined
    throw error
  }
}

function gone(tenantId: string, kind: CredentialKind): PageNotFound {
  return new PageNotFound(
    `This tenant has no ${kind} with this id, or it was revoked, rotated or kept already.`,
    [['API Keys', tenantPaths(tenantId).apiKeys]],
  )
}
