/**
 * Sends HTTP requests to the worker in workerd, on a real D1 and a real Durable Object. Each test creates its own tenant, so
 * tests share no data and need no cleanup.
 */
import { exports } from 'cloudflare:workers'
import { expect } from 'vitest'
import { GROUP, PATCH_OP, USER } from './urns.ts'
// Loaded now, because the first request of a test would otherwise wait until Vite has transformed them.
import '../../src/administration.ts'
import '../../src/background-work.ts'
import '../../src/http/oauth/authorization-server.ts'

export { GROUP, PATCH_OP, USER } from './urns.ts'

export const ORIGIN = 'https://scim.test'
export const TENANT_URL = `${ORIGIN}/scim/v2`
const ADMIN_TOKEN = 'test-admin-token'
const ADDRESS = 'CF-Connecting-IP'

/** A response with its parsed body. `body` is undefined if it is empty. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
  readonly body: any
}

/** Sends a request to the worker. */
export async function send(request: Request): Promise<Answer> {
  return await answerOf(request, (sent) => exports.default.fetch(sent))
}

/** Sends a request to a handler. */
export async function answerOf(
  request: Request,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<Answer> {
  // Each request has its own client address, so that tests do not share rate limits by address.
  if (!request.headers.has(ADDRESS)) request.headers.set(ADDRESS, crypto.randomUUID())
  const response = await fetch(request)
  const text = await response.text()
  const body = text === '' ? undefined : parse(text)
  return { status: response.status, headers: response.headers, body }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A call of the admin API. */
export function admin(method: string, path: string, body?: unknown): Promise<Answer> {
  return send(
    new Request(`${ORIGIN}/admin/api${path}`, {
      method,
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  )
}

/** A SCIM client of one tenant. Paths are relative to the Tenant URL. */
export class Client {
  readonly tenantId: string
  readonly token: string

  readonly #sendTo: typeof send

  /** @param sendTo handles the requests; the worker by default */
  constructor(tenantId: string, token: string, sendTo = send) {
    this.tenantId = tenantId
    this.token = token
    this.#sendTo = sendTo
  }

  /** Sends a string body unchanged, and any other body as JSON. */
  request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.#sendTo(
      new Request(`${TENANT_URL}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${this.token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/scim+json; charset=utf-8' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    )
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.request('GET', path, undefined, headers)
  }

  filter(endpoint: '/Users' | '/Groups', filter: string, more = ''): Promise<Answer> {
    return this.get(`${endpoint}?filter=${encodeURIComponent(filter)}${more}`)
  }

  /** Creates a user and returns it. */
  async createUser(attributes: Record<string, unknown> = {}) {
    const userName = `${newName()}@quillfern.example`
    const schemas = [USER, ...Object.keys(attributes).filter(isExtension)]
    const answer = await this.request('POST', '/Users', { schemas, userName, ...attributes })
    if (answer.status !== 201) throw new Error(`user not created: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Creates a group and returns it. */
  async createGroup(attributes: Record<string, unknown> = {}) {
    const displayName = `Group ${newName()}`
    const answer = await this.request('POST', '/Groups', { schemas: [GROUP], displayName, ...attributes })
    if (answer.status !== 201) throw new Error(`group not created: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  patch(path: string, ...Operations: readonly unknown[]): Promise<Answer> {
    return this.request('PATCH', path, { schemas: [PATCH_OP], Operations })
  }

  /** A page of the event feed. */
  feed(query = ''): Promise<Answer> {
    const headers = { Authorization: `Bearer ${this.token}` }
    return this.#sendTo(new Request(`${ORIGIN}/events${query}`, { headers }))
  }

  /** The tenant's provisioning log, newest first. */
  async log(query = ''): Promise<readonly Record<string, unknown>[]> {
    return (await admin('GET', `/tenants/${this.tenantId}/log${query}`)).body.entries
  }
}

/**
 * A name that no other resource has, of five words that are stored: one of 13,000 random UUIDs repeats a word or begins with one,
 * and a create with it writes a row less.
 */
export function newName(): string {
  for (;;) {
    const name = crypto.randomUUID()
    const [, ...words] = name.split('-')
    if (new Set(words).size === words.length && !words.some((word) => name.startsWith(word))) return name
  }
}

/** Creates a tenant, and a client with a token of the tenant. */
export async function newClient(
  options: { groupLimit?: number; uniqueGroupNames?: boolean; scope?: 'provision' | 'read' } = {},
): Promise<Client> {
  const id = `t-${crypto.randomUUID()}`
  const { groupLimit = 200, uniqueGroupNames = true, scope = 'provision' } = options
  const tenant = await admin('POST', '/tenants', { id, name: 'Test', groupLimit, uniqueGroupNames })
  if (tenant.status !== 201) throw new Error(`tenant not created: ${JSON.stringify(tenant.body)}`)
  return new Client(id, (await newToken(id, { scope })).token)
}

/** Creates a token of a tenant. @returns the response body of the admin API */
export async function newToken(tenantId: string, attributes: Record<string, unknown> = {}) {
  return (await admin('POST', `/tenants/${tenantId}/tokens`, { name: 'Test', ...attributes })).body
}

/** The database cost of a response, from Server-Timing. */
export function costOf({ headers }: Answer): { roundTrips: number; rowsRead: number; rowsWritten: number } {
  const match = /desc="(\d+) round trips, (\d+) rows read, (\d+) rows written"/.exec(
    headers.get('Server-Timing') ?? '',
  )
  if (match === null) throw new Error(`no figures in Server-Timing: ${headers.get('Server-Timing')}`)
  return { roundTrips: Number(match[1]), rowsRead: Number(match[2]), rowsWritten: Number(match[3]) }
}

/**
 * The rows read by which two equal requests may differ. A search for a range looks at the first row beyond it if there is
 * one, which random ids decide, and SQLite counts a row more in a tree that is one level higher.
 */
export const RANGE_ENDS = 8

/** Expects the same round trips and rows written, and the same rows read but for the ends of ranges. */
export function expectSameCost(
  cost: ReturnType<typeof costOf>,
  expected: ReturnType<typeof costOf>,
  what = 'the cost',
): void {
  const { rowsRead, ...exact } = cost
  const { rowsRead: expectedRows, ...exactExpected } = expected
  expect(exact, what).toEqual(exactExpected)
  expect(Math.abs(rowsRead - expectedRows), what).toBeLessThanOrEqual(RANGE_ENDS)
}

function isExtension(name: string): boolean {
  return name.startsWith('urn:ietf:params:scim:schemas:extension:')
}
