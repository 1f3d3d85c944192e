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
 * Each write has the id of the job as that of its request. A resource whose part was written before the job was interrupted is
 * looked at again, and nothing is left to do for it.
 */
import { readTogether } from '../../storage/database/query.ts'
import { changedResourcesQuery, type LocatedWindow } from '../../storage/events/undo.ts'
import type { Call } from '../call.ts'
import { type UndoStep, undoPart } from '../undo/resource-undo.ts'
import { inJob } from './restore.ts'
import type { StepContext, Steps, Unit } from './step.ts'

/** The position of the job, as JSON. */
export interface UndoPosition {
  readonly window: LocatedWindow
  /** The number of the event of the last resource that is done; undefined at the beginning. */
  readonly before?: number | undefined
}

/** The most statements of a unit, which does a part for one resource. */
const STATEMENTS = 38
/** Users that a unit looks at: most of them have nothing to do in a step. */
const RESOURCES_IN_A_UNIT = 1

const step = (name: UndoStep, next: UndoStep | undefined) => ({
  statements: STATEMENTS,
  onFailure: 'failing',
  run: (context: StepContext) => run(context, name, next),
})

export const UNDO_CHANGES_STEPS: Steps = {
  restoring: step('restoring', 'changing'),
  changing: step('changing', 'deleting'),
  deleting: step('deleting', undefined),
  failing: { statements: 1, keepsError: true, run: async () => ({ change: { state: 'failed' } }) },
}

async function run(context: StepContext, name: UndoStep, next: UndoStep | undefined): Promise<Unit> {
  const { window, before }: UndoPosition = JSON.parse(String(context.job.position))
  return await inJob(context, async (call) => {
    const { database, tenantId } = call.tenant
    const { page } = await readTogether(database, {
      page: changedResourcesQuery(tenantId, window, { before, size: RESOURCES_IN_A_UNIT }),
    })
    let [done, more] = [before, 0]
    for (const resource of page.resources) {
      if (!(await undoResource(call, context, resource, { window, name })))
        return { more, position: at(window, done) }
      done = resource.seq
      if (next !== undefined && name === 'changing') more++
    }
    if (page.next !== undefined) return { more, position: at(window, page.next) }
    if (next === undefined) return { more, position: at(window, undefined), change: { state: 'done' } }
    return { more, next, position: at(window, undefined) }
  })
}

function at(window: LocatedWindow, before: number | undefined): string {
  return JSON.stringify({ window, before } satisfies UndoPosition)
}

async function undoResource(
  call: Call,
  { job }: StepContext,
  { id, type: typeName }: { readonly id: string; readonly type: string },
  { window, name }: { readonly window: LocatedWindow; readonly name: UndoStep },
): Promise<boolean> {
  const type = call.tenant.resourceTypes.find((one) => one.name === typeName)
  if (type === undefined) return true
  return await undoPart(call, { tenantId: job.tenantId, type, id, window, requestId: job.id }, name)
}
