/**
 * A copy of the clone, so that its settings can be changed while other tests use the original.
 */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..', '..')
const COPIED = ['src', 'migrations', 'wrangler.toml', 'package.json', 'package-lock.json', 'tsconfig.json']

/** @param folder where the copy will be @returns the folder of its scripts */
export function copyClone(folder: string): string {
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'src', 'local')
}

/** Adds the second database to the wrangler.toml of a copy: the one that is there as a comment. */
export function addSecondDatabase(folder: string): void {
  const path = join(folder, 'wrangler.toml')
  const text = readFileSync(path, 'utf8')
  const added = text.replace(/^# (\[\[d1_databases\]\]|\w+ = ".*")$/gm, (line, setting) =>
    /d1_databases|DB2|scim-worker-2|migrations_dir/.test(line) ? setting : line,
  )
  if (added === text) throw new Error('wrangler.toml has no second database as a comment')
  writeFileSync(path, added)
}
