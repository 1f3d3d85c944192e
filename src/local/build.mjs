/**
 * `npm run build`: builds the modules of the Worker in the folder worker/, and bundles each self-hosted entry into one module
 * without dependencies on packages or other files. An argument selects a folder other than dist/.
 */
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundleOptions, partsAtStart } from './release/bundle.mjs'
import { ROOT } from './toolchain.mjs'
import { buildWorkerModules } from './worker-modules.mjs'

const folder = process.argv[2] ?? join(ROOT, 'dist')

await buildWorkerModules(join(folder, 'worker'))
await build({
  ...(await bundleOptions()),
  plugins: [partsAtStart],
  entryPoints: { deno: 'src/deno.ts', node: 'src/node.ts' },
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  format: 'esm',
  target: 'es2024',
})
