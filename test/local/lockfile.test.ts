/**
 * The lockfile must contain the builds for every platform. A lockfile that was written against a registry without some
 * of them is incomplete, and npm refuses to install from it.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

interface Package {
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly resolved?: string
}

const file = resolve(import.meta.dirname, '..', '..', 'package-lock.json')
const packages: Readonly<Record<string, Package>> = JSON.parse(readFileSync(file, 'utf8')).packages

/** Resolves a package like Node.js: beside the importing package, then in each parent folder. */
function isLocked(name: string, from: string): boolean {
  if (packages[`${from}${from === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true
  if (from === '') return false
  return isLocked(name, from.slice(0, Math.max(0, from.lastIndexOf('node_modules/') - 1)))
}

describe('package-lock.json', () => {
  it('contains every dependency of every package, including those for other platforms', () => {
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !isLocked(name, path))
        .map((name) => `${path} needs ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('contains no download URLs, so that it works with any registry', () => {
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
  })
})
