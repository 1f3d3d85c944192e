/**
 * Detects whether the project's dependencies are installed.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import metadata from '../../package.json' with { type: 'json' }
import { holdsAll, ROOT } from '../../src/local/toolchain.mjs'

const WANTED = {
  '': { version: '0.1.0' },
  'node_modules/hono': { version: '4.13.19' },
  'node_modules/vitest': { version: '5.1.1', dev: true },
  'node_modules/typescript': { version: '7.0.2', devOptional: true },
  'node_modules/workerd-for-another-system': { version: '1.0.0', optional: true },
}
const HONO = { 'node_modules/hono': { version: '4.13.19' } }
const TOOLS = { 'node_modules/vitest': { version: '5.1.1' }, 'node_modules/typescript': { version: '7.0.2' } }

it.for([
  ['everything except packages for other platforms', { ...HONO, ...TOOLS }, true, true],
  ['only what the server needs', HONO, true, false],
  ['only tools', TOOLS, false, false],
  ['another version', { ...TOOLS, 'node_modules/hono': { version: '4.13.18' } }, false, false],
  ['nothing', {}, false, false],
] as const)(
  'checks whether a manual installation is complete, for use and for development: %s',
  ([, installed, forUse, forDevelopment]) => {
    expect([holdsAll(installed, WANTED, 'use'), holdsAll(installed, WANTED, 'development')]).toEqual([
      forUse,
      forDevelopment,
    ])
  },
)

it('the commands that use the server or the emulator import only what is installed for them', () => {
  const { dependencies } = metadata
  const used = globSync('src/{entra,consumer,sqlite,cli}/**/*.ts', { cwd: ROOT })
    .flatMap((file) => [
      ...readFileSync(join(ROOT, file), 'utf8').matchAll(/^import (?!type).*from '([^'.]+)'/gm),
    ])
    .map(([, name = '']) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    )
    .filter((name) => !name.startsWith('node:'))
  expect([...new Set(used)].filter((name) => !(name in dependencies))).toEqual([])
})
