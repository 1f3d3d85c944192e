/**
 * The interface between the app and the runtime that it runs on, and the variables of a request. An entry file, such as
 * src/worker.ts, makes a Runtime from its bindings.
 */
import type { Administrator } from './administrators/administrator.ts'
import type { RoleRule } from './administrators/role-rules.ts'
import type { AwaitedPosition } from './provider/events/event-waiters.ts'
import type { GroupWriter } from './provider/groups/group-writer.ts'
import type { PostWebhook } from './provider/webhooks/post.ts'
import type { Work } from './scim/work.ts'
import type { Sha256 } from './storage/access/secrets.ts'
import type { AuditNote } from './storage/administrators/audit-trail.ts'
import type { Database, DatabaseFigures } from './storage/database/database.ts'
import type { Replicas } from './storage/database/replicas.ts'
import type { AdministratorEvent } from './storage/events/administrator-events.ts'
import type { LogEntry } from './storage/log/log-entry.ts'
import type { StoredResourceType } from './storage/tables/resource-tables.ts'
import type { Actor, TenantContext } from './storage/tenants/context.ts'
import type { Databases } from './storage/tenants/locations.ts'
import type { TenantSummary } from './storage/tenants/queries.ts'

export interface Runtime {
  /** Opens a database for one request. */
  readonly openDatabase: OpenDatabase
  /** The names of the databases' bindings, such as "DB" and "DB2"; the first one has the catalogue. */
  readonly databaseNames: Databases['names']
  /** Bytes that a database can hold. */
  readonly maxDatabaseBytes: number
  /** The most queries that a request may send to the databases; undefined: there is no limit. */
  readonly maxQueries?: number | undefined
  /**
   * Waits until a tenant has an event after the position, or for the given time.
   *
   * @param left is aborted when the reader leaves, where the platform tells it
   * @returns false at once if too many requests of the tenant are waiting
   */
  readonly waitForEvent: (position: AwaitedPosition, ms: number, left: AbortSignal) => Promise<boolean>
  /** Has pending work on a tenant done soon: see provider/jobs/runner.ts. */
  readonly wakeJobs: (tenantId: string) => Promise<void>
  /**
   * Has the webhooks with these ids deliver what is due, soon after the request. Does not wait, and does not throw: a
   * webhook that was not told is found by the hourly sweep.
   *
   * @param isForced also during the pause after a failure
   */
  readonly pokeWebhooks: (tenantId: string, webhookIds: readonly string[], isForced?: boolean) => void
  /** Sends a request to the receiver of a webhook. */
  readonly postWebhook: PostWebhook
  /** Whether the databases answer and accept writes, according to a check that is a few seconds old at most. */
  readonly isHealthy: () => Promise<boolean>
  /** Whether a setting is invalid: then nothing is served. The application log names the setting. */
  readonly isMisconfigured?: boolean
  /** Replicas for reads; undefined: every read goes to the primary database. */
  readonly replicas?: Replicas | undefined
  /** The group writer of a tenant. */
  readonly groupWriter: (tenantId: string) => GroupWriter
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A new UUIDv7. */
  readonly newId: () => string
  /** Hashes the token of each request; undefined: Web Cryptography does. */
  readonly sha256?: Sha256 | undefined
  /** Counts a request against a limit. @returns false if there were too many requests with the key */
  readonly isAllowed: (limit: RateLimitName, key: string) => boolean | Promise<boolean>
  /** Runs a task after the response, when the time has passed. The task is lost if the process ends. */
  readonly later: (ms: number, task: () => Promise<void>) => void
  /** The address of the client, if the connection tells it; undefined: a header of Cloudflare does. */
  readonly clientAddress?: string | undefined
  /** The origin that clients use, such as "https://scim.example"; undefined: that of the request. */
  readonly publicOrigin?: string | undefined
  /**
   * Waits until the owner, a tenant or a network, may be served; undefined if the platform runs requests in parallel.
   * Called before the work of a request begins, before each chunk of a large body, and again after the body has arrived.
   */
  readonly turn?: ((owner: string) => Promise<void> | undefined) | undefined
  /** Counts the bytes of request bodies in memory; undefined: the platform limits them. */
  readonly heldBodies?: HeldBodies | undefined
  /** Sends a request to another server, for the keys of Cloudflare Access and of identity providers. */
  readonly fetch: typeof fetch
  /** Buffers large responses until their clients have read them; undefined: the platform does. */
  readonly answers?: UnreadAnswers | undefined
  readonly settings: Settings
  /** What the file system tells about a database; undefined: there is no file. */
  readonly databaseFile?: ((name: string) => object | undefined) | undefined
  /** Serves /metrics; undefined: there are none, or they are turned off. */
  readonly metrics?: Metrics | undefined
  /** Is told the outcome of each request, but not of the operations of a bulk request. */
  readonly observe?: ((outcome: RequestOutcome) => void) | undefined
  /** Set for an operation of a bulk request: its costs are added to these figures. */
  readonly figures?: DatabaseFigures
  /** Set for an operation of a bulk request: counts the work of all operations. */
  readonly work?: Work
}

/** The same runtime with other parts. It is not copied, because parts may be on its prototype. */
export function runtimeWith(runtime: Runtime, parts: Partial<Runtime>): Runtime {
  return Object.assign(Object.create(runtime), parts)
}

/** Handles an internal request like an external one. */
export type Dispatch = (request: Request, runtime: Runtime) => Response | Promise<Response>

/**
 * @param name of the binding; undefined: the first database, which every runtime has
 * @param figures receives the cost of the request
 */
export type OpenDatabase = (name: string | undefined, figures: DatabaseFigures) => Database

export interface Metrics {
  /** The bearer token that is required. */
  readonly token: string
  /** The text in the format of Prometheus. */
  readonly render: () => Promise<string>
}

export interface RequestOutcome {
  readonly method: string
  /** The pattern of the matched route, such as `/scim/v2/Users/:id`. */
  readonly route: string
  readonly status: number
  /** Why a credential was refused. */
  readonly refused: string | undefined
}

/** Large responses that their clients have not read yet. Their size is limited, in total and for each tenant. */
export interface UnreadAnswers {
  /** Must be called before the work for another response begins. @throws {ScimError} 503 if too much is unread */
  requireRoom(tenantId: string): void
  /**
   * The body of a large response: sent as fast as the client reads, and cut off if that takes too long.
   *
   * @throws {ScimError} 503 if there is no room for it
   */
  hold(tenantId: string, text: string): ReadableStream<Uint8Array>
}

/** The bytes of request bodies in memory. Each body is held until its request is answered. */
export interface HeldBodies {
  /**
   * @param owner each owner has a share of the limit
   * @throws {ScimError} 429 if the share is exceeded, 503 if the limit is
   */
  take(owner: string, bytes: number): void
}

/** The rate limits, with the key that each counts by. The entry file of the runtime sets the rates. */
export type RateLimitName =
  /** By network (edge/network.ts): attempts to sign in to the dashboard. */
  | 'signIn'
  /** By client, for all of its tokens: requests with a token that was seen valid. */
  | 'client'
  /** By tenant, for all of its clients: likewise. */
  | 'tenant'
  /** By network: requests whose token was refused. */
  | 'failedAuthentication'

export interface Settings {
  /** The administrator's token; undefined: the admin API refuses everybody. */
  readonly adminToken: string | undefined
  /** Whether responses carry Server-Timing. */
  readonly serverTiming: boolean
  /** Whether the application log has a line for each request. */
  readonly requestLog: boolean
  /** Whether the provisioning log keeps the bodies of refused writes. */
  readonly logBodies: boolean
  /** How long the provisioning log is kept, as configured. */
  readonly logRetentionDays: string
  /** How long events are kept, as configured. */
  readonly eventRetentionDays: string
  /** How long deleted resources can be restored; 0: they are not kept. */
  readonly tombstoneDays: number
  /** Whether webhooks may go to this machine, for development. */
  readonly allowLoopbackWebhooks: boolean
  /** The team domain of Cloudflare Access, such as "acme.cloudflareaccess.com". */
  readonly accessTeamDomain: string | undefined
  /** The audience (AUD) tag of the Access application in front of the dashboard. */
  readonly accessAudience: string | undefined
  /**
   * Who has which role, of those whom Cloudflare Access or OpenID Connect signs in. Undefined: everybody whom Access admits
   * is an owner, and nobody whom OpenID Connect signs in has a role.
   */
  readonly adminRoles?: readonly RoleRule[] | undefined
  /** The OpenID provider that signs administrators in; undefined: none. */
  readonly oidc?: OidcSettings | undefined
  /** Hosts of JWK Sets in addition to those of Microsoft Entra ID: see jwt/jwks-uri.ts. */
  readonly federationHosts: readonly string[]
  /** Every setting that this server reads, with its value in force, for the dashboard. */
  readonly inForce: readonly SettingInForce[]
}

export interface SettingInForce {
  readonly name: string
  /** Empty if it is not set; undefined for a secret that is set. */
  readonly value: string | undefined
  /** Where the value comes from, such as "environment"; undefined: it is the default. */
  readonly setIn: string | undefined
}

export interface OidcSettings {
  /** The issuer identifier (OpenID Connect Discovery 1.0 §3). Over http on this machine only. */
  readonly issuer: string
  readonly clientId: string
  /** Undefined: a public client, which PKCE alone protects. */
  readonly clientSecret: string | undefined
  /** Separated by spaces; "openid" is one of them. */
  readonly scopes: string
  /** The claim of the ID token that lists groups or roles. */
  readonly groupsClaim: string
}

export interface HttpEnv {
  Bindings: Runtime
  Variables: {
    requestId: string
    /** The cost of the request so far. */
    figures: DatabaseFigures
    /** The administrator of the request, in the dashboard and the admin API. */
    administrator: Administrator
    /** The tenant in the path of an administrator's request. */
    pathTenant: string | undefined
    /** The tenant of a page of the dashboard, as soon as it is loaded: an error keeps its navigation. */
    pageTenant: (TenantSummary & { readonly resourceTypes: readonly StoredResourceType[] }) | undefined
    /** What the handler tells the audit trail. */
    auditNote: AuditNote | undefined
    /** Adds the check of the administrator's session to the batches of the first database. */
    duringSession: ((db: Database) => Database) | undefined
    /** Stores that the request has begun with the first write to the first database. */
    beginAudit: ((db: Database) => Database) | undefined
    /** What the event feed of the tenant tells of the request; undefined if the audit trail does not name it. */
    event: AdministratorEvent | undefined
    /** The database of an administrator's request. */
    db: Database
    /** The name of the database that the tenant of an administrator's request lives in. */
    home: string
    /** Sends a request to the app itself, for an administrator who has it explained. */
    dispatch: Dispatch
    /** The types that are shipped, in the order in which they are listed. */
    resourceTypes: readonly StoredResourceType[]
    /** The claim of the bearer token; each batch checks it. */
    actor: Actor
    /** The context of the handler; each batch proves it. */
    tenant: TenantContext
    /** Opens the database of a read that may go to a replica; undefined for any other request. */
    openReplica: OpenDatabase | undefined
    /** Counts the work of the request; undefined before there is any. */
    work: Work | undefined
    /** The parsed body; undefined until it is read. */
    body: unknown
    /** What the provisioning log calls a rejected write of a membership; undefined for any other. */
    loggedWrite: Pick<LogEntry, 'action' | 'resourceId'> | undefined
  }
}
