/**
 * Builds the module without the dashboard and the OpenAPI document, and a Worker that evaluates a module on request.
 * The difference is the cost of these parts.
 */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { newFolder, ROOT } from '../peers/peer.ts'

/** Empty replacements for the measured parts, with the exports that src/app.ts imports. */
const LEFT_OUT = `import { Hono } from 'hono'
export const adminApi = () => new Hono()
export const adminMisconfigured = (c) => c.text('', 503)
export const adminNotFound = (c) => c.text('', 404)
export const dashboard = () => new Hono()
export const openapi = new Hono()`

const withoutAdministration: Plugin = {
  name: 'without administration',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/(?:admin\/(?:api\.ts|routes\.tsx)|http\/openapi\.ts)$/ }, ({ importer }) =>
      importer.endsWith('app.ts') ? { path: 'left out', namespace: 'left-out' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: LEFT_OUT, resolveDir: ROOT }))
  },
}

/**
 * Bundles the Worker like wrangler, with or without the administration.
 *
 * @returns the file
 */
export async function bundle(isWhole: boolean): Promise<string> {
  const outfile = join(newFolder(), 'worker.js')
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/worker.ts'],
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    legalComments: 'none',
    logLevel: 'warning',
    plugins: isWhole ? [] : [withoutAdministration],
  })
  return outfile
}

/**
 * Builds a Worker that imports another module on `/evaluate`.
 * @returns the files, with the main module first
 */
export function evaluator(module: string): readonly string[] {
  const folder = newFolder()
  const main = join(folder, 'evaluator.js')
  writeFileSync(
    main,
    `import { DurableObject } from 'cloudflare:workers'
export class GroupCoordinator extends DurableObject {}
export default {
  async fetch(request) {
    if (request.url.endsWith('/evaluate')) await import('measured.js')
    return new Response('done')
  },
}`,
  )
  const measured = join(folder, 'measured.js')
  copyFileSync(module, measured)
  return [main, measured]
}

/** @returns the file */
export function emptyModule(): string {
  const file = join(newFolder(), 'empty.js')
  writeFileSync(file, 'export default {}')
  return file
}
