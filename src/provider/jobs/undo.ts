/**
 * The job that undoes the changes of one client between two times, resource by resource. Clients can read and write meanwhile.
 *
 * | step      | does |
 * |-----------|------|
 * | restoring | restores what the client deleted |
 * | changing  | takes back changes of attributes and memberships |
 * | deleting  | deletes what the client created and nobody else has used |
 * | failing   | ends a job that failed or was cancelled; what was undone stays |
 *
 * If a name or the group limit was in the way of something, the three steps are done a second time: the obstacle may be gone.
 * Each write has the id of the job as that of its request. A resource whose part was written before the job was interrupted is
 * looked at again, and nothing is left to do for it.
 */
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { readTogether } from '../../storage/database/query.ts'
import { changedResourcesQuery, type LocatedWindow } from '../../storage/events/undo.ts'
import type { Call } from '../call.ts'
import { type UndoPart, type UndoStep, undoPart } from '../undo/resource-undo.ts'
import { inJob } from './restore.ts'
import type { StepContext, Steps, Unit } from './step.ts'

/** The position of the job, as JSON. */
export interface UndoPosition {
  readonly window: LocatedWindow
  /** The number of the event of the last resource that is done; undefined at the beginning. */
  readonly before?: number | undefined
  /** Whether something could not get its name back, or no room, while the resource in its way was not undone yet. */
  readonly isObstructed?: boolean
  /** Whether all steps are done a second time, because of that. */
  readonly isAgain?: boolean
}

/** The most statements of a unit: a change of a user takes about 11, the others up to 17, a part of a group about 30. */
const STATEMENTS = 40
/** Users in a unit. A group has a unit for itself. */
const USERS_IN_A_UNIT = { restoring: 2, changing: 3, deleting: 2 } as const
/** The resources that a step is about; undefined: all. */
const KINDS = { restoring: 'deleted', changing: undefined, deleting: 'created' } as const

const step = (name: UndoStep, next: UndoStep | undefined) => ({
  statements: STATEMENTS,
  onFailure: 'failing',
  keepsPosition: true,
  run: (context: StepContext) => run(context, name, next),
})

export const UNDO_CHANGES_STEPS: Steps = {
  restoring: step('restoring', 'changing'),
  changing: step('changing', 'deleting'),
  deleting: step('deleting', undefined),
  failing: { statements: 1, keepsError: true, run: async () => ({ change: { state: 'failed' } }) },
}

async function run(context: StepContext, name: UndoStep, next: UndoStep | undefined): Promise<Unit> {
  const position: UndoPosition = JSON.parse(String(context.job.position))
  const { window, before } = position
  return await inJob(context, async (call) => {
    const { database, tenantId } = call.tenant
    const { page } = await readTogether(database, {
      page: changedResourcesQuery(tenantId, window, {
        before,
        size: USERS_IN_A_UNIT[name],
        kind: KINDS[name],
      }),
    })
    let [done, more, isObstructed] = [before, 0, position.isObstructed === true]
    const at = (number: number | undefined, again: Partial<UndoPosition> = { isObstructed }) =>
      JSON.stringify({ ...position, before: number, ...again } satisfies UndoPosition)
    for (const resource of page.resources) {
      const isAlone = hasOwnUnit(call, resource.type)
      if (isAlone && done !== before) return { more, position: at(done) }
      const part = await undoResource(call, context, resource, { window, name })
      isObstructed ||= part.isObstructed === true
      if (!part.isDone) return { more, position: at(done) }
      done = resource.seq
      more++
      if (isAlone) return { more, position: at(done) }
    }
    if (page.next !== undefined) return { more, position: at(page.next) }
    if (next !== undefined) return { more, next, position: at(undefined) }
    if (!isObstructed || position.isAgain) return { more, position: at(undefined), change: { state: 'done' } }
    // Whatever had the name may have been deleted or renamed by now.
    return { more, next: 'restoring', position: at(undefined, { isObstructed: false, isAgain: true }) }
  })
}

function hasOwnUnit({ tenant }: Call, typeName: string): boolean {
  return tenant.resourceTypes.some((type) => type.name === typeName && hasMembers(type))
}

async function undoResource(
  call: Call,
  { job }: StepContext,
  { id, type: typeName }: { readonly id: string; readonly type: string },
  { window, name }: { readonly window: LocatedWindow; readonly name: UndoStep },
): Promise<UndoPart> {
  const type = call.tenant.resourceTypes.find((one) => one.name === typeName)
  if (type === undefined) return { isDone: true }
  return await undoPart(call, { tenantId: job.tenantId, type, id, window, requestId: job.id }, name)
}
