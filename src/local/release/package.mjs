/**
 * `npm run build:package`: the package that is published, in dist/package. Everything is bundled, so that it needs no other
 * package. `npm pack ./dist/package` makes the tarball. An argument selects another folder, which must be new or empty.
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { ensureInstalled, fail, ROOT, toolCommand } from '../toolchain.mjs'
import { bundleOptions, licensesOf } from './bundle.mjs'
import { packedDocument, repositoryAddress } from './repository.mjs'

/** The modules that programs import: the path in "exports", and that below src/. */
const EXPORTS = { '.': 'embedding/index', './consumer': 'consumer/index' }
/** Packages whose types the declarations mention. Only programs in TypeScript need them. */
const TYPE_PACKAGES = ['@cloudflare/workers-types', 'drizzle-orm', 'hono']
/** Some of the bundled packages are CommonJS modules and call `require`. */
const REQUIRE = "import { createRequire } from 'module'; const require = createRequire(import.meta.url);"

const OWN_FOLDER = join(ROOT, 'dist', 'package')

const folder = readFolder()
const address = repositoryAddress()
await ensureInstalled()
if (folder === OWN_FOLDER) rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'third-party-licenses.txt'), licensesOf(await bundle()))
declareTypes()
writeDocuments()
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
console.log(`The package is in ${folder}; make a tarball of it: npm pack ${relative(process.cwd(), folder)}`)

/** The folder of the package. Only that of an earlier build is replaced. */
function readFolder() {
  const [name, ...more] = process.argv.slice(2)
  if (more.length > 0 || name?.startsWith('-')) {
    return fail(
      `npm run build:package -- [DIR]: expected one folder at most, found "${process.argv.slice(2).join(' ')}"`,
    )
  }
  const chosen = name === undefined ? OWN_FOLDER : resolve(ROOT, name)
  if (chosen === OWN_FOLDER || isUnused(chosen)) return chosen
  return fail(`"${chosen}" exists and is not an empty folder; choose another one`)
}

/** @param {string} path */
function isUnused(path) {
  return !existsSync(path) || (statSync(path).isDirectory() && readdirSync(path).length === 0)
}

/** @returns {Promise<readonly string[]>} the files that went into the bundles, relative to the root */
async function bundle() {
  const { build } = await import('esbuild')
  const options = await bundleOptions()
  const modules = Object.values(EXPORTS).map((path) => [path, `src/${path}.ts`])
  const { metafile } = await build({
    ...options,
    entryPoints: { 'bin/scim-worker': 'src/cli/bin.mjs', ...Object.fromEntries(modules) },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'lib/[name]-[hash]',
    format: 'esm',
    // Each command loads only its own modules.
    splitting: true,
    // For the emulator. The server needs a newer one, which it checks itself.
    target: 'node20',
    banner: { js: REQUIRE },
    define: { ...options.define, SCIM_WORKER_PROGRAM: '"npx scim-worker"' },
    metafile: true,
  })
  return Object.keys(metafile.inputs)
}

/** Emits the declarations of the exports and of all that they mention. */
function declareTypes() {
  const all = mkdtempSync(join(folder, 'declarations-'))
  const project = join(ROOT, 'tsconfig', 'declarations.json')
  const [command, args] = toolCommand('typescript/bin/tsc', ['-p', project, '--outDir', all])
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) fail(`the declarations could not be emitted: tsc ended with exit code ${status}`)
  const files = new Set(Object.values(EXPORTS).map((path) => join(all, `${path}.d.ts`)))
  // A set also iterates over what is added meanwhile.
  for (const file of files) {
    for (const imported of importsOf(file)) files.add(imported)
    cpSync(file, join(folder, 'types', relative(all, file)))
  }
  rmSync(all, { recursive: true })
}

/**
 * @param {string} file a declaration
 * @returns {readonly string[]} the declarations that it imports
 */
function importsOf(file) {
  const imports = /(?:\bfrom |\bimport\()["'](\.[^"']+)\.tsx?["']/g
  return [...readFileSync(file, 'utf8').matchAll(imports)].map(([, path]) =>
    resolve(file, '..', `${path}.d.ts`),
  )
}

/** README.md and CHANGELOG.md, without links that lead nowhere, and LICENSE. */
function writeDocuments() {
  copyFileSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'))
  const sources = {
    'README.md': join(import.meta.dirname, 'package-readme.md'),
    'CHANGELOG.md': join(ROOT, 'CHANGELOG.md'),
  }
  const packed = [...Object.keys(sources), 'LICENSE']
  for (const [name, source] of Object.entries(sources))
    writeFileSync(join(folder, name), packedDocument(readFileSync(source, 'utf8'), packed, filesOfVersion()))
}

/** @returns {string | undefined} */
function filesOfVersion() {
  if (address === undefined) return undefined
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  return `${address}/blob/v${version}`
}

function manifest() {
  const { name, version, description, license, dependencies, devDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  )
  const versions = { ...dependencies, ...devDependencies }
  const exports = Object.entries(EXPORTS).map(([path, file]) => [
    path,
    { types: `./types/${file}.d.ts`, default: `./${file}.mjs` },
  ])
  return {
    name,
    version,
    description,
    license,
    ...(address === undefined
      ? {}
      : { homepage: address, repository: { type: 'git', url: `git+${address}.git` } }),
    keywords: ['scim', 'provisioning', 'entra', 'identity', 'directory'],
    type: 'module',
    bin: { [name]: 'bin/scim-worker.mjs' },
    exports: Object.fromEntries(exports),
    engines: { node: '>=20' },
    peerDependencies: Object.fromEntries(TYPE_PACKAGES.map((one) => [one, `^${versions[one]}`])),
    peerDependenciesMeta: Object.fromEntries(TYPE_PACKAGES.map((one) => [one, { optional: true }])),
  }
}
