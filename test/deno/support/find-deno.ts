/**
 * The location of Deno: on the PATH, or the npm package, which npm may have to download once. It is not a dependency,
 * because it takes 90 MB and is only needed by these tests and for serving with Deno.
 */
import { execFileSync } from 'node:child_process'

const VERSION = '2.9.6'
const LOOKUP_TIMEOUT_MS = 60_000

/** The path of the binary itself, so that signals reach it; undefined if Deno is not available. */
export const DENO: string | undefined =
  process.env.DENO ?? ask('deno', []) ?? ask('npx', ['--yes', `deno@${VERSION}`])

export const DENO_MISSING = `Deno is not on the PATH, and "npx deno@${VERSION}" does not give it`

function ask(command: string, args: readonly string[]): string | undefined {
  try {
    const output = execFileSync(command, [...args, 'eval', 'console.log(Deno.execPath())'], {
      encoding: 'utf8',
      timeout: LOOKUP_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    })
    return output.trim() || undefined
  } catch {
    return undefined
  }
}
