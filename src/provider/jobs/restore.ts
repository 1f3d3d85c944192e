/**
 * The job that restores a deleted resource with many memberships. Its position is the id of the resource.
 *
 * | step      | does |
 * |-----------|------|
 * | restoring | brings the resource back, then its memberships, part by part |
 * | failing   | ends a job that failed; what was restored stays, and a restore can be repeated |
 */
import { ADMINISTRATOR_STATEMENTS, asAdministrator } from '../administrator.ts'
import type { Call } from '../call.ts'
import {
  bringBack,
  findRestorable,
  keepLeftMembers,
  RESTORE_STATEMENTS,
  restorePart,
} from '../history/restore.ts'
import type { StepContext, Steps, Unit } from './step.ts'

export const RESTORE_STEPS: Steps = {
  restoring: {
    statements: RESTORE_STATEMENTS + ADMINISTRATOR_STATEMENTS,
    onFailure: 'failing',
    run: restore,
  },
  failing: { statements: 1, keepsError: true, run: async () => ({ change: { state: 'failed' } }) },
}

async function restore(context: StepContext): Promise<Unit> {
  const id = String(context.job.position)
  return await inJob(context, async (call) => {
    // A group that is made again would lose the memberships that are not kept yet.
    if (!(await keepLeftMembers(call, 1))) return {}
    const restorable = await findRestorable(call, id)
    if (restorable === undefined) return { change: { state: 'done' } }
    if (!restorable.tombstone.isRestored) {
      await bringBack(call, restorable)
      return { more: 1 }
    }
    const more = await restorePart(call, restorable)
    return more === undefined ? { change: { state: 'done' } } : { more }
  })
}

/** Runs a unit as the administrator, with the id of the job as that of the request. */
export async function inJob(context: StepContext, run: (call: Call) => Promise<Unit>): Promise<Unit> {
  const { databases, resourceTypes, job, now, administration, noteWrite, pokeWebhooks } = context
  if (administration === undefined) throw new Error(`the job ${job.id} needs an administrator`)
  const { tenantId } = job
  const openDatabase = (name = databases.names[0]) => databases.open(name)
  const as = { tenantId, openDatabase, resourceTypes, now: now(), requestId: job.id, ...administration }
  return await asAdministrator(as, async (call) => {
    const unit = await run(call)
    await noteWrite()
    await pokeWebhooks(call.tenant.webhooks.map((webhookId) => ({ tenantId, webhookId })))
    return unit
  })
}
