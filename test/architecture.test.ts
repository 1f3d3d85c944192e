/**
 * Who may import whom. Imports point downwards only, and no two files need each other; the core is pure. A new folder or a new package
 * needs a row here.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const SRC = resolve(import.meta.dirname, '..', 'src')

/**
 * A folder or a file, and all that its files may import: files, packages, and folders with their inner folders. Where a
 * file is in two rows, the longer one counts.
 */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  scim: ['scim'],
  // Of @cloudflare/workers-types the types of D1 alone, whose globals Node.js must not see (tsconfig/node.json).
  'storage/database': ['storage/database', 'drizzle-orm', '@cloudflare/workers-types'],
  'storage/tables': ['storage/tables', 'storage/database', 'administrators', 'scim', 'drizzle-orm'],
  'storage/administrators': [
    'storage/administrators',
    'storage/access',
    'storage/tables',
    'storage/database',
    'administrators',
    'scim',
    'drizzle-orm',
  ],
  'storage/tenants': ['storage/tenants', 'storage/tables', 'storage/database', 'scim', 'drizzle-orm'],
  'storage/access': [
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'jwt',
    'drizzle-orm',
  ],
  'storage/log': [
    'storage/log',
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/guard': [
    'storage/guard',
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/events': [
    'storage/events',
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/webhooks': [
    'storage/webhooks',
    'storage/events',
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/sources': [
    'storage/sources',
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/values': ['storage/values', 'storage/tables', 'storage/database', 'drizzle-orm'],
  'storage/resources': [
    'storage/resources',
    'storage/sources',
    'storage/guard',
    'storage/events',
    'storage/log',
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/search': [
    'storage/search',
    'storage/resources',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/lists': [
    'storage/lists',
    'storage/resources',
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/explain': [
    'storage/explain',
    'storage/log',
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/extensions': [
    'storage/extensions',
    'storage/events',
    'storage/lists',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  'storage/transfer': [
    'storage/transfer',
    'storage/events',
    'storage/access',
    'storage/tenants',
    'storage/tables',
    'storage/database',
    'scim',
    'drizzle-orm',
  ],
  provider: ['provider', 'scim', 'storage'],
  'id-generator.ts': ['uuidv7'],
  'bindings.ts': ['storage'],
  // What is loaded when it is first needed.
  'parts.ts': ['administration.ts', 'background-work.ts', 'http', 'runtime.ts', 'hono'],
  'administration.ts': ['admin', 'http', 'runtime.ts', 'hono'],
  'background-work.ts': ['provider'],
  'durable-objects': [
    'durable-objects',
    'bindings.ts',
    'provider',
    'storage',
    'id-generator.ts',
    'parts.ts',
    'cloudflare:workers',
  ],
  // Roles of administrators.
  administrators: ['administrators'],
  'runtime.ts': ['administrators', 'provider', 'scim', 'storage'],
  // What every request meets before its part of the app: who sends it, from where, and how much it brings.
  edge: ['edge', 'scim', 'runtime.ts', 'hono'],
  // Tokens of other issuers: Cloudflare Access, and identity providers.
  jwt: ['jwt', 'jose', 'valibot'],
  // The routes of the admin API as data: served by admin, described by http.
  'admin/contract': ['admin/contract', 'administrators', 'drift', 'scim', 'storage', 'valibot'],
  http: ['http', 'admin/contract', 'edge', 'jwt', 'provider', 'scim', 'storage', 'runtime.ts', 'hono'],
  admin: [
    'admin',
    'admin/contract',
    'administrators',
    'csv-cell.ts',
    'drift',
    'edge',
    'jwt',
    'provider',
    'scim',
    'storage',
    'runtime.ts',
    'hono',
    'oauth4webapi',
    'valibot',
  ],
  // The emulator shares nothing with the server, so that a shared mistake cannot hide.
  'entra/clock.ts': [],
  'entra/grade.ts': [],
  'entra/problem.ts': [],
  'entra/mappings': ['entra/mappings', 'entra/clock.ts'],
  'entra/protocol': ['entra/protocol', 'entra/mappings', 'entra/clock.ts', 'entra/problem.ts'],
  'entra/providers': ['entra/providers', 'entra/protocol', 'entra/mappings', 'entra/problem.ts'],
  'entra/oauth': ['entra/oauth', 'entra/protocol', 'entra/clock.ts', 'entra/problem.ts'],
  'entra/issuer': ['entra/issuer', 'entra/clock.ts', 'jose'],
  'entra/documents': [
    'entra/documents',
    'entra/mappings',
    'entra/oauth',
    'entra/protocol',
    'entra/providers',
    'entra/clock.ts',
    'entra/problem.ts',
  ],
  'entra/engine': [
    'entra/engine',
    'entra/documents',
    'entra/mappings',
    'entra/protocol',
    'entra/providers',
    'entra/clock.ts',
    'entra/problem.ts',
  ],
  'entra/check': [
    'entra/check',
    'entra/concurrency',
    'entra/mappings',
    'entra/oauth',
    'entra/protocol',
    'entra/clock.ts',
    'entra/grade.ts',
    'entra/problem.ts',
  ],
  'entra/connector': ['entra/connector', 'entra/documents', 'entra/protocol', 'entra/problem.ts'],
  'entra/concurrency': [
    'entra/concurrency',
    'entra/mappings',
    'entra/protocol',
    'entra/clock.ts',
    'entra/problem.ts',
  ],
  'entra/mutation': [
    'entra/mutation',
    'entra/documents',
    'entra/engine',
    'entra/protocol',
    'entra/clock.ts',
    'entra/problem.ts',
  ],
  'entra/gallery': [
    'entra/gallery',
    'entra/documents',
    'entra/engine',
    'entra/mappings',
    'entra/oauth',
    'entra/protocol',
    'entra/clock.ts',
    'entra/problem.ts',
  ],
  'entra/recording': ['entra/recording', 'entra/protocol', 'entra/clock.ts', 'entra/problem.ts'],
  'entra/visible-text.ts': [],
  'entra/report': [
    'entra/report',
    'entra/check',
    'entra/gallery',
    'entra/oauth',
    'entra/protocol',
    'entra/clock.ts',
    'entra/grade.ts',
    'entra/problem.ts',
    'entra/visible-text.ts',
  ],
  'entra/cli.ts': [
    'entra/check',
    'entra/cli',
    'entra/issuer',
    'entra/mutation',
    'entra/providers',
    'entra/report',
    'entra/visible-text.ts',
    'node',
  ],
  'entra/cli': [
    'entra/cli',
    'entra/check',
    'entra/connector',
    'entra/concurrency',
    'entra/documents',
    'entra/engine',
    'entra/gallery',
    'entra/issuer',
    'entra/mappings',
    'entra/oauth',
    'entra/mutation',
    'entra/protocol',
    'entra/providers',
    'entra/recording',
    'entra/report',
    'entra/clock.ts',
    'entra/grade.ts',
    'entra/problem.ts',
    'entra/visible-text.ts',
    // The version of the package.
    '../package.json',
    'csv-cell.ts',
    'drift',
    'node',
    'yaml',
    'cli-progress',
    'nodemailer',
    'csv-parse',
    'undici',
  ],
  // Applications copy the folder, so it needs nothing else.
  consumer: ['consumer'],
  'consumer/cli.ts': ['consumer', 'node'],
  'private-file.mjs': ['node'],
  // CSV quoting is not part of the protocol, so the emulator may share it with the server.
  'csv-cell.ts': [],
  // Formats of exports and their comparison are not part of the protocol either.
  drift: ['drift', 'csv-cell.ts'],
  'settings.ts': ['administrators', 'edge', 'runtime.ts'],
  local: ['local', 'private-file.mjs', 'node', 'esbuild', 'wrangler', 'yaml'],
  'app.ts': ['http', 'admin', 'edge', 'scim', 'storage', 'parts.ts', 'runtime.ts', 'hono'],
  sqlite: ['sqlite', 'storage', 'node', '@cloudflare/workers-types'],
  'self-hosted': [
    'self-hosted',
    'sqlite',
    'app.ts',
    'private-file.mjs',
    'runtime.ts',
    'settings.ts',
    'id-generator.ts',
    'edge',
    'provider',
    'scim',
    'storage',
    'node',
    '@hono/node-server',
  ],
  'deno.ts': ['self-hosted', 'node'],
  'node.ts': ['self-hosted', 'node'],
  'admin/version.ts': [],
  // What the package exports.
  embedding: ['embedding', 'app.ts', 'runtime.ts', 'self-hosted'],
  // The command line of the package: each command loads what it needs.
  cli: ['cli', 'admin/version.ts', 'consumer', 'entra/cli.ts', 'self-hosted', 'sqlite', 'node'],
  'worker.ts': [
    'app.ts',
    'bindings.ts',
    'durable-objects',
    'parts.ts',
    'runtime.ts',
    'settings.ts',
    'id-generator.ts',
    'provider',
    'storage',
  ],
}

interface Import {
  readonly file: string
  readonly owner: string
  readonly imported: string
  /** The file, when it is one of ours. */
  readonly path: string | undefined
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|tsx|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

function importsOf(path: string): readonly Import[] {
  const file = relative(SRC, path)
  const owner = rowOf(file)
  const text = readFileSync(path, 'utf8')
  const statements =
    /(?:^|\n)(?:import|export)\s+(?:type\s+)?(?:[\w*{},\s$]+?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/g
  return [...text.matchAll(statements)].map((match) => {
    const specifier = match[1] ?? match[2] ?? ''
    return { file, owner, imported: ownerOf(specifier, path), path: fileOf(specifier, path) }
  })
}

/** The file below src that a specifier means; undefined for a package. */
function fileOf(specifier: string, from: string): string | undefined {
  return specifier.startsWith('.') ? relative(SRC, resolve(dirname(from), specifier)) : undefined
}

/** Files that import each other, by whatever way, type imports included: each circle with a file to begin at. */
function circles(): readonly string[] {
  const imports = new Map(
    files.map((path) => [relative(SRC, path), importsOf(path).flatMap((found) => found.path ?? [])]),
  )
  const finished = new Set<string>()
  const found: string[] = []
  const visit = (file: string, way: readonly string[]) => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(' > '))
    if (way.includes(file) || finished.has(file)) return
    for (const imported of imports.get(file) ?? []) visit(imported, [...way, file])
    finished.add(file)
  }
  for (const file of imports.keys()) visit(file, [])
  return found
}

/** The row of a file; without one, the folder that should have it. */
function rowOf(file: string): string {
  const rows = Object.keys(TABLE).filter((row) => file === row || file.startsWith(`${row}/`))
  return (
    rows.toSorted((a, b) => b.length - a.length)[0] ??
    (file.startsWith('..') ? file : (file.split('/')[0] ?? ''))
  )
}

/** The row of the file below src, or the package, that a specifier means. */
function ownerOf(specifier: string, from: string): string {
  if (specifier.startsWith('.')) return rowOf(relative(SRC, resolve(dirname(from), specifier)))
  if (specifier.startsWith('node:')) return 'node'
  if (specifier.startsWith('cloudflare:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

const files = filesBelow(SRC)

describe('imports', () => {
  it.for(files.map((path) => relative(SRC, path)))('%s imports only what its folder may', (file) => {
    const found = importsOf(join(SRC, file))
    const owner = rowOf(file)
    const allowed = TABLE[owner]
    expect(allowed, `test/architecture.test.ts has no row for src/${owner}`).toBeDefined()
    const isAllowed = (imported: string) =>
      allowed?.some((row) => imported === row || imported.startsWith(`${row}/`))
    const forbidden = found.filter(({ imported }) => !isAllowed(imported))
    expect(forbidden).toEqual([])
  })

  it('have no circles between files, including type imports', () => {
    expect(circles()).toEqual([])
  })

  it('load nothing later but what parts.ts names, in the server', () => {
    const isOfServer = (file: string) => !/^(?:cli|consumer|entra|local)\//.test(file)
    const dynamic = files.filter(
      (path) => isOfServer(relative(SRC, path)) && /\bimport\('/.test(readFileSync(path, 'utf8')),
    )
    expect(dynamic.map((path) => relative(SRC, path))).toEqual(['parts.ts'])
  })

  it('reach the Durable Object from the Workers entry alone', () => {
    const users = files.flatMap(importsOf).filter(({ imported }) => imported === 'durable-objects')
    const owners = new Set(users.map(({ owner }) => owner).filter((owner) => owner !== 'durable-objects'))
    expect([...owners]).toEqual(['worker.ts'])
  })
})

describe('the core', () => {
  it.for(files.filter((path) => path.startsWith(join(SRC, 'scim'))).map((path) => relative(SRC, path)))(
    '%s reads no clock, no randomness and no network',
    (file) => {
      const code = readFileSync(join(SRC, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
      expect(code).not.toMatch(/Date\.now|new Date\(\)|Math\.random|\bcrypto\b|\bfetch\(|\bprocess\b/)
    },
  )
})
