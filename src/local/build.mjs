/**
 * The second part of `npm run build`: bundles each self-hosted entry into one module without dependencies on packages
 * or other files. An argument selects a folder other than dist/.
 */
import { build } from 'esbuild'
import { bundleOptions } from './release/bundle.mjs'

// The extension is not .js, because the only .js file in dist/ is the Worker.
await build({
  ...(await bundleOptions()),
  entryPoints: { deno: 'src/deno.ts', node: 'src/node.ts' },
  outdir: process.argv[2] ?? 'dist',
  outExtension: { '.js': '.mjs' },
  format: 'esm',
  target: 'es2024',
})
