/**
 * Every test is run by a command of package.json, in its runtimes.
 */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..', '..')
const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> }
/** The conformance tests once more, with the profile `strict`. */
const STRICT = 'strict-long'
/** The Vitest projects of each test file, in alphabetical order, without STRICT. */
const PROJECTS = projectsOfFiles()

describe('a test file', () => {
  const files = globSync('test/**/*.test.ts', { cwd: ROOT }).map((file) => file.replaceAll(sep, '/'))

  it.for(files)(
    '%s is in one project of its runtime, and a workerd test may also be in one of SQLite',
    (file) => {
      const [first, second] = PROJECTS.get(file)?.map((project) => project.replace(/-long$/, '')) ?? []
      expect(first).toMatch(/^(?:browser|node|sqlite|workerd)$/)
      expect(second).toBe(first === 'sqlite' ? 'workerd' : undefined)
      expect(PROJECTS.get(file)).toHaveLength(second === undefined ? 1 : 2)
    },
  )

  it.for(files.filter((file) => /^test\/(?:admin|conformance|http)\//.test(file)))(
    '%s runs on D1 and on SQLite',
    (file) => {
      const exceptions = ['test/http/openapi-document.test.ts', 'test/http/provisioning-log.test.ts']
      expect(PROJECTS.get(file)).toHaveLength(exceptions.includes(file) ? 1 : 2)
    },
  )

  it.for(files.filter((file) => /^test\/(?:entra|scim|sqlite)\//.test(file)))(
    '%s runs in Node.js unless it imports a module of workerd',
    (file) => {
      const needsWorkerd = /from '(?:cloudflare:|(?:\.\.\/)+support\/harness)/.test(read(file))
      expect(PROJECTS.get(file)?.[0]).toMatch(needsWorkerd ? /^workerd/ : /^node/)
    },
  )
})

describe('a project of vitest.config.ts', () => {
  const projects = [...new Set([STRICT, ...[...PROJECTS.values()].flat()])].toSorted()

  it('is run by "npm run test:all" or "npm run test:browser"', () => {
    expect([...projectsOf('test:all'), ...projectsOf('test:browser')].toSorted()).toEqual(projects)
  })

  it('is run by "npm test" unless it is long or needs a browser', () => {
    const quick = projects.filter((project) => !project.endsWith('-long') && project !== 'browser')
    expect(projectsOf('test').toSorted()).toEqual(quick)
  })

  it('is run by CI', () => {
    const commands = [...read('.ci/run').matchAll(/^(?:\w+=\S+ )*npm run (\S+)/gm)].map(([, name]) => name)
    expect(commands).toEqual(['test:all', 'build', 'test:browser'])
  })
})

it.for(['start', 'test:soak', 'entra', 'bench', 'build:binary', 'release', 'deploy', 'backup', 'follow'])(
  '"npm run %s -- --help" explains the command without running it',
  (name) => {
    const [, file] = /^node (\S+)$/.exec(scripts[name] ?? '') ?? []
    const output = execFileSync(process.execPath, [file ?? '', '--help'], { cwd: ROOT, encoding: 'utf8' })
    expect(output).toMatch(new RegExp(`npm (?:run )?${name} -- `))
    expect(output).not.toContain('error:')
  },
)

function projectsOfFiles(): ReadonlyMap<string, readonly string[]> {
  const vitest = resolve(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const list = execFileSync(process.execPath, [vitest, 'list', '--filesOnly', '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const projects = new Map<string, string[]>()
  for (const { file, projectName } of JSON.parse(list.slice(list.indexOf('[\n'))) as {
    file: string
    projectName: string
  }[]) {
    const path = relative(ROOT, file).replaceAll(sep, '/')
    if (projectName !== STRICT) projects.set(path, [...(projects.get(path) ?? []), projectName].toSorted())
  }
  return projects
}

/** The projects that a script of package.json passes to Vitest; the long ones only with "--all". */
function projectsOf(script: string): readonly string[] {
  const [, file, all] = /^node (\S+)( --all)?$/.exec(scripts[script] ?? '') ?? []
  return [...read(file ?? '').matchAll(/'--project',\s*'([\w-]+)'/g)]
    .map(([, project]) => project ?? '')
    .filter((project) => all !== undefined || !project.endsWith('-long'))
}

function read(file: string): string {
  return readFileSync(resolve(ROOT, file), 'utf8')
}
