/** What all bundles for Node.js and Deno have in common. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../toolchain.mjs'

const MIGRATIONS = join(ROOT, 'migrations')

/** @type {import('esbuild').BuildOptions} */
const COMMON = { absWorkingDir: ROOT, bundle: true, platform: 'node', logLevel: 'warning' }

/**
 * Options of esbuild. The migrations and the thread of the database are part of the bundle.
 *
 * @returns {Promise<import('esbuild').BuildOptions & { define: Record<string, string> }>}
 */
export async function bundleOptions() {
  const migrations = readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(MIGRATIONS, name), 'utf8') }))
  return {
    ...COMMON,
    sourcemap: false,
    legalComments: 'none',
    define: { MIGRATIONS: JSON.stringify(migrations), THREAD_SOURCE: JSON.stringify(await threadSource()) },
  }
}

/**
 * Imports the parts of the server (src/parts.ts) at the start, for a bundle of one file, which is parsed as a whole anyway. Of
 * modules that are evaluated later, esbuild would keep exports that nothing uses, and change how variables are accessed.
 *
 * @type {import('esbuild').Plugin}
 */
export const partsAtStart = {
  name: 'parts at the start',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\]parts\.ts$/ }, ({ path }) => {
      /** @type {string[]} */
      const imports = []
      const text = readFileSync(path, 'utf8').replace(/\bimport\(('[^']+')\)/g, (_, specifier) => {
        const name = `part${imports.length}`
        imports.push(`import * as ${name} from ${specifier}`)
        return `Promise.resolve(${name})`
      })
      return { contents: `${imports.join('\n')}\n${text}`, loader: 'ts' }
    })
  },
}

/** The thread of the database as text, for src/sqlite/database-threads.ts. */
async function threadSource() {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: ['src/sqlite/thread.ts'],
    write: false,
    minify: true,
    format: 'cjs',
    target: 'es2024',
  })
  return outputFiles[0]?.text
}

/**
 * The licences of the packages in a bundle, whose texts must accompany every copy.
 *
 * @param {readonly string[]} inputs paths of the bundled files, relative to the root
 */
export function licensesOf(inputs) {
  const folders = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [])
  return [...new Set(folders)]
    .toSorted()
    .map(licenseOf)
    .join(`\n${'-'.repeat(80)}\n\n`)
}

/** @param {string} folder of a package, relative to the root */
function licenseOf(folder) {
  const files = readdirSync(join(ROOT, folder))
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'))
  const file = files.find((one) => /^licen[sc]e/i.test(one))
  const text = file === undefined ? '' : `\n${readFileSync(join(ROOT, folder, file), 'utf8').trim()}\n`
  return `${name} ${version} (${license})\n${text}`
}
