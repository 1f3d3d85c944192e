/**
 * The servers of other projects, as npm has them. They are installed into a folder of their own, so nothing of them is in
 * the project's dependencies. The folder is kept for the next run.
 *
 * scimgateway is not in the registry (27 November 2026).
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** All versions, those of better-auth's peer dependencies too: npm takes newer ones, which do not fit together. */
export const PACKAGES = {
  '@better-auth/core': '1.7.5',
  '@better-auth/kysely-adapter': '1.7.5',
  '@better-auth/scim': '1.7.5',
  '@better-auth/utils': '0.4.2',
  'better-auth': '1.7.5',
  'better-call': '1.4.0',
  express: '5.1.0',
  scimmy: '1.3.5',
  'scimmy-routers': '1.3.2',
} as const

const MANIFEST = JSON.stringify({ name: 'peers', private: true, dependencies: PACKAGES })
const FOLDER = join(
  tmpdir(),
  `scim-worker-bench-peers-${createHash('sha256').update(MANIFEST).digest('hex').slice(0, 12)}`,
)

/**
 * Installs the packages unless they are installed.
 *
 * @returns the folder
 * @throws {Error} if npm fails
 */
export function packagesFolder(): string {
  if (existsSync(FOLDER)) return FOLDER
  console.log(`Installing ${Object.keys(PACKAGES).length} packages into ${FOLDER}, once\n`)
  // A folder with the final name is complete.
  const unfinished = `${FOLDER}.${process.pid}`
  try {
    mkdirSync(unfinished)
    writeFileSync(join(unfinished, 'package.json'), MANIFEST)
    const npm = join(dirname(process.execPath), 'npm')
    execFileSync(existsSync(npm) ? npm : 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: unfinished,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    renameSync(unfinished, FOLDER)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return FOLDER
}

/**
 * Copies a server of this folder next to its packages, where Node.js finds them.
 *
 * @returns the path of the copy
 */
export function besidePackages(server: string): string {
  const copy = join(packagesFolder(), server)
  copyFileSync(join(import.meta.dirname, server), copy)
  return copy
}
