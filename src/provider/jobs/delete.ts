/**
 * Jobs that delete a tenant or undo an import which is too large for one request.
 */

import { continueDeletion, continueUndo, DELETION_FRAME_STATEMENTS } from '../../storage/tenants/deletion.ts'
import type { Job } from '../../storage/tenants/jobs.ts'
import { forgetTenant } from '../tenants.ts'
import type { StepContext, Steps, Unit } from './step.ts'

/** Chunks of rows that a unit deletes. */
const CHUNKS = 10
const STATEMENTS = CHUNKS + DELETION_FRAME_STATEMENTS

/** The statements with which the runner resumes a move that the deletion has ended. */
const RESUME_STATEMENTS = 3

export const DELETE_STEPS: Steps = { deleting: { statements: STATEMENTS + RESUME_STATEMENTS, run: remove } }
export const UNDO_STEPS: Steps = { undoing: { statements: STATEMENTS, run: undo } }

async function remove({ databases, resourceTypes, job }: StepContext): Promise<Unit> {
  const outcome = await continueDeletion(databases.open(job.source), resourceTypes, {
    id: job.tenantId,
    maxBatches: CHUNKS,
    forget: (tenantId) => forgetTenant(databases, tenantId, job.source),
  })
  return outcome === 'deleting' ? {} : { change: DONE }
}

async function undo({ databases, resourceTypes, job }: StepContext): Promise<Unit> {
  const outcome = await continueUndo(databases.open(job.source), resourceTypes, job.tenantId, CHUNKS)
  return outcome === 'undoing' ? {} : { change: DONE }
}

const DONE = { state: 'done' } satisfies Unit['change'] & { state: Job['state'] }
