/** The settings of a Runtime in tests. */
import type { Settings } from '../../src/runtime.ts'
import { SHARED_DEFAULTS, sharedSettings } from '../../src/settings.ts'

export const TEST_SETTINGS: Settings = {
  adminToken: 'test-admin-token',
  serverTiming: true,
  requestLog: false,
  logBodies: true,
  logRetentionDays: '30',
  eventRetentionDays: '30',
  tombstoneDays: 30,
  allowLoopbackWebhooks: false,
  accessTeamDomain: undefined,
  accessAudience: undefined,
  federationHosts: [],
  inForce: sharedSettings({ ...SHARED_DEFAULTS, ADMIN_TOKEN: 'test-admin-token' }, () => undefined).app
    .inForce,
}
