/**
 * When the tools of the project count as installed.
 */
import { expect, it } from 'vitest'
import { holdsAll } from '../../src/local/toolchain.mjs'

const WANTED = {
  '': { version: '0.1.0' },
  'node_modules/hono': { version: '4.13.19' },
  'node_modules/workerd-for-another-system': { version: '1.0.0', optional: true },
}

it.for([
  ['all of it but what is for other systems', { 'node_modules/hono': { version: '4.13.19' } }, true],
  ['another version', { 'node_modules/hono': { version: '4.13.18' } }, false],
  ['nothing', {}, false],
] as const)('what npm has installed by hand is complete or not: %s', ([, installed, isComplete]) => {
  expect(holdsAll(installed, WANTED)).toBe(isComplete)
})
