/**
 * Accidental-deletion prevention: counts the disables and deletes of a cycle before any of them is applied. Pure.
 *
 * Microsoft: "Enable accidental deletions prevention in the Microsoft Entra provisioning service".
 */

import { selectChanges } from './cycle.ts'
import type { CycleContext } from './cycle-context.ts'
import type { ImportedObject } from './import.ts'
import { planObject } from './plan.ts'
import { type LogEntry, ObjectLog } from './provisioning-log.ts'

type PlanContext = Pick<CycleContext, 'job' | 'state' | 'imported' | 'clock' | 'retryAll'>

/** The users that would be disabled or deleted and the groups that would be deleted. */
export function plannedDeletions(context: PlanContext): ImportedObject[] {
  return (['User', 'Group'] as const).flatMap((type) =>
    selectChanges(context, type).filter((object) => isDeletion(object, context)),
  )
}

/** A user that is already disabled is not counted a second time when it is purged. */
function isDeletion(object: ImportedObject, { job, state }: PlanContext): boolean {
  const record = state.objects[object.id]
  const { kind } = planObject(object, record, job)
  if (object.type === 'Group') return kind === 'delete'
  const active = record?.link?.active === true
  return (
    active &&
    (kind === 'disable' || kind === 'delete' || (kind === 'update' && object.lifecycle === 'accountDisabled'))
  )
}

/** The log entry for a deletion that is held back because the threshold was exceeded. */
export function stagedDelete(object: ImportedObject, context: CycleContext, threshold: number): LogEntry {
  const log = new ObjectLog(context.clock)
  const reason = `Held back: this cycle would disable or delete more than ${threshold} objects`
  log.step('processing', 'EntrySynchronizationSkip', reason, {}, 'warning')
  const { clock, newId, job, state } = context
  const entry = log.entry(
    object,
    { result: 'skipped', reason },
    { clock, newId, jobId: job.id, cycle: state.cycle },
  )
  return { ...entry, action: 'StagedDelete', statusInfo: { status: 'warning', reason } }
}
