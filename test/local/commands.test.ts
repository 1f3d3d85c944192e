/**
 * Every test of the project is run by a command of package.json.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..', '..')

it('every project of vitest.config.ts is run by "npm test" or "npm run test:browser"', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> }
  const run = ['test', 'test:browser'].flatMap((script) => {
    const [, file] = /^node (\S+)$/.exec(scripts[script] ?? '') ?? []
    return [...read(file ?? '').matchAll(/'--project',\s*'(\w+)'/g)].map(([, project]) => project)
  })
  const projects = [...read('vitest.config.ts').matchAll(/\bname: '(\w+)'/g)].map(([, name]) => name)
  expect(projects).toContain('workerd')
  expect(run.toSorted()).toEqual(projects.toSorted())
})

it.for(['start', 'test:soak', 'entra', 'bench', 'deploy', 'backup'])(
  '"npm run %s -- --help" explains the command, and does nothing else',
  (name) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> }
    const [, file] = /^node (\S+)$/.exec(scripts[name] ?? '') ?? []
    const output = execFileSync(process.execPath, [file ?? '', '--help'], { cwd: ROOT, encoding: 'utf8' })
    expect(output).toMatch(new RegExp(`npm (?:run )?${name} -- `))
    expect(output).not.toContain('error:')
  },
)

function read(file: string): string {
  return readFileSync(resolve(ROOT, file), 'utf8')
}
