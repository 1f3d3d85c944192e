/**
 * What a cycle does with one object, decided from the import and the link alone, without a request. Pure; `diff` shows
 * these decisions, the cycle carries them out.
 */

import type { JobConfig } from '../documents/job.ts'
import { mappingOf } from '../documents/job.ts'
import type { Link, ObjectRecord } from '../documents/state.ts'
import type { ImportedObject, Lifecycle } from './import.ts'

export type Plan =
  /** Not linked: look for it by the matching attributes, then update or create. */
  | { readonly kind: 'match' }
  /** Linked: read it, send the differences. */
  | { readonly kind: 'update' }
  /** Linked: set `active` to false and nothing else. */
  | { readonly kind: 'disable' }
  | { readonly kind: 'delete' }
  /** Let go of it without a request: it stays at the target. */
  | { readonly kind: 'forget'; readonly reason: string }
  | { readonly kind: 'skip'; readonly reason: string }

export const NOT_ENTITLED = 'NotEffectivelyEntitled'

export function planObject(object: ImportedObject, record: ObjectRecord | undefined, job: JobConfig): Plan {
  const link = record?.link
  const plan = link === undefined ? planUnlinked(object) : planLinked(object, link, job)
  return allowedByActions(plan, object, job)
}

/** Users who are disabled in Entra and not linked are not created. */
function planUnlinked({ lifecycle }: ImportedObject): Plan {
  if (lifecycle === 'purged') return { kind: 'forget', reason: 'Deleted in Entra, never provisioned' }
  return lifecycle === 'active' ? { kind: 'match' } : { kind: 'skip', reason: NOT_ENTITLED }
}

function planLinked({ type, lifecycle }: ImportedObject, link: Link, job: JobConfig): Plan {
  if (lifecycle === 'active' || (lifecycle === 'accountDisabled' && type === 'User'))
    return { kind: 'update' }
  if (leftScope(lifecycle) && job.skipOutOfScopeDeletions)
    return { kind: 'skip', reason: 'SkipOutOfScopeDeletions' }
  // Groups have no soft delete.
  if (type === 'Group') return { kind: 'delete' }
  if (lifecycle !== 'purged') {
    return link.active
      ? { kind: 'disable' }
      : { kind: 'skip', reason: 'Already disabled by an earlier cycle' }
  }
  // A user who left the application first was disabled then; the deletion that follows is not exported.
  if (link.disabledBecause === 'unassigned' || link.disabledBecause === 'outOfScope')
    return { kind: 'forget', reason: 'Deleted after leaving scope: deletion is not exported' }
  return { kind: 'delete' }
}

function leftScope(lifecycle: Lifecycle): boolean {
  return lifecycle === 'unassigned' || lifecycle === 'outOfScope'
}

function allowedByActions(plan: Plan, { type, lifecycle }: ImportedObject, job: JobConfig): Plan {
  const actions = mappingOf(job, type)?.targetObjectActions
  if ((plan.kind === 'update' || plan.kind === 'disable') && actions?.update === false)
    return { kind: 'skip', reason: 'Target object action "update" is off' }
  if (plan.kind !== 'delete' || actions?.delete !== false) return plan
  const reason = 'Target object action "delete" is off'
  return lifecycle === 'purged' ? { kind: 'forget', reason } : { kind: 'skip', reason }
}
