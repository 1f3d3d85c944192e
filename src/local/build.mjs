/**
 * `npm run build`, the part for one's own machine: each entry becomes one module that needs no package and
 * no other file. The migrations lie within. An argument names another folder than dist/.
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

// Not .js: the one .js file in dist/ is the Worker.
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
  define: { MIGRATIONS: JSON.stringify(migrations) },
  logLevel: 'warning',
})
