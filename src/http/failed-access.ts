/**
 * Records rejected tokens and client credentials in the provisioning log of the tenant that they name. Anyone can send a token that names a
 * tenant, so recording only uses a limited amount of memory. The records of some seconds are written by one statement,
 * after the responses and without the group coordinator. Records of a tenant that is being moved wait for the next write.
 */
import type { Context } from 'hono'
import type { HttpEnv, OpenDatabase } from '../runtime.ts'
import { HOUR_MS } from '../scim/duration.ts'
import type { AccessRefused } from '../storage/access/access-refused.ts'
import { tenantNamedBy } from '../storage/access/tokens.ts'
import { noFigures } from '../storage/database/database.ts'
import { type FailedAccess, logFailedAccess } from '../storage/log/failed-access.ts'
import { recallTenant } from '../storage/tenants/context.ts'
import { bearerToken } from './request.ts'

/** Less than the time that Workers may run after a response: https://developers.cloudflare.com/workers/runtime-apis/context/ */
export const COLLECTION_MS = 10_000
/** Further records of the same kind are dropped until the pending ones are written. */
const MAX_PENDING = 500

/** A record that could not be written for so long is dropped: a move takes minutes. */
const MAX_PENDING_MS = HOUR_MS

/**
 * The pending records of this isolate, by tenant, reason, token and client: of a token or client that the tenant has or
 * had, and of any other.
 */
const pending = { ofKnown: new Map<string, FailedAccess>(), ofStrangers: new Map<string, FailedAccess>() }
/** When the last write was scheduled, in milliseconds since 1970. */
let scheduledAt = Number.NEGATIVE_INFINITY

/** Records a rejected token for the log. */
export function recordRefusedToken(c: Context<HttpEnv>, { reason, tokenId }: AccessRefused): void {
  const tenantId = tenantNamedBy(bearerToken(c))
  if (reason === 'wrong scope' || reason === 'lapsed' || tenantId === undefined) return
  recordFailedAccess(c, { tenantId, reason, tokenId })
}

/** Records failed access for the log. */
export function recordFailedAccess(
  c: Context<HttpEnv>,
  access: Pick<FailedAccess, 'tenantId' | 'reason' | 'tokenId' | 'clientId'>,
): void {
  add({
    ...{ ...access, id: c.env.newId(), time: c.env.now() },
    ...{ requestId: c.get('requestId'), count: 1 },
  })
  const elapsedMs = c.env.now() - scheduledAt
  // A scheduled write may be lost with its isolate's request, and the clock may be set back.
  if (elapsedMs >= 0 && elapsedMs < COLLECTION_MS) return
  scheduledAt = c.env.now()
  const [{ openDatabase, now }, types] = [c.env, c.get('resourceTypes')]
  const databaseOf = (tenantId: string) => recallTenant(tenantId, types).databaseName
  c.env.later(COLLECTION_MS, () => write(openDatabase, databaseOf, now()))
}

function add(record: FailedAccess): void {
  const { tenantId, reason, tokenId, clientId } = record
  const key = JSON.stringify([tenantId, reason, tokenId, clientId])
  // A stranger who invents names of tenants does not displace the records of tokens and clients that exist or existed.
  const isKnown = tokenId !== undefined || (clientId !== undefined && reason !== 'unknown client')
  const ofKind = isKnown ? pending.ofKnown : pending.ofStrangers
  const before = ofKind.get(key)
  if (before === undefined && ofKind.size >= MAX_PENDING) return
  ofKind.set(key, before === undefined ? record : { ...before, count: before.count + record.count })
}

async function write(
  open: OpenDatabase,
  databaseOf: (tenantId: string) => string | undefined,
  now: number,
): Promise<void> {
  const all = [...pending.ofKnown.values(), ...pending.ofStrangers.values()]
  for (const ofKind of Object.values(pending)) ofKind.clear()
  const byDatabase = Map.groupBy(all, ({ tenantId }) => databaseOf(tenantId))
  for (const [name, some] of byDatabase) {
    try {
      const waiting = await logFailedAccess(open(name, noFigures()), some)
      for (const record of waiting) if (now - record.time < MAX_PENDING_MS) add(record)
    } catch (error) {
      console.error(JSON.stringify({ job: 'log failed access', message: String(error) }))
    }
  }
}
