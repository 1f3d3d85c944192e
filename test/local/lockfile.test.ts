/**
 * The lockfile must be complete on every platform: npm refuses to install from one that lacks the
 * builds of other platforms, and a lockfile written where a registry lacks them is such a one.
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

/** Looks where Node.js would: beside the package, then in each folder above. */
function isLocked(name: string, from: string): boolean {
  if (packages[`${from}${from === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true
  if (from === '') return false
  return isLocked(name, from.slice(0, Math.max(0, from.lastIndexOf('node_modules/') - 1)))
}

describe('package-lock.json', () => {
  it('holds every dependency of every package, those of other platforms too', () => {
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !isLocked(name, path))
        .map((name) => `${path} needs ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('names no address to download from, so that it installs from any registry', () => {
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
  })
})
