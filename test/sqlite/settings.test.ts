/**
 * The settings of a self-hosted server, and their files.
 */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { readSettings, storeNewAdminToken } from '../../src/self-hosted/settings.ts'
import { temporaryFolder } from './support/files.ts'

afterEach(() => vi.unstubAllEnvs())

it('makes settings.env readable only to its owner when it adds ADMIN_TOKEN, and keeps the contents', () => {
  const folder = temporaryFolder()
  const file = join(folder, 'settings.env')
  writeFileSync(file, 'LOG_RETENTION_DAYS=7')
  chmodSync(file, 0o644)
  vi.stubEnv('DATA_FOLDER', folder)
  vi.stubEnv('ADMIN_TOKEN', undefined)
  const settings = readSettings()
  const { app, adminTokenIn, logRetentionDays } = settings
  expect(readFileSync(file, 'utf8')).toBe('LOG_RETENTION_DAYS=7')
  storeNewAdminToken(settings)
  expect([adminTokenIn, logRetentionDays]).toEqual([file, 7])
  expect(readFileSync(file, 'utf8')).toBe(`LOG_RETENTION_DAYS=7\nADMIN_TOKEN="${app.adminToken}"\n`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readSettings()).toMatchObject({ app: { adminToken: app.adminToken }, adminTokenIn: file })
})
