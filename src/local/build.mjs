/**
 * The second part of `npm run build`: bundles each self-hosted entry into one module without dependencies on packages
 * or other files. The migrations are included. An argument selects a folder other than dist/.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from './toolchain.mjs'

const FOLDER = join(ROOT, 'migrations')
const migrations = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => ({ name, sql: readFileSync(join(FOLDER, name), 'utf8') }))

/** The thread of the database as text, for src/sqlite/database-threads.ts. */
const thread = await build({
  absWorkingDir: ROOT,
  entryPoints: ['src/sqlite/thread.ts'],
  bundle: true,
  write: false,
  minify: true,
  format: 'cjs',
  platform: 'node',
  target: 'es2024',
  logLevel: 'warning',
})

// The extension is not .js, because the only .js file in dist/ is the Worker.
await build({
  absWorkingDir: ROOT,
  entryPoints: { deno: 'src/deno.ts', node: 'src/node.ts' },
  outdir: process.argv[2] ?? 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'es2024',
  sourcemap: false,
  legalComments: 'none',
  define: {
    MIGRATIONS: JSON.stringify(migrations),
    THREAD_SOURCE: JSON.stringify(thread.outputFiles[0]?.text),
  },
  logLevel: 'warning',
})
