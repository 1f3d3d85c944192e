/**
 * Notes refused tokens for the provisioning log of the tenant that they name. A stranger can name any tenant, so noting
 * costs memory alone, and not much of it; what was noted in some seconds is written with one statement, after the
 * answers and off the group coordinator.
 */
import type { Context } from 'hono'
import type { HttpEnv, OpenDatabase } from '../runtime.ts'
import type { AccessRefused } from '../storage/access-refused.ts'
import { noFigures } from '../storage/database.ts'
import { type FailedAccess, logFailedAccess } from '../storage/failed-access.ts'
import { recallTenant } from '../storage/tenant-context.ts'
import { tenantNamedBy } from '../storage/tokens.ts'
import { bearerToken } from './request.ts'

/** Within what a platform lets run after an answer: https://developers.cloudflare.com/workers/runtime-apis/context/ */
export const GATHERING_MS = 10_000
/** Beyond them nothing more of their kind is noted until they are written. */
const MAX_NOTED = 500

/** Of this isolate, by tenant, token and reason: with a token that the tenant had, and with any other. */
const noted = { withToken: new Map<string, FailedAccess>(), withoutToken: new Map<string, FailedAccess>() }
/** When the writing was last asked for, in milliseconds since 1970. */
let askedAt = Number.NEGATIVE_INFINITY

/** @param refused why the request is answered 401 */
export function noteFailedAccess(c: Context<HttpEnv>, { reason, tokenId }: AccessRefused): void {
  const tenantId = tenantNamedBy(bearerToken(c))
  if (reason === 'wrong scope' || tenantId === undefined) return
  const key = JSON.stringify([tenantId, reason, tokenId])
  // Who makes up names of tenants crowds out no entry about a token that there was.
  const ofKind = tokenId === undefined ? noted.withoutToken : noted.withToken
  const before = ofKind.get(key)
  if (before === undefined && ofKind.size >= MAX_NOTED) return
  const first = before ?? {
    ...{ tenantId, reason, tokenId, id: c.env.newId(), time: c.env.now() },
    ...{ requestId: c.get('requestId'), count: 0 },
  }
  ofKind.set(key, { ...first, count: first.count + 1 })
  const elapsedMs = c.env.now() - askedAt
  // What was asked for can get lost with its request, and a clock can be set back.
  if (elapsedMs >= 0 && elapsedMs < GATHERING_MS) return
  askedAt = c.env.now()
  const [open, types] = [c.env.openDatabase, c.get('resourceTypes')]
  c.env.later(GATHERING_MS, () => write(open, (tenantId) => recallTenant(tenantId, types).database))
}

async function write(
  open: OpenDatabase,
  databaseOf: (tenantId: string) => string | undefined,
): Promise<void> {
  const all = [...noted.withToken.values(), ...noted.withoutToken.values()]
  for (const ofKind of Object.values(noted)) ofKind.clear()
  const byDatabase = Map.groupBy(all, ({ tenantId }) => databaseOf(tenantId))
  for (const [name, some] of byDatabase) {
    try {
      await logFailedAccess(open(name, noFigures()), some)
    } catch (error) {
      console.error(JSON.stringify({ job: 'log failed access', message: String(error) }))
    }
  }
}
