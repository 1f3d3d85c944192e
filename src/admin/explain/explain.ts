/**
 * Explains a SCIM request: the app handles it like any other, on a database that stores nothing (storage/explain/), and
 * without the group coordinator, the rate limits, the webhooks and the jobs.
 */
import type { Context } from 'hono'
import { QueuedGroupWriter } from '../../provider/groups/queued-group-writer.ts'
import { type HttpEnv, type OpenDatabase, type Runtime, runtimeWith } from '../../runtime.ts'
import { clientQuery } from '../../storage/access/clients.ts'
import { forgetToken, recordUse } from '../../storage/access/known-tokens.ts'
import { generateToken } from '../../storage/access/token-administration.ts'
import { noFigures } from '../../storage/database/database.ts'
import { readTogether } from '../../storage/database/query.ts'
import type { ExplainedEntry, ExplainedEvent } from '../../storage/explain/effects.ts'
import { Explanation } from '../../storage/explain/explained-database.ts'
import type { ExplainedList } from '../../storage/lists/explained-list.ts'
import { tenantQuery } from '../../storage/tenants/queries.ts'
import { AdminError, invalidField } from '../errors.ts'
import { requireTenant } from '../require-tenant.ts'
import { notReady } from '../tenant-state.ts'
import { tenantUrl } from '../tenant-url.ts'
import { adviceOf } from './advice.ts'
import type { ExplainInput } from './input.ts'
import { explainedListOf } from './list.ts'

/** What the request would do. */
export interface Explained {
  readonly status: number
  /** The parsed body of the answer; null if it has none. */
  readonly answer: unknown
  readonly refusal: {
    readonly scimType: string | null
    readonly detail: string
    readonly cause: string | null
    readonly fix: string | null
  } | null
  readonly changes: readonly { readonly attribute: string; readonly old?: unknown; readonly new?: unknown }[]
  readonly members: { readonly added: readonly string[]; readonly removed: readonly string[] }
  /** Null if the request is not logged, or is only counted in an entry of its kind. */
  readonly log: Omit<ExplainedEntry, 'changes'> | null
  readonly events: readonly ExplainedEvent[]
  readonly eventCount: number
  /** Null for a request that is not a list. */
  readonly list: ExplainedList | null
}

type ExplainContext = Pick<Context<HttpEnv>, 'env' | 'get' | 'req'>

/**
 * Explains a request of a client, or of the administrator.
 *
 * @throws {AdminError} 400 for a path that cannot be explained; 404 for an unknown tenant or client; 409 if the tenant is not ready
 */
export async function explainRequest(
  c: ExplainContext,
  tenantId: string,
  input: ExplainInput,
): Promise<Explained> {
  const url = requireUrl(tenantUrl(c), input.path)
  await requireClient(c, tenantId, input.clientId)
  const now = c.env.now()
  const { token, hash } = await generateToken(tenantId)
  const requestId = c.env.newId()
  const ids: string[] = []
  const newId = () => {
    const id = c.env.newId()
    ids.push(id)
    return id
  }
  const explanation = new Explanation(
    { tenantId, id: c.env.newId(), hash, clientId: input.clientId, now },
    { tenantId, requestId, ids },
  )
  const openDatabase: OpenDatabase = (name, figures) => explanation.open(c.env.openDatabase(name, figures))
  const actor = { tenantId, tokenHash: hash, now }
  // The token exists in each batch, so the request needs no check of its own before it.
  recordUse(actor)
  try {
    const runtime = explainedRuntime(c, { openDatabase, newId, now })
    const response = await c.get('dispatch')(requestOf(url, input, { token, requestId }), runtime)
    const text = await response.text()
    // An answer of this server, which may have more members than a body that it accepts.
    const answer: unknown = text === '' ? null : JSON.parse(text)
    const tenant = { actor, resourceTypes: c.get('resourceTypes'), openDatabase: runtime.openDatabase }
    const list = await explainedListOf(tenant, url, input)
    return { ...explainedOf(response.status, answer, explanation), list }
  } finally {
    forgetToken(actor)
  }
}

/** A runtime that nothing remains in. */
function explainedRuntime(
  { env, get, req }: ExplainContext,
  { openDatabase, newId, now }: Pick<Runtime, 'openDatabase' | 'newId'> & { readonly now: number },
): Runtime {
  const groupWriter = new QueuedGroupWriter({
    openDatabase,
    resourceTypes: get('resourceTypes'),
    newId,
    wakeJobs: async () => {},
    now: () => now,
  })
  return runtimeWith(env, {
    openDatabase,
    newId,
    now: () => now,
    groupWriter: () => groupWriter,
    wakeJobs: async () => {},
    pokeWebhooks: () => {},
    later: () => {},
    isAllowed: async () => true,
    replicas: undefined,
    answers: undefined,
    heldBodies: undefined,
    turn: undefined,
    clientAddress: env.clientAddress ?? req.header('CF-Connecting-IP'),
    figures: noFigures(),
    settings: { ...env.settings, requestLog: false, serverTiming: false },
  })
}

function requestOf(
  url: URL,
  { method, body }: ExplainInput,
  { token, requestId }: { readonly token: string; readonly requestId: string },
): Request {
  const hasBody = method !== 'GET' && method !== 'DELETE'
  return new Request(url, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/scim+json',
      'X-Request-Id': requestId,
    },
    ...(hasBody && { body: JSON.stringify(body ?? {}) }),
  })
}

/** @throws {AdminError} 400 */
function requireUrl(base: string, path: string): URL {
  const relative = path.startsWith(base) ? path.slice(base.length) : path.replace(/^\/scim\/v2(?=\/)/, '')
  const url = relative.startsWith('/') && URL.canParse(base + relative) ? new URL(base + relative) : undefined
  const root = new URL(base).pathname
  if (url === undefined || !url.pathname.startsWith(`${root}/`)) {
    throw invalidField(
      'path',
      'a path below the Tenant URL, such as "/Users?filter=userName eq \\"a@b.example\\""',
      path,
    )
  }
  if (/^\/+bulk\/*$/i.test(url.pathname.slice(root.length))) {
    throw invalidField(
      'path',
      'the path of one operation: a bulk request cannot be explained as a whole',
      path,
    )
  }
  return url
}

/** @throws {AdminError} 404, 409 */
async function requireClient(
  c: ExplainContext,
  tenantId: string,
  clientId: string | undefined,
): Promise<void> {
  const { tenant, client } = await readTogether(c.get('db'), {
    tenant: tenantQuery(tenantId),
    client: clientQuery(tenantId, clientId ?? ''),
  })
  const { state } = requireTenant(tenant, tenantId)
  if (state !== 'ready') throw notReady({ id: tenantId, state })
  if (clientId !== undefined && client === undefined) {
    throw new AdminError(404, 'notFound', `tenant "${tenantId}" has no client "${clientId}"`, 'clientId')
  }
}

function explainedOf(status: number, answer: unknown, { effects }: Explanation): Omit<Explained, 'list'> {
  const [entry] = effects.log
  const { changes = [], ...log } = entry ?? {}
  const ofMembers = changes.filter(({ attribute }) => attribute === 'members')
  return {
    status,
    answer,
    refusal: status < 400 ? null : refusalOf(status, answer),
    changes: changes.filter(({ attribute }) => attribute !== 'members'),
    members: {
      added: ofMembers.flatMap((change) => idsOf(change.new)),
      removed: ofMembers.flatMap((change) => idsOf(change.old)),
    },
    log: entry === undefined ? null : (log as Omit<ExplainedEntry, 'changes'>),
    events: effects.events,
    eventCount: effects.eventCount,
  }
}

/** @param answer an Error message (RFC 7644 §3.12) */
function refusalOf(status: number, answer: unknown): NonNullable<Explained['refusal']> {
  const { scimType = null, detail = '' } = (answer ?? {}) as { scimType?: string; detail?: string }
  const { cause = null, fix = null } = adviceOf({ status, scimType, detail }) ?? {}
  return { scimType, detail, cause, fix }
}

function idsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
