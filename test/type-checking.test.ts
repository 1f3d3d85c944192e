/**
 * What the type checker lets each part of the code see: the core the language alone, the Worker no Node.js, the rest
 * no Workers. "tsc -b" checks every file by the configurations that tsconfig.json refers to.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')

/** The files of a configuration with all that they refer to, relative to the root. */
function filesOf(config: string): readonly string[] {
  const list = execFileSync(process.execPath, [TSC, '-p', config, '--listFilesOnly'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return list
    .trim()
    .split('\n')
    .map((path) => relative(ROOT, path).replaceAll(sep, '/'))
}

const CONFIGS = [
  ...readFileSync(join(ROOT, 'tsconfig.json'), 'utf8').matchAll(/"path": "\.\/(tsconfig\.\w+\.json)"/g),
].map(([, name]) => name ?? '')

const FILES = new Map(CONFIGS.map((name) => [name, filesOf(name)]))

/** The declarations of a package that a configuration has loaded. */
function declarationsOf(config: string, name: string): readonly string[] {
  return (FILES.get(config) ?? []).filter((path) => path.startsWith(`node_modules/${name}/`))
}

describe('the type checker', () => {
  it('checks every file of src and test', () => {
    const checked = new Set([...FILES.values()].flat())
    const sources = ['src', 'test'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.(?:ts|tsx|mjs)$/.test(path))
        .map((path) => `${folder}/${path.replaceAll(sep, '/')}`),
    )
    expect(sources.filter((path) => !checked.has(path))).toEqual([])
  })

  it('shows the core the language alone', () => {
    const others = FILES.get('tsconfig.core.json')?.filter(
      (path) =>
        !path.startsWith('src/scim/') &&
        !/^node_modules\/.*\/lib\.(?:es|decorators)[\w.]*\.d\.ts$/.test(path),
    )
    expect(others).toEqual([])
  })

  it('shows the Worker nothing of Node.js', () => {
    expect(declarationsOf('tsconfig.workers.json', '@types/node')).toEqual([])
    expect(declarationsOf('tsconfig.workers.json', '@cloudflare/workers-types')).not.toEqual([])
  })

  it('shows Node.js and Deno no globals of Workers', () => {
    expect(declarationsOf('tsconfig.node.json', '@types/node')).not.toEqual([])
    // index.ts has the same types as exports.
    expect(
      declarationsOf('tsconfig.node.json', '@cloudflare/workers-types').filter((path) =>
        path.endsWith('.d.ts'),
      ),
    ).toEqual([])
  })
})
