/**
 * `npm run build:binary`: the command line of the package with its Node.js, as one executable file for Linux, in
 * dist/binary. https://nodejs.org/api/single-executable-applications.html
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { ensureInstalled, fail, ownNode, ROOT, toolCommand } from '../toolchain.mjs'
import { bundleOptions, licensesOf } from './bundle.mjs'
import { ARCHITECTURES } from './checks.mjs'

/** Of every Node.js: it is flipped when a program is injected. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

const USAGE = `npm run build:binary -- [--arch ARCH] [--output DIR]

  --arch ARCH   x64 or arm64; that of this machine by default
  --output DIR  the folder of the file; dist/binary by default`

const { arch, folder } = readArguments()
await ensureInstalled()
mkdirSync(folder, { recursive: true })
const work = mkdtempSync(join(tmpdir(), 'scim-binary-'))
try {
  await makeBinary()
} finally {
  rmSync(work, { recursive: true })
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        arch: { type: 'string', default: process.arch },
        output: { type: 'string', default: join('dist', 'binary') },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    if (!ARCHITECTURES.includes(values.arch)) {
      return fail(`--arch must be ${ARCHITECTURES.join(' or ')}, found "${values.arch}"`)
    }
    return { arch: values.arch, folder: resolve(ROOT, values.output) }
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

async function makeBinary() {
  const node = nodeFor()
  const binary = join(work, 'scim-worker')
  copyFileSync(node.binary, binary)
  chmodSync(binary, 0o755)
  const inputs = await bundle(join(work, 'main.cjs'))
  inject(binary, join(work, 'main.cjs'))
  const licenses = join(folder, 'third-party-licenses.txt')
  writeFileSync(licenses, `${licensesOf(inputs)}\n${readFileSync(node.license, 'utf8')}`)
  const target = join(folder, `scim-worker-linux-${arch}`)
  // The temporary folder may be on another disk, where a file cannot be renamed from.
  copyFileSync(binary, `${target}.unfinished`)
  renameSync(`${target}.unfinished`, target)
  console.log(`The binary is ${target}`)
}

/** One CommonJS module, as the program of a binary has to be. @param {string} outfile */
async function bundle(outfile) {
  const { build } = await import('esbuild')
  const options = await bundleOptions()
  const { metafile } = await build({
    ...options,
    stdin: {
      contents: "import { main } from './src/cli/main.ts'; void main(process.argv.slice(2))",
      resolveDir: ROOT,
    },
    outfile,
    format: 'cjs',
    target: 'node24',
    minify: true,
    keepNames: true,
    define: {
      ...options.define,
      SCIM_WORKER_PROGRAM: '"scim-worker"',
      'import.meta.main': 'false',
      'import.meta.url': '""',
    },
    metafile: true,
  })
  return Object.keys(metafile.inputs)
}

/**
 * Puts the program into the binary of Node.js.
 *
 * @param {string} binary
 * @param {string} main
 */
function inject(binary, main) {
  const output = join(work, 'program.blob')
  const config = join(work, 'config.json')
  // The code cache is of the processor that compiled it.
  const useCodeCache = arch === process.arch
  writeFileSync(config, JSON.stringify({ main, output, useCodeCache, disableExperimentalSEAWarning: true }))
  quietly(ownNode(), ['--experimental-sea-config', config])
  // Prints warnings about the section ".note", which do not matter: https://github.com/nodejs/postject/issues/83
  const args = [binary, 'NODE_SEA_BLOB', output, '--sentinel-fuse', FUSE]
  quietly(...toolCommand('postject/dist/cli.js', args))
}

/**
 * Runs a command whose output matters only if it fails.
 *
 * @param {string} command
 * @param {readonly string[]} args
 */
function quietly(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) fail(`${args.join(' ')} failed with exit code ${status}\n${stdout}${stderr}`)
}

/** The project's Node.js for the architecture. That of another one is downloaded from the registry, and checked by npm. */
function nodeFor() {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', 'node', 'package.json'), 'utf8'))
  const name = `node-linux-${arch}`
  const installed = join(ROOT, 'node_modules', 'node', 'node_modules', name)
  const files = existsSync(installed) ? installed : downloaded(`${name}@${version}`)
  return { binary: join(files, 'bin', 'node'), license: join(files, 'LICENSE') }
}

/** @param {string} name of a package, with its version @returns {string} the folder of its files */
function downloaded(name) {
  console.log(`Downloading ${name} …`)
  const archive = execFileSync('npm', ['pack', name, '--silent', '--pack-destination', work], {
    encoding: 'utf8',
  }).trim()
  execFileSync('tar', ['-xzf', join(work, archive), '-C', work])
  return join(work, 'package')
}
