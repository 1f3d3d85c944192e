/**
 * The Workers entry: makes a Runtime from the bindings in wrangler.toml, and exports the Durable Objects.
 */
import { createApp } from './app.ts'
import { bindingOf, checkedBinding, databaseNames, databasesOf, MAX_DATABASE_BYTES } from './bindings.ts'
import { pokeSenders } from './durable-objects/webhook-sender.ts'
import { idGenerator } from './id-generator.ts'
import { loadBackgroundWork } from './parts.ts'
import type { AwaitedPosition } from './provider/events/event-waiters.ts'
import type { GroupWriteAnswer, GroupWriteRequest } from './provider/groups/group-writer.ts'
import { MAX_GROUP_WRITE_MS } from './provider/groups/queued-group-writer.ts'
import { postByFetch } from './provider/webhooks/post.ts'
import type { RateLimitName, Runtime } from './runtime.ts'
import {
  isOn,
  SettingError,
  SHARED_DEFAULTS,
  type SharedSettings,
  sharedSettings,
  type Values,
} from './settings.ts'
import {
  MAX_QUERIES,
  MAX_QUERIES_FREE,
  noFigures,
  openDatabase,
  withTimeout,
} from './storage/database/database.ts'
import { probeTakenBack, rememberedHealth } from './storage/database/health.ts'
import { CurrentWrites, type Joint, withJointWrites } from './storage/database/joint-writes.ts'
import { type BookmarkHolder, d1Replicas, type Replicas } from './storage/database/replicas.ts'
import { RESOURCE_TYPES } from './storage/tables/resource-tables.ts'
import { tenantsWithJobs } from './storage/tenants/jobs.ts'
import { catalogueOf, type Databases } from './storage/tenants/locations.ts'
import type { WebhookAddress } from './storage/webhooks/delivery.ts'

export { GroupCoordinator } from './durable-objects/group-coordinator.ts'
export { WebhookSender } from './durable-objects/webhook-sender.ts'

/** Secrets, and variables that wrangler.toml does not set. */
export interface OptionalVariables {
  readonly ADMIN_TOKEN?: string
  readonly SERVER_TIMING?: string
  readonly ACCESS_TEAM_DOMAIN?: string
  readonly ACCESS_AUD?: string
  readonly ADMIN_ROLES?: string
  readonly OIDC_ISSUER?: string
  readonly OIDC_CLIENT_ID?: string
  readonly OIDC_CLIENT_SECRET?: string
  readonly OIDC_SCOPES?: string
  readonly OIDC_GROUPS_CLAIM?: string
  readonly REQUEST_LOG?: string
  readonly LOG_BODIES?: string
  readonly READ_REPLICATION?: string
  readonly PUBLIC_URL?: string
  readonly FEDERATION_HOSTS?: string
  readonly ALLOW_LOOPBACK_WEBHOOKS?: string
}

/** The bindings without which a Worker does not run. The others are optional: without a rate limiter, nothing is limited. */
type RequiredBinding = 'DB' | 'GROUP_COORDINATOR' | 'WEBHOOK_SENDER'

/** The variables and the bindings of wrangler.toml, as `wrangler types` generates them (worker-configuration.d.ts). */
export interface WorkerEnv
  extends OptionalVariables,
    Readonly<Pick<Cloudflare.Env, RequiredBinding>>,
    Readonly<Partial<Omit<Cloudflare.Env, RequiredBinding>>> {}

/**
 * Statements of the hourly run beside those of `maintain`: two for jobs, and in a new isolate the identity checks of up to
 * three databases.
 */
const OTHER_STATEMENTS = 5
/** The trigger in wrangler.toml that reconciles databases. It has its own limit of statements. */
const RECONCILE_CRON = '47 * * * *'

const DEFAULTS = { ...SHARED_DEFAULTS, READ_REPLICATION: '0' } as const

const app = createApp()
const newId = idGenerator()

export default {
  fetch: (request, env, ctx) => app.fetch(request, runtimeOf(env, ctx), ctx),
  async scheduled({ scheduledTime, cron }, env) {
    const { settings, error } = checked(env)
    if (error !== undefined) throw error
    const { logRetentionDays: retentionDays, eventRetentionDays } = settings
    const { tombstoneDays } = settings.app
    const databases = databasesOf(env, noFigures())
    if (cron === RECONCILE_CRON) return await reconcileInTurn(databases, scheduledTime)
    const maxStatements = MAX_QUERIES_FREE - OTHER_STATEMENTS
    const [resourceTypes, now] = [RESOURCE_TYPES, scheduledTime]
    const pokeWebhooks = (due: readonly WebhookAddress[]) => pokeSenders(env.WEBHOOK_SENDER, due, false)
    try {
      const { maintain } = await loadBackgroundWork()
      await maintain(
        {
          databases,
          resourceTypes,
          now,
          retentionDays,
          eventRetentionDays,
          tombstoneDays,
          maxStatements,
          pokeWebhooks,
        },
        (done) => console.log(JSON.stringify(done)),
      )
    } finally {
      // The platform drops an alarm that fails repeatedly.
      for (const tenantId of await tenantsWithJobs(catalogueOf(databases))) await wakeJobs(env, tenantId)
    }
  },
} satisfies ExportedHandler<WorkerEnv>

/** Reconciles as many databases as one invocation may ask, with an identity check each. */
async function reconcileInTurn(databases: Databases, now: number): Promise<void> {
  const { namesInTurn, RECONCILE_STATEMENTS, reconcileAndLog } = await loadBackgroundWork()
  const count = Math.floor(MAX_QUERIES_FREE / (RECONCILE_STATEMENTS + 1))
  await reconcileAndLog(databases, RESOURCE_TYPES, namesInTurn(databases.names, count, now))
}

function runtimeOf(env: WorkerEnv, ctx: ExecutionContext): Runtime {
  const { settings, error } = checked(env)
  return {
    openDatabase: (name, figures) => {
      const joint = { current: currentWrites, send: writeJointly(env, name) }
      const database = withJointWrites(openDatabase(bindingOf(env, name), figures), figures, joint)
      return checkedBinding(env, name, database, figures)
    },
    databaseNames: databaseNames(env),
    maxDatabaseBytes: MAX_DATABASE_BYTES,
    maxQueries: MAX_QUERIES,
    wakeJobs: (tenantId) => wakeJobs(env, tenantId),
    waitForEvent: (position, ms) => waitForEvent(env, position, ms),
    pokeWebhooks: (tenantId, ids, isForced = false) => {
      if (ids.length === 0) return
      ctx.waitUntil(pokeSenders(env.WEBHOOK_SENDER, addressesOf(tenantId, ids), isForced))
    },
    postWebhook: postByFetch((...request) => fetch(...request)),
    isHealthy: error === undefined ? healthOf(env) : async () => false,
    isMisconfigured: error !== undefined,
    replicas: settings.readReplication ? replicasOf(env, ctx) : undefined,
    groupWriter: (tenantId) => {
      const coordinator = env.GROUP_COORDINATOR.getByName(tenantId)
      const write = (request: GroupWriteRequest) => coordinator.write(request) as Promise<GroupWriteAnswer>
      return { write: (request) => withTimeout(write(request), MAX_GROUP_WRITE_MS) }
    },
    now: Date.now,
    newId,
    publicOrigin: settings.publicOrigin,
    isAllowed: (limit, key) => isAllowed(rateLimiters(env)[limit], key),
    later: (ms, task) => ctx.waitUntil(new Promise((resolve) => setTimeout(resolve, ms)).then(task)),
    fetch: (...request) => fetch(...request),
    settings: settings.app,
  }
}

/** Of this isolate. */
const currentWrites = new CurrentWrites(Date.now)

/** @param name of the binding of the database */
function writeJointly(env: WorkerEnv, name: string | undefined): Joint['send'] {
  return async ({ tenantId, resourceId }, statements) =>
    await env.GROUP_COORDINATOR.getByName(tenantId).writeJointly(
      name,
      resourceId,
      // Other members of a statement are no plain data.
      statements.map(({ sql, params }) => ({ sql, params })),
    )
}

function replicasOf(env: WorkerEnv, ctx: ExecutionContext): Replicas {
  const replicas = d1Replicas(
    (name) => bindingOf(env, name),
    (tenantId) => bookmarkHolder(env, tenantId),
    (promise) => ctx.waitUntil(promise),
  )
  return {
    ...replicas,
    openDatabase: (name, tenantId, figures) =>
      checkedBinding(env, name, replicas.openDatabase(name, tenantId, figures), figures),
  }
}

/** If a rate limiter fails, the request is allowed: a limiter protects the service and must not take it down. */
async function isAllowed(limiter: RateLimit | undefined, key: string): Promise<boolean> {
  try {
    return (await limiter?.limit({ key }))?.success ?? true
  } catch (error) {
    console.error(JSON.stringify({ check: 'rate limit', message: String(error) }))
    return true
  }
}

interface WorkerSettings extends SharedSettings {
  readonly readReplication: boolean
}

/** The settings; the defaults with an error if a setting is invalid. */
interface Checked {
  readonly settings: WorkerSettings
  readonly error?: SettingError
}

/** One check per isolate, so that an error is logged once: all of its requests have the same `env`. */
const checks = new WeakMap<WorkerEnv, Checked>()

function checked(env: WorkerEnv): Checked {
  const known = checks.get(env)
  if (known !== undefined) return known
  const check = checkSettings(env)
  checks.set(env, check)
  return check
}

function checkSettings(env: WorkerEnv): Checked {
  try {
    return { settings: workerSettings(env) }
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    console.error(JSON.stringify({ check: 'settings', message: error.message }))
    return { settings: workerSettings({}), error }
  }
}

/** @throws {SettingError} */
function workerSettings(env: Partial<WorkerEnv>): WorkerSettings {
  const names = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]
  // [vars] in wrangler.toml may be numbers.
  const texts = names.map((name) => [name, String(env[name] ?? DEFAULTS[name])])
  const values = Object.fromEntries(texts) as Values<keyof typeof DEFAULTS>
  const setIn = (name: string) =>
    Object.hasOwn(env, name) ? 'secrets and variables of the Worker' : undefined
  return { ...sharedSettings(values, setIn), readReplication: isOn('READ_REPLICATION', values) }
}

/** One check per isolate: all of its requests have the same first binding. */
const healths = new WeakMap<D1Database, () => Promise<boolean>>()

function healthOf(env: WorkerEnv): () => Promise<boolean> {
  const known = healths.get(env.DB)
  if (known !== undefined) return known
  const databases = databasesOf(env, noFigures())
  const probe = async () => {
    await Promise.all(databases.names.map((name) => probeTakenBack(databases.open(name))))
  }
  const health = rememberedHealth(probe, () => performance.now())
  healths.set(env.DB, health)
  return health
}

/** All readers of a tenant wait in one place. */
async function waitForEvent(env: WorkerEnv, position: AwaitedPosition, ms: number): Promise<boolean> {
  return await env.GROUP_COORDINATOR.getByName(position.tenantId).waitForEvent(position, ms)
}

async function wakeJobs(env: WorkerEnv, tenantId: string): Promise<void> {
  await env.GROUP_COORDINATOR.getByName(tenantId).wakeJobs(tenantId)
}

function addressesOf(tenantId: string, ids: readonly string[]): readonly WebhookAddress[] {
  return ids.map((webhookId) => ({ tenantId, webhookId }))
}

function bookmarkHolder(env: WorkerEnv, tenantId: string): BookmarkHolder {
  const coordinator = env.GROUP_COORDINATOR.getByName(tenantId)
  return {
    get: () => coordinator.getBookmark(),
    offer: (bookmark, epoch) => coordinator.offerBookmark(bookmark, epoch),
    forget: () => coordinator.forgetBookmark(),
  }
}

function rateLimiters(env: WorkerEnv): Readonly<Record<RateLimitName, RateLimit | undefined>> {
  return {
    signIn: env.SIGN_IN_LIMIT,
    client: env.TOKEN_LIMIT,
    tenant: env.TENANT_LIMIT,
    failedAuthentication: env.FAILED_AUTHENTICATION_LIMIT,
  }
}
