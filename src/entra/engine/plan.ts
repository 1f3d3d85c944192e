/**
 * Decides what a cycle does with one object, from the imported object and its link, without a request. Pure. `diff`
 * shows these decisions and the cycle carries them out.
 */
import type { JobConfig } from '../documents/job.ts'
import { mappingOf, providerOf } from '../documents/job.ts'
import type { Link, ObjectRecord } from '../documents/state.ts'
import type { ProviderProfile, RemovalAction } from '../providers/profile.ts'
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

const NOT_ENTITLED = 'NotEffectivelyEntitled'

export function planObject(object: ImportedObject, record: ObjectRecord | undefined, job: JobConfig): Plan {
  const link = record?.link
  const plan = link === undefined ? planUnlinked(object, job) : planLinked(object, link, job)
  return applyTargetObjectActions(plan, object, job)
}

/** Entra does not create a user that is disabled and not linked. */
function planUnlinked({ type, lifecycle }: ImportedObject, job: JobConfig): Plan {
  if (lifecycle === 'purged') return { kind: 'forget', reason: 'Deleted in Entra before it was provisioned' }
  const createsDisabled = type === 'User' && providerOf(job).createsDisabledUsers
  const entitled = lifecycle === 'active' || (lifecycle === 'accountDisabled' && createsDisabled)
  return entitled ? { kind: 'match' } : { kind: 'skip', reason: NOT_ENTITLED }
}

function planLinked({ type, lifecycle }: ImportedObject, link: Link, job: JobConfig): Plan {
  if (lifecycle === 'active' || (lifecycle === 'accountDisabled' && type === 'User'))
    return { kind: 'update' }
  if (leftScope(lifecycle) && job.skipOutOfScopeDeletions)
    return { kind: 'skip', reason: 'SkipOutOfScopeDeletions' }
  const { removal, title } = providerOf(job)
  // Groups cannot be soft-deleted.
  const action = type === 'Group' ? removal.group : removalOf(lifecycle, removal)
  if (action === 'ignore') return leave(lifecycle, `${title} leaves it at the target`)
  // A user that left the application was disabled at that time; its new name and its deletion are not exported.
  const left = link.disabledBecause === 'unassigned' || link.disabledBecause === 'outOfScope'
  if (action === 'delete')
    return lifecycle === 'purged' && left
      ? { kind: 'forget', reason: 'Deleted after leaving scope: deletion is not exported' }
      : { kind: 'delete' }
  const renamed = lifecycle === 'softDeleted' && !left && providerOf(job).renamesDeletedUsers
  return link.active || renamed
    ? { kind: 'disable' }
    : leave(lifecycle, 'Already disabled by an earlier cycle')
}

function removalOf(lifecycle: Lifecycle, removal: ProviderProfile['removal']): RemovalAction {
  if (lifecycle === 'purged') return removal.purged
  return lifecycle === 'softDeleted' ? removal.deleted : removal.leftScope
}

/** An object that is gone for good is not looked at again. */
function leave(lifecycle: Lifecycle, reason: string): Plan {
  return { kind: lifecycle === 'purged' ? 'forget' : 'skip', reason }
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
