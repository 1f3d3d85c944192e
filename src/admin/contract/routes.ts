/**
 * All routes of the admin API, below ADMIN_API_PATH. To add a route, write an entry in the file of its resource and a
 * handler of the same name in src/admin/api/. The compiler and the tests report everything else that is needed.
 */
import { administratorRoutes } from './administrators.ts'
import { auditRoutes } from './audit.ts'
import { clientRoutes } from './clients.ts'
import { databaseRoutes } from './databases.ts'
import { driftRoutes } from './drift.ts'
import { emergencyRoutes } from './emergency.ts'
import { explainRoutes } from './explain.ts'
import { federationRoutes } from './federation.ts'
import { historyRoutes } from './history.ts'
import { jobRoutes } from './jobs.ts'
import { logRoutes } from './log.ts'
import { schemaRoutes } from './schemas.ts'
import { secretRoutes } from './secrets.ts'
import { sourceRoutes } from './sources.ts'
import { tenantRoutes } from './tenants.ts'
import { tokenRoutes } from './tokens.ts'
import { tombstoneRoutes } from './tombstones.ts'
import { transferRoutes } from './transfer.ts'
import { undoRoutes } from './undo.ts'
import { webhookRoutes } from './webhooks.ts'

export const ADMIN_API_PATH = '/admin/api'

export const ROUTES = {
  ...tenantRoutes,
  ...clientRoutes,
  ...secretRoutes,
  ...federationRoutes,
  ...tokenRoutes,
  ...logRoutes,
  ...emergencyRoutes,
  ...explainRoutes,
  ...driftRoutes,
  ...transferRoutes,
  ...schemaRoutes,
  ...jobRoutes,
  ...databaseRoutes,
  ...administratorRoutes,
  ...auditRoutes,
  ...webhookRoutes,
  ...sourceRoutes,
  ...tombstoneRoutes,
  ...historyRoutes,
  ...undoRoutes,
} as const
