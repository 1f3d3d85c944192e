/**
 * The Workers entry: makes a Runtime of the bindings in wrangler.toml, and exports the Durable Object.
 */
import { uuidv7 } from 'uuidv7'
import { createApp } from './app.ts'
import type { GroupCoordinator } from './durable-objects/group-coordinator.ts'
import type { GroupWriteAnswer } from './provider/group-writer.ts'
import { pruneProvisioningLog } from './provider/retention.ts'
import type { RateLimitName, Runtime } from './runtime.ts'
import { noFigures, openDatabase } from './storage/database.ts'
import { type BookmarkKeeper, d1Replicas } from './storage/replicas.ts'
import { finishDeletions } from './storage/tenants.ts'

export { GroupCoordinator } from './durable-objects/group-coordinator.ts'

/** The bindings, variables and secrets of wrangler.toml, as they arrive. */
export interface WorkerEnv {
  readonly DB: D1Database
  readonly GROUP_COORDINATOR: DurableObjectNamespace<GroupCoordinator>
  readonly ADMIN_TOKEN?: string
  readonly SERVER_TIMING?: string
  readonly LOG_RETENTION_DAYS?: string
  readonly ACCESS_TEAM_DOMAIN?: string
  readonly ACCESS_AUD?: string
  readonly REQUEST_LOG?: string
  readonly READ_REPLICATION?: string
  /** What has no binding is not limited. */
  readonly SIGN_IN_LIMIT?: RateLimit
  readonly TOKEN_LIMIT?: RateLimit
  readonly TENANT_LIMIT?: RateLimit
  readonly FAILED_AUTHENTICATION_LIMIT?: RateLimit
}

const DEFAULT_LOG_RETENTION_DAYS = 30

const app = createApp()

export default {
  fetch: (request, env, ctx) => app.fetch(request, runtimeOf(env, ctx), ctx),
  async scheduled({ scheduledTime }, env) {
    const days = retentionDays(env)
    const deleted = await pruneProvisioningLog(openDatabase(env.DB, noFigures()), scheduledTime, days)
    console.log(JSON.stringify({ job: 'prune provisioning log', retentionDays: days, deleted }))
    const tenants = await finishDeletions(openDatabase(env.DB, noFigures()))
    if (tenants.length > 0) console.log(JSON.stringify({ job: 'finish deletions', tenants }))
  },
} satisfies ExportedHandler<WorkerEnv>

function runtimeOf(env: WorkerEnv, ctx: ExecutionContext): Runtime {
  return {
    openDatabase: (figures) => openDatabase(env.DB, figures),
    replicas:
      env.READ_REPLICATION === '1'
        ? d1Replicas(
            env.DB,
            (tenantId) => bookmarkKeeper(env, tenantId),
            (promise) => ctx.waitUntil(promise),
          )
        : undefined,
    groupWriter: (tenantId) => {
      const coordinator = env.GROUP_COORDINATOR.getByName(tenantId)
      return { write: (request) => coordinator.write(request) as Promise<GroupWriteAnswer> }
    },
    now: Date.now,
    newId: uuidv7,
    isAllowed: async (limit, key) => (await rateLimiters(env)[limit]?.limit({ key }))?.success ?? true,
    fetch: (...request) => fetch(...request),
    settings: {
      adminToken: env.ADMIN_TOKEN,
      serverTiming: env.SERVER_TIMING === '1',
      requestLog: env.REQUEST_LOG !== '0',
      logRetentionDays: env.LOG_RETENTION_DAYS ?? String(DEFAULT_LOG_RETENTION_DAYS),
      accessTeamDomain: env.ACCESS_TEAM_DOMAIN || undefined,
      accessAudience: env.ACCESS_AUD || undefined,
    },
  }
}

function bookmarkKeeper(env: WorkerEnv, tenantId: string): BookmarkKeeper {
  const coordinator = env.GROUP_COORDINATOR.getByName(tenantId)
  return {
    get: () => coordinator.getBookmark(),
    keep: (bookmark, mark) => coordinator.keepBookmark(bookmark, mark),
    forget: () => coordinator.forgetBookmark(),
  }
}

function rateLimiters(env: WorkerEnv): Readonly<Record<RateLimitName, RateLimit | undefined>> {
  return {
    signIn: env.SIGN_IN_LIMIT,
    token: env.TOKEN_LIMIT,
    tenant: env.TENANT_LIMIT,
    failedAuthentication: env.FAILED_AUTHENTICATION_LIMIT,
  }
}

/** @throws {Error} naming the variable: a typing mistake must not empty the log */
function retentionDays({ LOG_RETENTION_DAYS }: WorkerEnv): number {
  if (LOG_RETENTION_DAYS === undefined) return DEFAULT_LOG_RETENTION_DAYS
  const days = Number(LOG_RETENTION_DAYS)
  if (Number.isInteger(days) && days >= 1) return days
  throw new Error(`LOG_RETENTION_DAYS must be a whole number of days from 1, found "${LOG_RETENTION_DAYS}"`)
}
