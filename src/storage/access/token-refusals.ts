/**
 * Why a token is refused, according to the row that the check has found.
 */
import { ScimError } from '../../scim/error.ts'
import type { Row } from '../database/database.ts'
import { importing, moving, StaleTenant, TenantElsewhere, TenantMissing } from '../tenants/context.ts'
import { AccessRefused } from './access-refused.ts'
import { forgetToken, recordUse } from './known-tokens.ts'
import { isSameSecret } from './secrets.ts'
import type { Credentials } from './token-conditions.ts'

/** Each writer is checked at its own time: a token may expire between two of them. */
export function writerRefusal(rows: readonly Row[], credentials: Credentials): Refusal | undefined {
  const row = rows.find(({ hash }) => isSameSecret(String(hash), credentials.tokenHash))
  const refusal = refusalOf(row ?? rows.find(({ database }) => database !== null), credentials, 'write')
  if (refusal instanceof ScimError || refusal instanceof TenantElsewhere || row?.scope === 'provision')
    return refusal
  return new AccessRefused('wrong scope', String(row?.id))
}

/** @throws {ScimError} 401, 503; {StaleTenant|TenantElsewhere} */
export function requireToken(row: Row | undefined, credentials: Credentials, use: 'read' | 'write'): void {
  const isFound =
    row !== undefined && (row.database !== null || isSameSecret(String(row.hash), credentials.tokenHash))
  const refusal = refusalOf(isFound ? row : undefined, credentials, use)
  if (refusal !== undefined) throw refusal
}

export type Refusal = ScimError | StaleTenant | TenantElsewhere

/** The reason for which a token is refused at that time and with that configuration, if any. Records the result. */
function refusalOf(
  row: Row | undefined,
  credentials: Credentials,
  use: 'read' | 'write',
): Refusal | undefined {
  if (row?.database === '') {
    forgetToken(credentials)
    return new TenantMissing(new AccessRefused('unknown'))
  }
  if (row !== undefined && row.database !== null) return new TenantElsewhere(String(row.database))
  const reason =
    row === undefined
      ? 'unknown'
      : row.revokedAt != null
        ? 'revoked'
        : row.expiresAt != null && Number(row.expiresAt) <= credentials.now
          ? row.credentialId == null
            ? 'expired'
            : 'lapsed'
          : undefined
  if (row === undefined || reason !== undefined) {
    forgetToken(credentials)
    return new AccessRefused(reason ?? 'unknown', row && String(row.id))
  }
  recordUse(credentials, { clientId: String(row.clientId), cursorKey: String(row.cursorKey) })
  const notReady = row.tenantState === 'ready' ? undefined : notReadyFor(row, use)
  return notReady ?? staleTenant(row, credentials)
}

/**
 * The reason for which clients of a tenant are refused. @returns undefined for a read while the tenant is being moved
 */
function notReadyFor({ tenantState }: Row, use: 'read' | 'write'): ScimError | TenantElsewhere | undefined {
  if (tenantState === 'moving') return use === 'read' ? undefined : moving()
  if (tenantState === 'moved' || tenantState === 'arriving') return new TenantElsewhere(undefined)
  return importing()
}

function staleTenant(
  { tenantVersion, configuration = null }: Row,
  credentials: Credentials,
): StaleTenant | undefined {
  const version = Number(tenantVersion)
  if (version === credentials.tenantVersion) return undefined
  return new StaleTenant({ version, configuration: configuration === null ? null : String(configuration) })
}
