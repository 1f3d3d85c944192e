/**
 * `npm run release`: checks that a release is consistent, builds its files in dist/release, and creates its tag. All of it
 * works without a network, except for the binary of another architecture.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { ensureInstalled, fail, ROOT } from '../toolchain.mjs'
import { ARCHITECTURES, releaseNotes, versionProblems, workflowProblems } from './checks.mjs'
import { placeholderProblems } from './repository.mjs'

const FOLDER = join(ROOT, 'dist', 'release')
const NOTES = join(ROOT, 'dist', 'release-notes.md')
const MAX_TARBALL_BYTES = 3_000_000

const USAGE = `npm run release -- [--dry-run] [--tag TAG] [--arch ARCH …]

  --dry-run    everything except the creation of the tag
  --tag TAG    a tag that exists already, which must be that of the version
  --arch ARCH  x64 or arm64, once for each binary; that of this machine by default`

const { dryRun, tag, architectures } = readArguments()
await ensureInstalled()
const { version } = JSON.parse(read('package.json'))
await step('The versions agree, and the change log has notes', checkVersions)
await step('The working tree is clean', checkTree)
await step('The tag does not exist yet', checkTag)
await step('The workflows can be parsed, and their actions are pinned', checkWorkflows)
await step('No link of the README waits for the address of the repository', checkPlaceholders)
rmSync(FOLDER, { recursive: true, force: true })
mkdirSync(FOLDER, { recursive: true })
await step('The package', buildPackage)
for (const arch of architectures) await step(`The binary for ${arch}`, () => buildBinary(arch))
await step('The checksums and the notes', writeChecksums)
if (dryRun) console.log(`\nThe files of version ${version} are in ${FOLDER}. Nothing was tagged.`)
else createTag()

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        'dry-run': { type: 'boolean', default: false },
        tag: { type: 'string' },
        arch: { type: 'string', multiple: true, default: [process.arch] },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const unknown = values.arch.find((arch) => !ARCHITECTURES.includes(arch))
    if (unknown !== undefined) fail(`--arch must be ${ARCHITECTURES.join(' or ')}, found "${unknown}"`)
    return { dryRun: values['dry-run'], tag: values.tag, architectures: values.arch }
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

/**
 * @param {string} name
 * @param {() => readonly string[] | Promise<readonly string[]>} check returns the problems
 */
async function step(name, check) {
  const problems = await check()
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'}  ${name}`)
  if (problems.length > 0) fail(problems.join('\n       '))
}

function checkVersions() {
  const files = {
    manifest: read('package.json'),
    lockfile: read('package-lock.json'),
    source: read('src/admin/version.ts'),
    changelog: read('CHANGELOG.md'),
  }
  const problems = versionProblems(files, tag)
  if (problems.length > 0 || releaseNotes(files.changelog, version) !== '') return problems
  return [`CHANGELOG.md has no notes of version "${version}"`]
}

function checkTree() {
  const changed = git('status', '--porcelain').split('\n').filter(Boolean)
  return changed.map((line) => `not committed: ${line}`)
}

/** A release must not end, after all that was built, at a tag that exists. */
function checkTag() {
  const isTaken = !dryRun && git('tag', '--list', `v${version}`) !== ''
  return isTaken ? [`the tag v${version} exists already; raise the version, or use --dry-run`] : []
}

/** Files that nobody publishes may have a link that leads nowhere. */
function checkPlaceholders() {
  const problems = placeholderProblems('README.md', read('README.md'))
  if (!dryRun || tag !== undefined) return problems
  for (const problem of problems) console.log(`note  ${problem}`)
  return []
}

async function checkWorkflows() {
  const { parse } = await import('yaml')
  const folder = '.github/workflows'
  const names = readdirSync(join(ROOT, folder))
  return names.flatMap((name) => workflowProblems(name, parse(read(`${folder}/${name}`))))
}

function buildPackage() {
  node('package.mjs')
  const args = ['pack', '--silent', join(ROOT, 'dist', 'package'), '--pack-destination', FOLDER]
  const tarball = execFileSync('npm', args, { encoding: 'utf8' }).trim()
  const { length } = readFileSync(join(FOLDER, tarball))
  return length > MAX_TARBALL_BYTES ? [`${tarball} has ${length} bytes, limit ${MAX_TARBALL_BYTES}`] : []
}

/** @param {string} arch */
function buildBinary(arch) {
  node('binary.mjs', '--arch', arch, '--output', FOLDER)
  if (arch !== process.arch) return []
  const binary = join(FOLDER, `scim-worker-linux-${arch}`)
  const found = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()
  return found === version ? [] : [`the binary has the version "${found}", expected "${version}"`]
}

/** In the format of sha256sum. */
function writeChecksums() {
  const sum = (/** @type {string} */ name) =>
    createHash('sha256')
      .update(readFileSync(join(FOLDER, name)))
      .digest('hex')
  const lines = readdirSync(FOLDER).map((name) => `${sum(name)}  ${name}\n`)
  writeFileSync(join(FOLDER, 'SHA256SUMS'), lines.join(''))
  writeFileSync(NOTES, `${releaseNotes(read('CHANGELOG.md'), version)}\n`)
  return []
}

function createTag() {
  git('tag', '--annotate', `v${version}`, '--message', `Version ${version}`)
  console.log(`\nThe tag v${version} was created. Publish it: git push origin v${version}`)
}

/**
 * Runs a script of this folder, which reports its own errors.
 *
 * @param {string} script
 * @param {readonly string[]} args
 */
function node(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) fail(`${script} ${args.join(' ')} ended with exit code ${status}`)
}

/** @param {readonly string[]} args */
function git(...args) {
  const { error, status, stdout, stderr } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' })
  return status === 0 ? stdout : fail(`git ${args[0]}: ${error?.message ?? stderr.trim()}`)
}

/** @param {string} path below the root */
function read(path) {
  return readFileSync(join(ROOT, path), 'utf8')
}
