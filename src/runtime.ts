/**
 * What the app is given by the runtime that it runs on, and what a request carries. The app knows no
 * runtime: an entry file (src/worker.ts) makes a Runtime of its bindings.
 */
import type { GroupWriter } from './provider/group-writer.ts'
import type { Work } from './scim/work.ts'
import type { Database, DatabaseFigures } from './storage/database.ts'
import type { Databases } from './storage/databases.ts'
import type { Replicas } from './storage/replicas.ts'
import type { StoredResourceType } from './storage/resource-tables.ts'
import type { Sha256 } from './storage/secrets.ts'
import type { TenantContext } from './storage/tenant-context.ts'
import type { Credentials } from './storage/tokens.ts'

export interface Runtime {
  /** Opens a database for one request. */
  readonly openDatabase: OpenDatabase
  /** The databases by the names of their bindings, such as "DB" and "DB2"; the first one holds the catalogue. */
  readonly databaseNames: Databases['names']
  /** Bytes that each of them can hold. */
  readonly maxDatabaseBytes: number
  /** Has the job of a tenant go on soon: see provider/jobs/runner.ts. */
  readonly wakeJobs: (tenantId: string) => Promise<void>
  /** Whether the database answers and takes writes, as it was found a few seconds ago at most. */
  readonly isHealthy: () => Promise<boolean>
  /** Whether a setting has a value that is not allowed, so that nothing is served; the log names it. */
  readonly isMisconfigured?: boolean
  /** Where reads may also go; undefined: every read goes to the one database. */
  readonly replicas?: Replicas | undefined
  /** Who runs the group writes of a tenant. */
  readonly groupWriter: (tenantId: string) => GroupWriter
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A new UUIDv7. */
  readonly newId: () => string
  /** Hashes the token of each request; Web Cryptography when undefined. */
  readonly sha256?: Sha256 | undefined
  /** Counts a request against a limit. @returns false when there were too many with that key */
  readonly isAllowed: (limit: RateLimitName, key: string) => Promise<boolean>
  /** Runs a task when so many milliseconds have passed, after the answer. It may get lost with the process. */
  readonly later: (ms: number, task: () => Promise<void>) => void
  /** The address of the client, where it is known from the connection; undefined: a header of Cloudflare has it. */
  readonly clientAddress?: string | undefined
  /** The origin that clients use, such as "https://scim.example"; undefined: the one that was asked for. */
  readonly publicOrigin?: string | undefined
  /**
   * Waits until the owner, a tenant or a network, may be served; undefined where the platform runs requests side by side.
   * Called before the work of a request begins, and again when a body was waited for.
   */
  readonly turn?: ((owner: string) => Promise<void> | undefined) | undefined
  /** Counts the bytes of this request's body; undefined: the platform bounds them. */
  readonly heldBodies?: HeldBodies | undefined
  /** Reaches other servers: the keys of Cloudflare Access. */
  readonly fetch: typeof fetch
  /** Where large answers wait for their clients; undefined: the platform hands them over by itself. */
  readonly answers?: UnreadAnswers | undefined
  readonly settings: Settings
  /** What the request costs is added to these: of the bulk request that it is a part of. */
  readonly figures?: DatabaseFigures
  /** Counts the work of the bulk request that the request is a part of. */
  readonly work?: Work
}

/**
 * @param name of the binding, as a tenant's configuration has it; undefined: the one that every runtime has
 * @param figures receives what the request cost
 */
export type OpenDatabase = (name: string | undefined, figures: DatabaseFigures) => Database

/** Large answers that their clients have not read yet. What they may take is bounded, in all and for each tenant. */
export interface UnreadAnswers {
  /** @throws {ScimError} 503 while too much is waiting: called before any work is done for another answer */
  requireRoom(tenantId: string): void
  /**
   * A large answer as a body: it is handed over as fast as the client reads it, and cut off when that takes too long.
   *
   * @throws {ScimError} 503 when there is no room for it
   */
  hold(tenantId: string, text: string): ReadableStream<Uint8Array>
}

/** The bytes of request bodies that are in memory until their request is answered. */
export interface HeldBodies {
  /**
   * @param owner each may hold a part of all
   * @throws {ScimError} 429 when the owner holds too many, 503 when all together do
   */
  take(owner: string, bytes: number): void
}

/** What is limited, and by which key: how often, says the entry file of the runtime. */
export type RateLimitName =
  /** By network (edge/network.ts): attempts to sign in to the dashboard. */
  | 'signIn'
  /** By client, all of its tokens together, once one was seen valid. */
  | 'client'
  /** By tenant: requests with proven tokens, all together. */
  | 'tenant'
  /** By network: requests whose token was refused. */
  | 'failedAuthentication'

export interface Settings {
  /** The administrator's token; undefined: the admin API refuses everybody. */
  readonly adminToken: string | undefined
  /** Whether responses carry Server-Timing. */
  readonly serverTiming: boolean
  /** Whether every request leaves a line in the application log. */
  readonly requestLog: boolean
  /** How long the provisioning log is kept, as configured. */
  readonly logRetentionDays: string
  /** The team domain of Cloudflare Access, such as "acme.cloudflareaccess.com". */
  readonly accessTeamDomain: string | undefined
  /** The audience (AUD) tag of the Access application in front of the dashboard. */
  readonly accessAudience: string | undefined
}

export interface HttpEnv {
  Bindings: Runtime
  Variables: {
    requestId: string
    /** What the request has cost so far. */
    figures: DatabaseFigures
    /** That of the tenant, or of the administration. */
    db: Database
    /** The name of the database that the tenant of an administrator's request lives in. */
    home: string
    /** The types that the directory holds, in the order in which they are listed. */
    resourceTypes: readonly StoredResourceType[]
    /** What the bearer token claims; proven by the batch that uses it. */
    credentials: Credentials
    /** What the handler goes by; proven by the batch that uses it. */
    tenant: TenantContext
    /** Opens the database of a read that may go to a replica; undefined: every other. */
    openReplica: OpenDatabase | undefined
    /** What the request has cost the core so far; undefined before anything has. */
    work: Work | undefined
    /** The parsed body of a write, once it was read. */
    body: unknown
  }
}
