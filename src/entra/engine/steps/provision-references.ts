/**
 * References from one user to another (`manager`), sent after both users exist. No default mapping has a reference; a
 * job file can map `manager` to an attribute with the target type `reference`.
 *
 * Microsoft: "Understand how Application Provisioning in Microsoft Entra ID", "Known issues for provisioning".
 */

import { escrowKey } from '../../documents/state.ts'
import { referenceRequest } from '../../protocol/requests.ts'
import type { CycleContext } from '../cycle-context.ts'
import { clearEscrow, isDue, putInEscrow } from '../escrow.ts'
import type { ImportedObject } from '../import.ts'
import { ObjectLog } from '../provisioning-log.ts'
import { sendOrThrow } from './object-step.ts'

/** A user whose manager must be sent. */
export interface ReferencePlan {
  readonly user: ImportedObject
  readonly path: string
  readonly managerId: string
}

/**
 * The users of this cycle whose manager differs from the exported one. A manager that is not linked at this point is
 * not sent until the user changes again or the job is restarted: a documented gap.
 */
export function planReferences(context: CycleContext): ReferencePlan[] {
  const mapping = context.job.users.attributeMappings.find(
    ({ targetType, source }) => targetType === 'reference' && source === 'manager',
  )
  if (mapping === undefined) return []
  return [...context.imported.values()].flatMap((user) => {
    const { manager } = user
    const record = context.state.objects[user.id]
    if (manager === undefined || record?.link === undefined || user.lifecycle !== 'active') return []
    const sent = record.link.manager === manager
    const linked = context.state.objects[manager]?.link !== undefined
    return sent || !linked || !isSelected(user, context)
      ? []
      : [{ user, path: mapping.target, managerId: manager }]
  })
}

/** True if the user changed in this cycle or its escrow entry is due. */
function isSelected({ id }: ImportedObject, { state, clock, retryAll }: CycleContext): boolean {
  const escrow = state.escrow[escrowKey('reference', id)]
  if (escrow !== undefined) return retryAll || state.initial || isDue(escrow, clock.now())
  return state.objects[id]?.cycle === state.cycle
}

/**
 * Sends one reference and puts it into escrow if it fails.
 * @throws {JobFailure}
 */
export async function provisionReference(
  { user, path, managerId }: ReferencePlan,
  context: CycleContext,
): Promise<void> {
  const { state, clock, newId, job } = context
  const link = state.objects[user.id]?.link
  const managerTargetId = state.objects[managerId]?.link?.targetId
  if (link === undefined || managerTargetId === undefined) return
  const log = new ObjectLog(clock)
  const cycle = { clock, newId, jobId: job.id, cycle: state.cycle }
  const { targetId } = link
  const sent = await sendOrThrow(
    context,
    'update',
    referenceRequest(targetId, path, managerTargetId, job.dialect),
  )
  if (sent.ok) {
    link.manager = managerId
    clearEscrow(state, 'reference', user.id)
    log.modify(path, null, managerTargetId)
    log.step('referenceResolution', 'EntryExportUpdate', `Reference "${path}" of "${user.name}" was set`, {
      targetId,
    })
    context.emit({ type: 'log', entry: log.entry(user, { result: 'updated', targetId }, cycle) })
  } else {
    const escrow = putInEscrow(
      state,
      { objectId: user.id, kind: 'reference', type: 'User' },
      sent,
      clock.now(),
    )
    log.step('referenceResolution', 'EntryExportUpdate', sent.detail, { errorCode: sent.code }, 'failure')
    const outcome = { result: 'failed', failure: sent, action: 'Update', targetId } as const
    context.emit({ type: 'log', entry: log.entry(user, outcome, cycle, escrow) })
  }
  context.onStateChanged()
}
