/**
 * Previews the next cycle from the directory and the state, without a request. Because the current values at the target
 * are unknown, updates are derived from the last exported values. Pure.
 */

import type { Link } from '../documents/state.ts'
import { MappingError } from '../mappings/attribute-mapping.ts'
import { selectChanges } from './cycle.ts'
import type { CycleContext } from './cycle-context.ts'
import type { ImportedObject } from './import.ts'
import { logView, mappedValuesOf } from './mapped-values.ts'
import { planObject } from './plan.ts'
import { planMembers } from './steps/provision-members.ts'

export type PreviewContext = Pick<CycleContext, 'job' | 'state' | 'imported' | 'clock' | 'retryAll' | 'newId'>

export interface ChangedValue {
  readonly path: string
  /** As the provisioning log shows it. */
  readonly oldValue: unknown
  readonly newValue: unknown
}

export interface PreviewEntry {
  readonly type: 'User' | 'Group'
  readonly id: string
  readonly name: string
  /** `create` means match, then create if nothing is found. `read` means the target is read to find differences. */
  readonly action: 'create' | 'update' | 'read' | 'disable' | 'enable' | 'delete' | 'fail' | 'skip'
  readonly reason?: string
  readonly changes: readonly ChangedValue[]
  readonly addMembers: readonly string[]
  readonly removeMembers: readonly string[]
}

/** Entries for users, then groups. Unchanged objects are left out. */
export function previewCycle(context: PreviewContext): PreviewEntry[] {
  const users = selectChanges(context, 'User').map((object) => previewObject(object, context))
  const changedGroups = new Set(selectChanges(context, 'Group').map(({ id }) => id))
  const groups = [...context.imported.values()]
    .filter(({ type }) => type === 'Group')
    .flatMap((group) => previewGroup(group, changedGroups.has(group.id), context))
  return [...users, ...groups]
}

function previewGroup(group: ImportedObject, changed: boolean, context: PreviewContext): PreviewEntry[] {
  const entry: PreviewEntry = changed
    ? previewObject(group, context)
    : {
        type: 'Group',
        id: group.id,
        name: group.name,
        action: 'update',
        changes: [],
        addMembers: [],
        removeMembers: [],
      }
  const members = previewMembers(group, context)
  const nothing = !changed && members.addMembers.length + members.removeMembers.length === 0
  return nothing ? [] : [{ ...entry, ...members }]
}

/** Users are processed before memberships, so a member that the cycle will link counts as linked. */
function previewMembers(
  group: ImportedObject,
  context: PreviewContext,
): Pick<PreviewEntry, 'addMembers' | 'removeMembers'> {
  const { imported, state } = context
  if (group.lifecycle !== 'active') return { addMembers: [], removeMembers: [] }
  const willBeLinked = (id: string) =>
    imported.get(id)?.type === 'User' && imported.get(id)?.lifecycle === 'active'
  if (state.objects[group.id]?.link === undefined)
    return { addMembers: group.members.filter(willBeLinked), removeMembers: [] }
  const plan = planMembers(group, context)
  const unsent = plan?.outOfScope.filter(willBeLinked) ?? []
  // Deleting a user at the target also removes it from its groups, without a separate request.
  const isDeleted = (id: string) => {
    const user = imported.get(id)
    return user !== undefined && planObject(user, state.objects[id], context.job).kind === 'delete'
  }
  const removeMembers = plan?.remove.filter((id) => !isDeleted(id)) ?? []
  return { addMembers: [...(plan?.add ?? []), ...unsent], removeMembers }
}

function previewObject(object: ImportedObject, context: PreviewContext): PreviewEntry {
  const { type, id, name } = object
  const record = context.state.objects[id]
  const plan = planObject(object, record, context.job)
  const base = { type, id, name, changes: [], addMembers: [], removeMembers: [] }
  if (plan.kind === 'skip' || plan.kind === 'forget') return { ...base, action: 'skip', reason: plan.reason }
  if (plan.kind === 'disable' || plan.kind === 'delete') return { ...base, action: plan.kind }
  const changes = changedValues(object, record?.link, context)
  if (changes instanceof MappingError) return { ...base, action: 'fail', reason: changes.message }
  if (plan.kind === 'match') return { ...base, action: 'create', changes }
  const active = changes.find(({ path }) => path === 'active')
  if (active !== undefined)
    return { ...base, action: active.newValue === true ? 'enable' : 'disable', changes }
  return { ...base, action: changes.length === 0 ? 'read' : 'update', changes }
}

/** A mapping error, which the cycle reports as a failure of the object, is returned. */
function changedValues(
  object: ImportedObject,
  link: Link | undefined,
  context: PreviewContext,
): ChangedValue[] | MappingError {
  const view = logView(object, context)
  const values = valuesOrError(object, link, context)
  if (values instanceof MappingError) return values
  return [...values].flatMap(([path, newValue]) => {
    const oldValue = link?.values[path]
    if (JSON.stringify(oldValue) === JSON.stringify(newValue)) return []
    return [{ path, oldValue: view(path, oldValue), newValue: view(path, newValue) }]
  })
}

function valuesOrError(object: ImportedObject, link: Link | undefined, context: PreviewContext) {
  try {
    return mappedValuesOf(object, context, link === undefined)
  } catch (error) {
    if (error instanceof MappingError) return error
    throw error
  }
}
