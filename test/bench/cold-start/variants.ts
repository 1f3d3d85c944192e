/**
 * Builds the Worker as one module, and a Worker that evaluates modules on request.
 */
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { partsAtStart } from '../../../src/local/release/bundle.mjs'
import { WORKER_OPTIONS } from '../../../src/local/worker-modules.mjs'
import { newFolder } from '../peers/peer.ts'

/**
 * Bundles the Worker into one module, whose parts are all evaluated at the start.
 *
 * @returns the file
 */
export async function oneModule(): Promise<string> {
  const outfile = join(newFolder(), 'one.js')
  await build({
    ...WORKER_OPTIONS,
    outfile,
    sourcemap: false,
    plugins: [...WORKER_OPTIONS.plugins, partsAtStart],
  })
  return outfile
}

/**
 * Builds a Worker that imports a module on `/evaluate`.
 *
 * @param modules the files, with the one that is imported first
 * @returns the files, with the main module first
 */
export function evaluator([first = '', ...imported]: readonly string[]): readonly string[] {
  const folder = newFolder()
  const main = join(folder, 'evaluator.js')
  writeFileSync(
    main,
    `import { DurableObject } from 'cloudflare:workers'
export class GroupCoordinator extends DurableObject {}
export default {
  async fetch(request) {
    if (request.url.endsWith('/evaluate')) await import('./${basename(first)}')
    return new Response('done')
  },
}`,
  )
  return [main, first, ...imported]
}

/** @returns the file */
export function emptyModule(): string {
  const file = join(newFolder(), 'empty.js')
  writeFileSync(file, 'export default {}')
  return file
}
