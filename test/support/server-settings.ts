/**
 * The settings of a server in the test process, for tests in Node.js. Limits, timing and logs are off by default.
 */
import { join } from 'node:path'
import type { Settings } from '../../src/runtime.ts'
import type { ServerSettings } from '../../src/self-hosted/settings.ts'
import { TEST_SETTINGS } from './settings.ts'

const NO_LIMITS = { client: Infinity, tenant: Infinity, signIn: Infinity, failedAuthentication: Infinity }

/** @param folder the folder of the database */
export function serverSettings(
  folder: string,
  more: Partial<Pick<ServerSettings, 'rateLimits' | 'synchronous' | 'databaseCount'>> & {
    readonly serverTiming?: boolean
    readonly allowLoopbackWebhooks?: boolean
    readonly metricsToken?: string
    /** How administrators sign in. */
    readonly people?: Pick<Settings, 'oidc' | 'adminRoles'>
  } = {},
): ServerSettings {
  const { rateLimits = NO_LIMITS, synchronous = 'FULL', serverTiming = false, databaseCount = 1 } = more
  const { allowLoopbackWebhooks = false, metricsToken, people } = more
  return {
    synchronous,
    busyTimeoutMs: 1_000,
    dataFolder: folder,
    databaseFile: join(folder, 'directory.sqlite'),
    databaseCount,
    adminTokenIn: undefined,
    isAdminTokenNew: false,
    logRetentionDays: 30,
    eventRetentionDays: 30,
    trustProxy: false,
    metricsToken,
    rateLimits,
    listen: { host: '127.0.0.1', port: 0, tls: undefined },
    app: { ...TEST_SETTINGS, serverTiming, allowLoopbackWebhooks, ...people },
  }
}
