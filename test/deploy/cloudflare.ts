/**
 * An in-memory fake of the part of Cloudflare's API that a deployment uses (https://developers.cloudflare.com/api/):
 * one account with its D1 databases, Workers and secrets. The databases are real SQLite databases. Responses and error
 * codes are those of the documentation; all requests are recorded.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'

export const ACCOUNT_ID = '0123456789abcdef0123456789abcdef'
export const API_TOKEN = 'a-token-of-the-stand-in'

/** The faults of the account. */
export interface Faults {
  /** The account has reached its maximum number of databases: code 7406. */
  readonly isDatabaseQuotaUsedUp?: boolean
  /** Statements that contain this text fail. */
  readonly failingStatement?: string
  /** The status of the deployed Worker's /healthz. */
  readonly health?: number
}

export interface DeployedWorker {
  readonly secrets: Map<string, string>
  readonly bindings: readonly object[]
  /** The texts of the uploaded modules and of their source maps, by name. */
  readonly modules: ReadonlyMap<string, string>
  /** The number of deployments. */
  readonly deployments: number
}

export interface Cloudflare {
  /** The URL of the deployed Worker. */
  readonly origin: string
  /** The value for CLOUDFLARE_API_BASE_URL. */
  readonly apiUrl: string
  /** `METHOD /path` of each request, in order. Paths start after the account. */
  readonly requests: string[]
  /** By name. */
  readonly databases: Map<string, { id: string; database: DatabaseSync }>
  /** By name. */
  readonly workers: Map<string, DeployedWorker>
  faults: Faults
  /** Adds an empty database. */
  addDatabase(name: string): DatabaseSync
  close(): Promise<void>
}

/** Thrown by a route: an error response of the API. */
class ApiError extends Error {
  readonly status: number
  readonly code: number

  constructor(status: number, code: number, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const SUBDOMAIN = 'quillfern'

export async function startCloudflare(): Promise<Cloudflare> {
  const state = {
    requests: [] as string[],
    databases: new Map<string, { id: string; database: DatabaseSync }>(),
    workers: new Map<string, DeployedWorker>(),
    faults: {} as Faults,
  }
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const path = url.pathname.replace('/client/v4', '').replace(`/accounts/${ACCOUNT_ID}/`, '/')
    state.requests.push(`${request.method} ${path}`)
    const body = await bodyOf(request)
    if (path === '/healthz') {
      response.writeHead(state.faults.health ?? 200).end()
      return
    }
    const [status, answer] = await answerOf(() => route(request.method ?? '', path, body, request.headers))
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return Object.assign(state, {
    origin: `http://127.0.0.1:${port}`,
    apiUrl: `http://127.0.0.1:${port}/client/v4`,
    addDatabase,
    close: () => new Promise<void>((done) => server.close(() => done())),
  })

  async function route(
    method: string,
    path: string,
    body: Buffer,
    headers: IncomingMessage['headers'],
  ): Promise<unknown> {
    if (headers.authorization !== `Bearer ${API_TOKEN}`) throw new ApiError(403, 9109, 'Invalid access token')
    const [, kind, , name = '', part] = path.split('/')
    if (path === '/user/tokens/verify') return { id: 'token', status: 'active' }
    if (path === '/user') return { id: 'user', email: 'admin@quillfern.example' }
    if (path === '/accounts') return [{ id: ACCOUNT_ID, name: 'Quillfern' }]
    if (path === '/memberships') return [{ account: { id: ACCOUNT_ID, name: 'Quillfern' } }]
    if (kind === 'd1') return d1(method, decodeURIComponent(name), part, body)
    if (path === '/workers/subdomain') return { subdomain: SUBDOMAIN }
    if (path.startsWith('/workers/')) return worker(method, path, name, part, body, headers)
    throw new ApiError(404, 7003, `Could not route to ${path}`)
  }

  function addDatabase(name: string): DatabaseSync {
    const database = new DatabaseSync(':memory:')
    state.databases.set(name, { id: randomUUID(), database })
    return database
  }

  function d1(method: string, name: string, part: string | undefined, body: Buffer): unknown {
    const { databases, faults } = state
    const infoOf = ([known, { id }]: [string, { id: string }]) => ({
      uuid: id,
      name: known,
      version: 'production',
    })
    if (name === '' && method === 'GET') return [...databases].map(infoOf)
    if (name === '') {
      if (faults.isDatabaseQuotaUsedUp)
        throw new ApiError(400, 7406, 'You have reached the maximum number of databases')
      const { name: wanted } = JSON.parse(body.toString()) as { name: string }
      if (databases.has(wanted)) throw new ApiError(400, 7502, 'A database with that name already exists')
      addDatabase(wanted)
      return infoOf([wanted, databases.get(wanted) as { id: string }])
    }
    const found = [...databases].find(([known, { id }]) => known === name || id === name)
    if (found === undefined) throw new ApiError(404, 7404, `The database ${name} could not be found`)
    if (part === undefined) return infoOf(found)
    const { sql, params = [] } = JSON.parse(body.toString()) as { sql: string; params?: string[] }
    if (faults.failingStatement !== undefined && sql.includes(faults.failingStatement)) {
      throw new ApiError(400, 7500, `near "${faults.failingStatement}": syntax error: SQLITE_ERROR`)
    }
    return [{ results: execute(found[1].database, sql, params), success: true, meta: { duration: 0.1 } }]
  }

  async function worker(
    method: string,
    path: string,
    name: string,
    part: string | undefined,
    body: Buffer,
    headers: IncomingMessage['headers'],
  ): Promise<unknown> {
    const known = state.workers.get(name)
    if (method === 'PUT' && part === undefined) {
      const form = await formOf(body, headers['content-type'] ?? '')
      const metadata = metadataOf(form)
      const secrets = metadata.bindings.filter(({ type }) => type === 'secret_text')
      const kept = known?.secrets ?? new Map<string, string>()
      state.workers.set(name, {
        secrets: new Map([...kept, ...secrets.map(({ name: key, text = '' }) => [key, text] as const)]),
        bindings: metadata.bindings.filter(({ type }) => type !== 'inherit'),
        modules: new Map([...form].filter(([part]) => part !== 'metadata')),
        deployments: (known?.deployments ?? 0) + 1,
      })
      return {
        id: name,
        startup_time_ms: 5,
        deployment_id: randomUUID(),
        etag: 'etag',
        entry_point: metadata.main_module,
      }
    }
    if (known === undefined) throw new ApiError(404, 10007, 'This Worker does not exist on your account.')
    if (part === 'secrets')
      return [...known.secrets.keys()].map((key) => ({ name: key, type: 'secret_text' }))
    if (part === 'deployments') return { deployments: [{ id: randomUUID(), versions: [] }] }
    if (path.startsWith('/workers/workers/'))
      return { id: name, name, subdomain: { enabled: true, previews_enabled: false } }
    if (part === 'settings') return { bindings: known.bindings, compatibility_date: '2026-10-01' }
    if (part === 'subdomain') return { enabled: true, previews_enabled: false }
    if (path.startsWith('/workers/services/'))
      return {
        default_environment: { environment: 'production', script: { last_deployed_from: 'wrangler' } },
      }
    return {}
  }
}

async function answerOf(route: () => Promise<unknown>): Promise<[number, object]> {
  try {
    const result = await route()
    const length = Array.isArray(result) ? result.length : 1
    const info = { page: 1, per_page: 100, count: length, total_count: length, total_pages: 1 }
    return [200, { success: true, errors: [], messages: [], result, result_info: info }]
  } catch (error) {
    const { status = 500, code = 10001, message = '' } = error as Partial<ApiError>
    return [status, { success: false, errors: [{ code, message }], messages: [], result: null }]
  }
}

/** Executes all statements. Returns the rows of the last one, if it has any. */
function execute(database: DatabaseSync, sql: string, params: readonly string[]): unknown {
  if (params.length > 0 || /^\s*SELECT/i.test(sql)) return database.prepare(sql).all(...params)
  database.exec(sql)
  return []
}

interface Metadata {
  readonly main_module: string
  readonly bindings: readonly { readonly type: string; readonly name: string; readonly text?: string }[]
}

/** The parts of an uploaded Worker as texts, by name: its metadata, its modules, and their source maps. */
async function formOf(body: Buffer, contentType: string): Promise<ReadonlyMap<string, string>> {
  const form = await new Response(new Uint8Array(body), {
    headers: { 'Content-Type': contentType },
  }).formData()
  const texts = [...form].map(async ([name, part]) =>
    typeof part === 'string' ? ([name, part] as const) : ([part.name || name, await part.text()] as const),
  )
  return new Map(await Promise.all(texts))
}

function metadataOf(form: ReadonlyMap<string, string>): Metadata {
  return JSON.parse(form.get('metadata') ?? '{}') as Metadata
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}
