/**
 * A world with replicas: two isolates (two instances of the app), a D1 whose replica lags as far as it may, and the
 * bookmark holders of tenants. It may have a second D1, to which tenants are moved.
 */
import { uuidv7 } from 'uuidv7'
import { createApp } from '../../src/app.ts'
import { runJob } from '../../src/provider/jobs/runner.ts'
import type { Runtime } from '../../src/runtime.ts'
import { groupWriters } from '../../src/self-hosted/group-writers.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import {
  type BookmarkHolder,
  d1Replicas,
  type Replicas,
  TenantBookmark,
} from '../../src/storage/database/replicas.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { MIGRATIONS } from '../sqlite/support/files.ts'
import { LaggingD1 } from './lagging-d1.ts'
import { ONE_DATABASE } from './one-database.ts'
import { TEST_SETTINGS } from './settings.ts'

export const ORIGIN = 'https://scim.test'
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

export class World {
  readonly d1 = new LaggingD1(MIGRATIONS)
  readonly second = new LaggingD1(MIGRATIONS)
  readonly holders = new Map<string, TenantBookmark>()
  /** Every message to a holder. */
  hops: string[] = []
  /** Kinds of messages that get lost. */
  lost: string[] = []
  /** Delayed messages; undefined if none is delayed. */
  heldBack: (() => void)[] | undefined
  #background: Promise<unknown>[] = []
  #now = Date.now()
  readonly #apps = [createApp(), createApp()]
  readonly #runtime: Runtime
  readonly #replicas: Replicas

  /** @param names of the databases, one or two */
  constructor(isOn = true, names: Runtime['databaseNames'] = ONE_DATABASE.databaseNames) {
    const bindingOf = (name: string | undefined) => (name === 'DB2' ? this.second : this.d1).binding
    const open: Runtime['openDatabase'] = (name, figures) => openDatabase(bindingOf(name), figures)
    this.#replicas = d1Replicas(
      bindingOf,
      (tenantId) => this.#holderOf(tenantId),
      (promise) => this.#background.push(promise),
    )
    const now = () => this.#now
    this.#runtime = {
      openDatabase: open,
      ...ONE_DATABASE,
      databaseNames: names,
      isHealthy: async () => true,
      replicas: isOn ? this.#replicas : undefined,
      groupWriter: groupWriters({
        openDatabase: open,
        resourceTypes: RESOURCE_TYPES,
        newId: uuidv7,
        wakeJobs: async () => undefined,
        now,
      }),
      now,
      newId: uuidv7,
      isAllowed: async () => true,
      later: () => undefined,
      fetch: () => Promise.reject(new Error('no network')),
      settings: TEST_SETTINGS,
    }
  }

  #holderOf(tenantId: string): BookmarkHolder {
    const hop = async <Result>(kind: string, run: (bookmark: TenantBookmark) => Result) => {
      this.hops.push(`${kind} ${tenantId}`)
      if (kind === 'offer' && this.heldBack) await new Promise<void>((go) => this.heldBack?.push(go))
      if (this.lost.includes(kind)) throw new Error('the Durable Object was reset')
      const bookmark = this.holders.get(tenantId) ?? new TenantBookmark(() => this.#now)
      this.holders.set(tenantId, bookmark)
      return run(bookmark)
    }
    return {
      get: () => hop('get', (bookmark) => bookmark.get()),
      offer: (bookmark, epoch) => hop('offer', (kept) => kept.offer(bookmark, epoch)),
      forget: () => hop('forget', (bookmark) => bookmark.forget()),
    }
  }

  pass(ms: number): void {
    this.#now += ms
  }

  /** Sends a request to one of the isolates. Waits for work after the answer as well, unless it is delayed. */
  async send(isolate: 0 | 1, method: string, path: string, token: string, body?: unknown) {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` }
    if (body !== undefined) {
      headers['Content-Type'] = path.startsWith('/scim') ? 'application/scim+json' : 'application/json'
    }
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    const response = await this.#apps[isolate]?.fetch(new Request(`${ORIGIN}${path}`, init), this.#runtime)
    if (response === undefined) throw new Error('no answer')
    const text = await response.text()
    if (this.heldBack === undefined) await this.settle()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

  /** Runs the job of a tenant once, with few statements. @returns undefined when it has ended */
  runJob(tenantId: string): Promise<number | undefined> {
    const { databaseNames: names, openDatabase: open, now } = this.#runtime
    return runJob(
      {
        databases: { names, maxBytes: Number.POSITIVE_INFINITY, open: (name) => open(name, noFigures()) },
        resourceTypes: RESOURCE_TYPES,
        maxStatements: 25,
        now,
        noteWrite: (id) => this.#replicas.noteWrite(id),
      },
      tenantId,
    )
  }

  /** Submits a form of the dashboard. */
  async form(path: string, fields: Record<string, string>, cookie = ''): Promise<Response> {
    const headers = { Origin: ORIGIN, Cookie: cookie }
    const init = { method: 'POST', headers, body: new URLSearchParams(fields) }
    return (await this.#apps[0]?.fetch(new Request(`${ORIGIN}${path}`, init), this.#runtime)) as Response
  }

  async settle(): Promise<void> {
    for (const go of this.heldBack ?? []) go()
    this.heldBack = undefined
    await Promise.all(this.#background.splice(0))
  }

  admin(method: string, path: string, body?: unknown) {
    return this.send(0, method, `/admin/api${path}`, 'test-admin-token', body)
  }

  async newTenant(id: string): Promise<Client> {
    await this.admin('POST', '/tenants', { id, name: id })
    return await this.newClient(id, 'provision')
  }

  async newClient(tenantId: string, scope: 'provision' | 'read'): Promise<Client> {
    const { body } = await this.admin('POST', `/tenants/${tenantId}/tokens`, { name: 'Test', scope })
    return new Client(this, tenantId, body.token, body.id)
  }

  /** The costs since the last call: where batches ran, and the messages to the holders. */
  costs() {
    const costs = {
      served: this.d1.served.join(' '),
      hops: this.hops.map((hop) => hop.split(' ')[0]).join(' '),
    }
    this.d1.served = []
    this.hops = []
    return costs
  }
}

export class Client {
  readonly #world: World
  readonly tenantId: string
  readonly token: string
  readonly tokenId: string

  constructor(world: World, tenantId: string, token: string, tokenId: string) {
    this.#world = world
    this.tenantId = tenantId
    this.token = token
    this.tokenId = tokenId
  }

  send(isolate: 0 | 1, method: string, path: string, body?: unknown) {
    return this.#world.send(isolate, method, `/scim/v2${path}`, this.token, body)
  }

  get(isolate: 0 | 1, path: string) {
    return this.send(isolate, 'GET', path)
  }

  /** Makes the token known to both isolates, and the newest bookmark to the holder. */
  async warm(): Promise<this> {
    await this.get(0, '/Users?count=1')
    await this.get(0, '/Users?count=1')
    this.#world.costs()
    return this
  }
}

export const userNamed = (userName: string) => ({ schemas: [USER], userName })
export const patch = (...Operations: unknown[]) => ({ schemas: [PATCH_OP], Operations })

export async function warmClient(world = new World()) {
  return { world, client: await (await world.newTenant('acme')).warm() }
}
