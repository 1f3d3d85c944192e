/**
 * Decides what a cycle does with one object, from the imported object and its link, without a request. Pure. `diff`
 * shows these decisions and the cycle carries them out.
 */

import type { JobConfig } from '../documents/job.ts'
import { mappingOf } from '../documents/job.ts'
import type { Link, ObjectRecord } from '../documents/state.ts'
import type { ImportedObject, Lifecycle } from './import.ts'

export type Plan =
  /** Not linked: search by the matching attributes, then update or create. */
  | { readonly kind: 'match' }
  /** Linked: read the target object and send the differences. */
  | { readonly kind: 'update' }
  /** Linked: set `active` to false. A user that was deleted in Entra also gets its new name. */
  | { readonly kind: 'disable' }
  | { readonly kind: 'delete' }
  /** Stop managing the object without a request; it remains at the target. */
  | { readonly kind: 'forget'; readonly reason: string }
  | { readonly kind: 'skip'; readonly reason: string }

export const NOT_ENTITLED = 'NotEffectivelyEntitled'

export function planObject(object: ImportedObject, record: ObjectRecord | undefined, job: JobConfig): Plan {
  const link = record?.link
  const plan = link === undefined ? planUnlinked(object) : planLinked(object, link, job)
  return applyTargetObjectActions(plan, object, job)
}

/** A user that is disabled in Entra and not linked is not created. */
function planUnlinked({ lifecycle }: ImportedObject): Plan {
  if (lifecycle === 'purged') return { kind: 'forget', reason: 'Deleted in Entra before it was provisioned' }
  return lifecycle === 'active' ? { kind: 'match' } : { kind: 'skip', reason: NOT_ENTITLED }
}

function planLinked({ type, lifecycle }: ImportedObject, link: Link, job: JobConfig): Plan {
  if (lifecycle === 'active' || (lifecycle === 'accountDisabled' && type === 'User'))
    return { kind: 'update' }
  if (leftScope(lifecycle) && job.skipOutOfScopeDeletions)
    return { kind: 'skip', reason: 'SkipOutOfScopeDeletions' }
  // Groups cannot be soft-deleted.
  if (type === 'Group') return { kind: 'delete' }
  // A user that left the application was disabled at that time; its new name and its deletion are not exported.
  const left = link.disabledBecause === 'unassigned' || link.disabledBecause === 'outOfScope'
  if (lifecycle === 'purged')
    return left
      ? { kind: 'forget', reason: 'Deleted after leaving scope: deletion is not exported' }
      : { kind: 'delete' }
  return link.active || (lifecycle === 'softDeleted' && !left)
    ? { kind: 'disable' }
    : { kind: 'skip', reason: 'Already disabled by an earlier cycle' }
}

function leftScope(lifecycle: Lifecycle): boolean {
  return lifecycle === 'unassigned' || lifecycle === 'outOfScope'
}

function applyTargetObjectActions(plan: Plan, { type, lifecycle }: ImportedObject, job: JobConfig): Plan {
  const actions = mappingOf(job, type)?.targetObjectActions
  if ((plan.kind === 'update' || plan.kind === 'disable') && actions?.update === false)
    return { kind: 'skip', reason: 'Target object action "update" is off' }
  if (plan.kind !== 'delete' || actions?.delete !== false) return plan
  const reason = 'Target object action "delete" is off'
  return lifecycle === 'purged' ? { kind: 'forget', reason } : { kind: 'skip', reason }
}
