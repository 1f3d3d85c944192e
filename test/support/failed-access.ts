/** Failed access in the log, as an isolate writes it after some seconds. */
import { env } from 'cloudflare:workers'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { type LoggedReason, logFailedAccess } from '../../src/storage/log/failed-access.ts'

/** Logs requests that were refused now. @param clientId undefined for a token that is unknown */
export async function refuseAccess(
  tenantId: string,
  reason: LoggedReason,
  { clientId, count = 1 }: { readonly clientId?: string; readonly count?: number } = {},
): Promise<void> {
  const time = Date.now()
  const hex = time.toString(16).padStart(12, '0')
  const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${crypto.randomUUID().slice(-12)}`
  const failed = { tenantId, reason, clientId, id, time, count, tokenId: undefined, requestId: 'request' }
  await logFailedAccess(openDatabase(env.DB, noFigures()), [failed])
}
