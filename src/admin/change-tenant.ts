/**
 * Changes a tenant, for the admin API and the dashboard.
 */
import type { DeprovisionThreshold } from '../scim/deprovisioning.ts'
import { quote } from '../scim/error.ts'
import type { ProfileName } from '../scim/profile.ts'
import type { SourceMode } from '../storage/tenants/context.ts'
import { NamesakesError, type Tenant, type TenantChange, updateTenant } from '../storage/tenants/tenants.ts'
import type { AdminContext } from './env.ts'
import { AdminError } from './errors.ts'
import { noteBefore, noteFields } from './people/audit-note.ts'

/**
 * Changes the given properties of a tenant. Undefined properties stay unchanged. The audit trail gets the previous values.
 *
 * @returns undefined if the tenant does not exist
 * @throws {AdminError} 409 if group names are to become unique and several groups share a name
 */
export async function changeTenant(
  c: Pick<AdminContext, 'get' | 'set'>,
  id: string,
  {
    profile,
    sourceMode,
    deprovisionGuard,
    ...change
  }: Omit<TenantChange, 'configuration'> & {
    readonly profile?: ProfileName | undefined
    readonly sourceMode?: SourceMode | undefined
    readonly deprovisionGuard?: DeprovisionThreshold | null | undefined
  },
): Promise<Tenant | undefined> {
  try {
    // Defaults are not stored, so the configuration of most tenants is empty.
    const configuration = {
      ...(profile && { profile: profile === 'tolerant' ? null : profile }),
      ...(sourceMode && { sourceMode: sourceMode === 'observe' ? null : sourceMode }),
      ...(deprovisionGuard !== undefined && { deprovisionGuard }),
    }
    const updated = await updateTenant(c.get('db'), id, { ...change, configuration })
    if (updated !== undefined) {
      noteFields(c, { ...change, profile, sourceMode, deprovisionGuard })
      noteBefore(c, updated.before)
    }
    return updated?.after
  } catch (error) {
    if (error instanceof NamesakesError) throw notUnique(error)
    throw error
  }
}

function notUnique({ nameCount, names }: NamesakesError): AdminError {
  const listed = names.map(({ name, groupCount }) => `${quote(name)} (${groupCount} groups)`).join(', ')
  const more = nameCount > names.length ? ` and ${nameCount - names.length} more` : ''
  const subject = nameCount === 1 ? '1 group name is' : `${nameCount} group names are`
  return new AdminError(
    409,
    'conflict',
    `${subject} not unique: ${listed}${more}; rename or delete groups first`,
    'uniqueGroupNames',
  )
}
