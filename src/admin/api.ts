/**
 * The admin API: tenants, tokens and the provisioning log as JSON, for scripts. Authenticated by
 * ADMIN_TOKEN; it is not a token of a client and opens nothing under /scim/v2.
 */

import { type Context, Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { createMiddleware } from 'hono/factory'
import { timingSafeEqual } from 'hono/utils/buffer'
import { readText } from '../edge/body.ts'
import { isShutOut, noteRefusal } from '../edge/refusals.ts'
import type { HttpEnv } from '../runtime.ts'
import { quote, shorten } from '../scim/error.ts'
import { MAX_ADMIN_BODY_BYTES } from '../scim/limits.ts'
import { noFigures } from '../storage/database.ts'
import { type ListedEntry, type LogFilters, logPageQuery } from '../storage/log-pages.ts'
import { readTogether } from '../storage/query.ts'
import { tenantQuery } from '../storage/tenant-queries.ts'
import { deleteTenant, getTenant, insertTenant, listTenants, type Tenant } from '../storage/tenants.ts'
import { generateToken, insertToken, listTokens, revokeToken, type TokenInfo } from '../storage/tokens.ts'
import { changeTenant } from './change-tenant.ts'
import { administrationDatabase } from './database.ts'
import { AdminError, adminErrorResponse, invalidField } from './errors.ts'
import {
  expiresAt,
  groupLimit,
  type Input,
  name,
  requireObject,
  tenantId,
  tokenScope,
  uniqueGroupNames,
} from './input.ts'
import { reportTenant } from './replicas.ts'
import { tenantUrl } from './tenant-url.ts'
import { notReady, transfer } from './transfer.ts'

const LOG_PAGE_SIZE = 100
const WHOLE_CHANGES = Number.MAX_SAFE_INTEGER

/** The admin API as an app of its own; mounted at /admin/api. */
export function adminApi(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  app.onError((error, c) => adminErrorResponse(c, error))
  app.use(adminAuth)
  app.use(async (c, next) => {
    c.set('db', administrationDatabase(c, noFigures()))
    await next()
    c.res.headers.set('Cache-Control', 'no-store')
  })
  app.use('/tenants/:tenant/*', reportTenant)
  app.route('/', transfer)

  app.get('/tenants', async (c) => c.json({ tenants: (await listTenants(c.get('db'))).map(tenantJson) }))
  app.post('/tenants', async (c) => {
    const input = await readInput(c)
    const tenant = {
      id: tenantId(input),
      name: name(input),
      groupLimit: groupLimit(input),
      uniqueGroupNames: uniqueGroupNames(input),
      createdAt: c.env.now(),
    }
    if (!(await insertTenant(c.get('db'), tenant))) {
      const present = await getTenant(c.get('db'), tenant.id)
      if (present?.state === 'deleting') throw notReady(present)
      throw new AdminError(409, 'conflict', `there is a tenant "${tenant.id}" already`, 'id')
    }
    const counts = { userCount: 0, activeUserCount: 0, groupCount: 0, membershipCount: 0 }
    const made = tenantJson({ ...tenant, ...counts, state: 'ready', importedLines: null })
    return c.json(made, 201, { Location: `/admin/api/tenants/${tenant.id}` })
  })
  app.get('/tenants/:id', async (c) => c.json(tenantJson(await requireTenant(c))))
  app.patch('/tenants/:id', async (c) => {
    const input = await readInput(c)
    const tenant = await changeTenant(c.get('db'), c.req.param('id'), {
      name: input.name === undefined ? undefined : name(input),
      groupLimit: input.groupLimit === undefined ? undefined : groupLimit(input),
      uniqueGroupNames: input.uniqueGroupNames === undefined ? undefined : uniqueGroupNames(input),
    })
    if (tenant === undefined) throw noTenant(c.req.param('id'))
    return c.json(tenantJson(tenant))
  })
  app.delete('/tenants/:id', async (c) => {
    const outcome = await deleteTenant(c.get('db'), c.get('resourceTypes'), c.req.param('id'))
    if (outcome === undefined) throw noTenant(c.req.param('id'))
    return outcome === 'deleted' ? c.body(null, 204) : c.json({ state: 'deleting' }, 202)
  })

  app.get('/tenants/:id/tokens', async (c) => {
    const tenant = await requireTenant(c)
    const tokens = await listTokens(c.get('db'), tenant.id)
    return c.json({ tokens: tokens.map(tokenJson) })
  })
  app.post('/tenants/:id/tokens', async (c) => {
    const input = await readInput(c)
    const now = c.env.now()
    const token = {
      id: c.env.newId(),
      name: name(input),
      scope: tokenScope(input),
      createdAt: now,
      expiresAt: expiresAt(input, now),
    }
    const id = c.req.param('id')
    const { token: secret, hash } = await generateToken(id)
    if (!(await insertToken(c.get('db'), id, { ...token, hash }))) throw notReady(await requireTenant(c))
    const {
      lastUsedAt: _,
      revokedAt: __,
      ...shown
    } = tokenJson({ ...token, lastUsedAt: null, revokedAt: null })
    // The only answer that ever holds the token.
    return c.json({ ...shown, tenantUrl: tenantUrl(c), token: secret }, 201)
  })
  app.delete('/tenants/:id/tokens/:tokenId', async (c) => {
    const { id, tokenId } = c.req.param()
    if (!(await revokeToken(c.get('db'), id, tokenId, c.env.now()))) {
      throw new AdminError(404, 'notFound', `tenant ${quote(id)} has no token ${quote(tokenId)}`)
    }
    return c.body(null, 204)
  })

  app.get('/tenants/:id/log', async (c) => {
    const id = c.req.param('id')
    const { tenant, page } = await readTogether(c.get('db'), {
      tenant: tenantQuery(id),
      page: logPageQuery(id, logFilters(c), logCursor(c), LOG_PAGE_SIZE, WHOLE_CHANGES),
    })
    if (tenant === undefined) throw noTenant(id)
    return c.json({ entries: page.entries.map(entryJson), nextCursor: page.next ?? null })
  })
  // Ends here: the dashboard is mounted around the API and must not answer for it.
  app.all('*', (c) => {
    throw new AdminError(404, 'notFound', `there is no ${shorten(c.req.path)}`)
  })
  return app
}

/** The answer for a path that leads nowhere. */
export function adminNotFound(c: Context<HttpEnv>): Response {
  return adminErrorResponse(c, new AdminError(404, 'notFound', `there is no ${shorten(c.req.path)}`))
}

/** The answer of a server that serves nothing, because a setting has a value that is not allowed. */
export function adminMisconfigured(c: Context<HttpEnv>): Response {
  const message = 'the server is not configured: its log names the setting'
  return adminErrorResponse(c, new AdminError(503, 'notConfigured', message))
}

/**
 * The administrator's token, compared in constant time. Without one configured nobody is let in. An address with too
 * many refused tokens is refused before the comparison, the right token too: else it could go on guessing. Nothing of
 * a request is read before.
 */
const adminAuth = createMiddleware<HttpEnv>(async function adminAuth(c, next) {
  const { adminToken } = c.env.settings
  if (!adminToken) {
    throw new AdminError(
      503,
      'notConfigured',
      'ADMIN_TOKEN is not set: on Cloudflare set it with "npx wrangler secret put ADMIN_TOKEN"',
    )
  }
  const refused = () => ({
    error: { code: 'unauthorized', message: 'Authorization: Bearer <ADMIN_TOKEN> is needed' },
  })
  const authenticate = bearerAuth<HttpEnv>({
    realm: 'scim-worker admin',
    verifyToken: (token) => timingSafeEqual(token, adminToken),
    noAuthenticationHeader: { message: refused },
    invalidAuthenticationHeader: { message: refused },
    invalidToken: { message: refused },
  })
  if (isShutOut('admin', c)) throw tooManyRefusals()
  let isRefused = true
  try {
    return await authenticate(c, async () => {
      isRefused = false
      await next()
    })
  } catch (error) {
    throw isRefused && (await noteRefusal('admin', c)) ? tooManyRefusals() : error
  }
})

function tooManyRefusals(): AdminError {
  return new AdminError(429, 'tooMany', 'too many refused tokens from this address; try again later')
}

async function readInput(c: Context<HttpEnv>): Promise<Input> {
  const text = await readText(c, MAX_ADMIN_BODY_BYTES, 'administration')
  try {
    return requireObject(JSON.parse(text))
  } catch (error) {
    if (error instanceof AdminError) throw error
    throw new AdminError(400, 'invalid', 'the body is not JSON')
  }
}

async function requireTenant(c: Context<HttpEnv>): Promise<Tenant> {
  const id = c.req.param('id') ?? ''
  const tenant = await getTenant(c.get('db'), id)
  if (tenant === undefined) throw noTenant(id)
  return tenant
}

function noTenant(id: string): AdminError {
  return new AdminError(404, 'notFound', `there is no tenant ${quote(id)}`)
}

function logCursor(c: Context<HttpEnv>): string | undefined {
  const cursor = c.req.query('cursor')
  if (cursor && !/^[0-9a-f-]{36}$/.test(cursor))
    throw invalidField('cursor', 'a nextCursor of this log', cursor)
  return cursor || undefined
}

function logFilters(c: Context<HttpEnv>): LogFilters {
  const { resourceType, outcome, q } = c.req.query()
  const types = c.get('resourceTypes').map(({ name }) => name)
  if (resourceType && !types.includes(resourceType)) {
    throw invalidField('resourceType', types.map((name) => `"${name}"`).join(' or '), resourceType)
  }
  if (outcome && outcome !== 'accepted' && outcome !== 'refused') {
    throw invalidField('outcome', '"accepted" or "refused"', outcome)
  }
  return { resourceType: resourceType || undefined, outcome: outcome || undefined, text: q || undefined }
}

function entryJson({ changes, tokenName, ...entry }: ListedEntry) {
  return { ...entry, time: isoTime(entry.time), changes: changes ?? [], tokenName: tokenName ?? null }
}

function tenantJson({ importedLines, membershipCount: _, ...tenant }: Tenant) {
  return {
    ...tenant,
    createdAt: isoTime(tenant.createdAt),
    ...(importedLines !== null && { importedLines }),
  }
}

function tokenJson({ createdAt, expiresAt: expires, lastUsedAt, revokedAt, ...token }: TokenInfo) {
  return {
    ...token,
    createdAt: isoTime(createdAt),
    expiresAt: expires === null ? null : isoTime(expires),
    lastUsedAt: lastUsedAt === null ? null : isoTime(lastUsedAt),
    revokedAt: revokedAt === null ? null : isoTime(revokedAt),
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
