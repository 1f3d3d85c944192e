/**
 * Hosts the Worker in a load test: a single `workerd serve` process with the built module, Miniflare's D1 (as in
 * `wrangler dev`) and the real Durable Object on disk.
 *
 * Three hosts were compared with a floor that runs one statement: this one, Miniflare's API with a direct socket, and
 * Miniflare's own entry. The first two are equally fast (11,000 requests a second without D1, 900 with it). The entry
 * costs a third to a half of that, and `wrangler dev` costs more. This host has no second process whose time would have
 * to be subtracted, and it starts in the 60 ms that workerd needs.
 *
 * The rate limit bindings are omitted for the Worker and its floors. Miniflare emulates them with a SQLite write for
 * each call, while Cloudflare counts in memory.
 */
import { createHash, createHmac } from 'node:crypto'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

/** Wrangler's own workerd and Miniflare, wherever npm installed them. */
const requireOfWrangler = createRequire(createRequire(import.meta.url).resolve('wrangler/package.json'))
const MINIFLARE_WORKERS = join(dirname(requireOfWrangler.resolve('miniflare')), 'workers')
const D1_CLASS = 'miniflare-D1DatabaseObject'
/** The name of the binding, which `wrangler dev` uses as the id of a database that was never deployed. */
const D1_NAME = 'DB'

export function workerdPath(): string {
  return requireOfWrangler('workerd').default
}

/** The file of the local D1 database in the state folder of all databases. */
export function d1File(storageFolder: string): string {
  return join(storageFolder, D1_CLASS, `${idFromName(D1_CLASS, D1_NAME)}.sqlite`)
}

/** The id of a named Durable Object, computed as in workerd (src/workerd/server/actor-id-impl.c++). */
function idFromName(className: string, name: string): string {
  const key = createHash('sha256').update(className).digest()
  const hash = (data: string | Buffer) => createHmac('sha256', key).update(data).digest().subarray(0, 16)
  const base = hash(name)
  return Buffer.concat([base, hash(base)]).toString('hex')
}

export interface WorkerdOptions {
  readonly folder: string
  readonly port: number
  /** The files of the Worker, with the main module first. */
  readonly modules: readonly string[]
  readonly compatibilityDate: string
  /** Variables of the Worker. */
  readonly vars: Readonly<Record<string, string>>
}

/**
 * Writes the configuration of `workerd serve`.
 * @returns its path
 */
export function writeWorkerdConfig(options: WorkerdOptions): string {
  const { folder, port, modules, compatibilityDate, vars } = options
  const storage = join(folder, 'd1')
  mkdirSync(storage, { recursive: true })
  const file = join(folder, 'config.capnp')
  const text = (value: string) => JSON.stringify(value)
  // Cap'n Proto resolves embedded files relative to the configuration file.
  const source = (path: string) => {
    copyFileSync(path, join(folder, basename(path)))
    return `embed ${text(basename(path))}`
  }
  const miniflare = (path: string) => source(join(MINIFLARE_WORKERS, path))
  const variables = Object.entries(vars).map(
    ([name, value]) => `(name = ${text(name)}, text = ${text(value)}),`,
  )
  writeFileSync(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "d1", worker = .d1),
    (name = "d1-object", worker = .d1Object),
    (name = "disk", disk = (path = ${text(storage)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
  extensions = [(modules = [
    (name = "miniflare:shared", esModule = ${miniflare('shared/index.worker.js')}),
    (name = "miniflare:zod", esModule = ${miniflare('shared/zod.worker.js')}),
  ])],
);
const worker :Workerd.Worker = (
  compatibilityDate = ${text(compatibilityDate)},
  modules = [
    ${modules.map((path) => `(name = ${text(basename(path))}, esModule = ${source(path)}),`).join('\n    ')}
  ],
  bindings = [
    (name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [
      (name = "fetcher", service = (name = "d1", props = (json = ${text(JSON.stringify({ MINIFLARE_NAMESPACE: D1_NAME }))}))),
    ])),
    (name = "GROUP_COORDINATOR", durableObjectNamespace = "GroupCoordinator"),
    ${variables.join('\n    ')}
  ],
  durableObjectNamespaces = [(className = "GroupCoordinator", uniqueKey = "GroupCoordinator", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
);
const d1 :Workerd.Worker = (
  compatibilityDate = "2023-07-24",
  compatibilityFlags = ["enhanced_error_serialization"],
  modules = [(name = "entry.worker.js", esModule = ${miniflare('d1/entry.worker.js')})],
  bindings = [(name = "MINIFLARE_OBJECT", durableObjectNamespace = (className = "D1DatabaseObject", serviceName = "d1-object"))],
);
const d1Object :Workerd.Worker = (
  compatibilityDate = "2023-07-24",
  compatibilityFlags = ["nodejs_compat", "experimental"],
  modules = [(name = "database.worker.js", esModule = ${miniflare('d1/database.worker.js')})],
  durableObjectNamespaces = [(className = "D1DatabaseObject", uniqueKey = ${text(D1_CLASS)}, enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "MINIFLARE_BLOBS", service = "disk")],
);
`,
  )
  return file
}
