/**
 * Detects whether the project's dependencies are installed.
 */
import { expect, it } from 'vitest'
import { holdsAll } from '../../src/local/toolchain.mjs'

const WANTED = {
  '': { version: '0.1.0' },
  'node_modules/hono': { version: '4.13.19' },
  'node_modules/workerd-for-another-system': { version: '1.0.0', optional: true },
}

it.for([
  ['everything except packages for other platforms', { 'node_modules/hono': { version: '4.13.19' } }, true],
  ['another version', { 'node_modules/hono': { version: '4.13.18' } }, false],
  ['nothing', {}, false],
] as const)('checks whether a manual installation is complete: %s', ([, installed, isComplete]) => {
  expect(holdsAll(installed, WANTED)).toBe(isComplete)
})
