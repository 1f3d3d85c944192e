/** The two tests of provision on demand: POD_User_Test and POD_Group_Test. */

import { failed, type GalleryContext, success, type Verdict } from '../gallery-test.ts'
import { findRequest, hasResources } from '../requests.ts'
import { EmulatedTenant } from './emulated-tenant.ts'

export function provisionUserOnDemand(context: GalleryContext): Promise<Verdict> {
  const tenant = new EmulatedTenant(context)
  const { id, userPrincipalName } = tenant.addUser('laspod')
  return provisionOnDemand(context, tenant, { id, type: 'User', name: userPrincipalName })
}

export function provisionGroupOnDemand(context: GalleryContext): Promise<Verdict> {
  const tenant = new EmulatedTenant(context)
  const { id, displayName } = tenant.addGroup('PODTestGroup')
  return provisionOnDemand(context, tenant, { id, type: 'Group', name: displayName })
}

async function provisionOnDemand(
  { session }: GalleryContext,
  tenant: EmulatedTenant,
  { id, type, name }: { readonly id: string; readonly type: 'User' | 'Group'; readonly name: string },
): Promise<Verdict> {
  const infix = type === 'User' ? '' : 'Group_'
  const status = await tenant.provisionOnDemand(id)
  if (status !== 200) return failed(`Action: POD_${infix}Provision_On_Demand - HTTP ${status}`)
  if (!hasResources(await session.send(findRequest(type, name))))
    return failed(`Action: POD_SCIM_Get_${type} - ${type.toLowerCase()} not found on SCIM endpoint`)
  const isLogged = tenant.log.some(({ action }) => action === 'Create')
  return isLogged
    ? success()
    : failed(`Action: POD_${infix}Verify_Provisioning_Logs - provisioning log not found`)
}
