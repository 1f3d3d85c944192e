import { expect, it } from 'vitest'
import metadata from '../../package.json' with { type: 'json' }
import { VERSION } from '../../src/admin/version.ts'

it('the dashboard names the version of package.json', () => {
  expect(VERSION).toBe(metadata.version)
})
