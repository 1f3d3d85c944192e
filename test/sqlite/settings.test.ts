/**
 * The settings of a self-hosted server, and their files.
 */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
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

describe('settings.env', () => {
  const TOKEN = 'a-token-of-the-administrator'

  function read(text: string) {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'settings.env'), text)
    vi.stubEnv('ADMIN_TOKEN', undefined)
    return readSettings({ DATA_FOLDER: folder })
  }

  it.for([
    ['with a byte order mark', `\uFEFFADMIN_TOKEN=${TOKEN}\nPORT=9000\n`],
    ['with the line ends of Windows', `ADMIN_TOKEN=${TOKEN}\r\n\r\n# mine\r\nPORT=9000\r\n`],
    ['for a shell', `export ADMIN_TOKEN="${TOKEN}"\n  export PORT='9000' # free\n`],
  ] as const)('is read %s', ([, text]) => {
    const { app, listen } = read(text)
    expect([app.adminToken, listen.port]).toEqual([TOKEN, 9_000])
  })

  it.for([
    ['a line without "="', `PORT=9000\r\nADMIN_TOKEN ${TOKEN}\r\n`, 2],
    ['a quotation mark that is not closed', `# mine\n\nADMIN_TOKEN="${TOKEN}\n`, 3],
    ['a byte order mark in the middle', `PORT=9000\n\uFEFFADMIN_TOKEN=${TOKEN}\n`, 2],
    ['UTF-16', Buffer.from(`PORT=9000\n`, 'utf16le').toString(), 1],
  ] as const)('is refused for %s, with the line and without its text', ([, text, line]) => {
    expect(() => read(text)).toThrow(/^line \d of [^\n]*settings\.env is neither NAME=VALUE nor a comment$/)
    expect(() => read(text)).toThrow(`line ${line} of `)
  })
})
