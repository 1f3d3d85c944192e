/**
 * The globals that the type checker allows in each part of the code: only ECMAScript in the core, no Node.js in the Worker,
 * no Workers elsewhere. "tsc -b" checks every file by the configurations that tsconfig.json refers to.
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

const CORE = 'tsconfig/core.json'
const WORKER = 'tsconfig/workers.json'
const NODE = 'tsconfig/node.json'
const NODE_20 = 'tsconfig/node-20.json'

const CONFIGS = [...readFileSync(join(ROOT, 'tsconfig.json'), 'utf8').matchAll(/"path": "\.\/([^"]+)"/g)].map(
  ([, path]) => path ?? '',
)

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

  it('allows only ECMAScript in the core', () => {
    const others = FILES.get(CORE)?.filter(
      (path) =>
        !path.startsWith('src/scim/') &&
        !/^node_modules\/.*\/lib\.(?:es|decorators)[\w.]*\.d\.ts$/.test(path),
    )
    expect(others).toEqual([])
  })

  it('allows no globals of Node.js in the Worker', () => {
    expect(declarationsOf(WORKER, '@types/node')).toEqual([])
    expect(declarationsOf(WORKER, '@cloudflare/workers-types')).not.toEqual([])
  })

  it('allows nothing newer than Node.js 20 in the emulator', () => {
    const files = FILES.get(NODE_20) ?? []
    expect(files).toContain('src/entra/cli.ts')
    // Node.js 20 lacks Map.groupBy, with which `check --suite gallery` ended in a stack trace.
    expect(files.filter((path) => /lib\.es(?:202[4-9]|next)\.\w*collection/.test(path))).toEqual([])
  })

  it('allows no globals of Workers on Node.js and Deno', () => {
    expect(declarationsOf(NODE, '@types/node')).not.toEqual([])
    // index.ts has the same types as exports.
    expect(
      declarationsOf(NODE, '@cloudflare/workers-types').filter((path) => path.endsWith('.d.ts')),
    ).toEqual([])
  })
})
