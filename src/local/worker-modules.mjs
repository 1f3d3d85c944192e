/**
 * Builds the Worker as modules: `worker.mjs`, the modules that it imports, and one for each part that it loads when it is first
 * needed (src/parts.ts), with what only parts share. Wrangler would bundle all of them into one, which every isolate parses.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ROOT } from './toolchain.mjs'

const MAIN = 'worker.mjs'

/** The source of the main module. */
const ENTRY = join(ROOT, 'src', 'worker.ts')

/**
 * Leaves out the columns of PostgreSQL: drizzle-orm builds every statement with a file that asks whether a part of it is an
 * enum of PostgreSQL.
 *
 * @type {import('esbuild').Plugin}
 */
const withoutPostgres = {
  name: 'without PostgreSQL',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]drizzle-orm[/\\]pg-core[/\\]columns[/\\]enum\.js$/ }, () => ({
      contents: 'export const isPgEnum = () => false',
    }))
  },
}

/** @satisfies {import('esbuild').BuildOptions} */
export const WORKER_OPTIONS = {
  absWorkingDir: ROOT,
  entryPoints: [ENTRY],
  bundle: true,
  format: /** @type {const} */ ('esm'),
  target: 'es2024',
  // As wrangler resolves packages.
  conditions: ['workerd', 'worker', 'browser'],
  external: ['cloudflare:*', 'node:*'],
  minify: true,
  sourcemap: true,
  legalComments: /** @type {const} */ ('none'),
  logLevel: /** @type {const} */ ('warning'),
  plugins: [withoutPostgres],
}

/**
 * The arguments of `wrangler deploy` for the built modules. Their names match `rules` in wrangler.toml, which wrangler would
 * look for beside them.
 */
export const deployArguments = (/** @type {string} */ folder) => [
  join(folder, MAIN),
  ...['--config', join(ROOT, 'wrangler.toml'), '--no-bundle', '--no-minify'],
]

/**
 * A built module. Those that are not lazy are parsed and evaluated in every isolate.
 *
 * @typedef {{ name: string, isLazy: boolean, gzipBytes: number }} WorkerModule
 */

/**
 * @param {string} folder is replaced
 * @returns {Promise<readonly WorkerModule[]>} with the main module first
 */
export async function buildWorkerModules(folder) {
  const { build } = await import('esbuild')
  // Wrangler uploads every module in the folder.
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const { metafile } = await build({
    ...WORKER_OPTIONS,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    splitting: true,
    plugins: [...WORKER_OPTIONS.plugins, oneEagerModule],
    metafile: true,
  })
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]))
  const eager = importedBy(MAIN, outputs)
  return [...eager, ...[...outputs.keys()].filter((name) => name.endsWith('.mjs') && !eager.has(name))].map(
    (name) => ({
      name,
      isLazy: !eager.has(name),
      gzipBytes: gzipSync(readFileSync(join(folder, name)), { level: 9 }).length,
    }),
  )
}

/**
 * Puts all that every isolate evaluates into one module. esbuild makes a module of the files that the same entries need, so
 * each part that is loaded later also imports the main module, which has been evaluated by then.
 *
 * @type {import('esbuild').Plugin}
 */
const oneEagerModule = {
  name: 'one eager module',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^\./ }, async ({ kind, path, resolveDir, importer }) => {
      if (kind !== 'dynamic-import') return undefined
      const found = await resolve(path, { kind: 'import-statement', resolveDir, importer })
      return { ...found, pluginData: { isPart: true } }
    })
    onLoad({ filter: /\.ts$/ }, ({ path, pluginData }) => {
      if (!pluginData?.isPart) return undefined
      return { contents: `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(ENTRY)}`, loader: 'ts' }
    })
  },
}

/**
 * A module and all that it imports statically.
 *
 * @param {string} main
 * @param {ReadonlyMap<string, import('esbuild').Metafile['outputs'][string]>} outputs
 */
function importedBy(main, outputs) {
  const found = new Set([main])
  // A set also iterates over what is added meanwhile.
  for (const name of found) {
    const imports = outputs.get(name)?.imports ?? []
    for (const { path, kind } of imports)
      if (kind === 'import-statement' && outputs.has(basename(path))) found.add(basename(path))
  }
  return found
}
