/**
 * Deleting a tenant, and undoing an import, when there is more than one request may delete.
 */
import { forgetLocation } from '../../storage/databases.ts'
import type { Job } from '../../storage/jobs.ts'
import { continueDeletion, continueUndo, DELETION_FRAME_STATEMENTS } from '../../storage/tenants.ts'
import type { StepContext, Steps, Unit } from './step.ts'

/** Chunks that a unit deletes. */
const CHUNKS = 10
const STATEMENTS = CHUNKS + DELETION_FRAME_STATEMENTS

export const DELETE_STEPS: Steps = { deleting: { statements: STATEMENTS, run: remove } }
export const UNDO_STEPS: Steps = { undoing: { statements: STATEMENTS, run: undo } }

async function remove({ databases, resourceTypes, job }: StepContext): Promise<Unit> {
  const outcome = await continueDeletion(databases.open(job.source), resourceTypes, job.tenantId, CHUNKS)
  if (outcome === 'deleting') return {}
  // Nothing, when somebody else has deleted the rest of it: the id may have been given away anew.
  return { change: DONE, commit: outcome === 'deleted' ? [forgetLocation(job.tenantId)] : [] }
}

async function undo({ databases, resourceTypes, job }: StepContext): Promise<Unit> {
  const outcome = await continueUndo(databases.open(job.source), resourceTypes, job.tenantId, CHUNKS)
  return outcome === 'undoing' ? {} : { change: DONE }
}

const DONE = { state: 'done' } satisfies Unit['change'] & { state: Job['state'] }
