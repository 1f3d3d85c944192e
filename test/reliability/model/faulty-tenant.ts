/**
 * A tenant whose database fails occasionally, for the worker and for its group coordinator.
 */
import { env } from 'cloudflare:workers'
import { noFigures, openDatabase } from '../../../src/storage/database/database.ts'
import {
  CurrentWrites,
  type Joint,
  JointWrites,
  withJointWrites,
} from '../../../src/storage/database/joint-writes.ts'
import { chance } from '../../support/chance.ts'
import { FAULTS, type Fault, type FaultPlan, faultyBinding } from '../../support/faults.ts'
import { labRuntime, sendTo, wrapCoordinator } from '../../support/lab.ts'
import type { Send } from './run.ts'
import type { ModelTenant } from './tenant.ts'

/** The time limit for a silent database in this test; in production it is much longer. */
const TIMEOUT_MS = 60

/** One of this many batches fails. */
const ONE_IN = 12

/** @param onFault is called for each fault */
export async function faultySend(
  { tenantId }: ModelTenant,
  seed: number,
  onFault: (fault: Fault) => void,
): Promise<Send> {
  const random = chance(seed)
  const plan =
    (faults: readonly Fault[]): FaultPlan =>
    () =>
      random() * ONE_IN < 1 ? faults[Math.floor(random() * faults.length)] : undefined
  const faulty = faultyBinding(env.DB, plan(FAULTS), onFault)
  // Without this, the coordinator would wait for a silent database as long as in production.
  const loud = FAULTS.filter((fault) => !fault.startsWith('silent'))
  await wrapCoordinator(tenantId, (binding) => faultyBinding(binding, plan(loud), onFault))
  const queue = new JointWrites(() => openDatabase(faulty, noFigures(), TIMEOUT_MS), Date.now)
  const joint: Joint = {
    current: new CurrentWrites(Date.now),
    send: ({ resourceId }, statements) => queue.run(resourceId, statements),
  }
  const runtime = labRuntime({
    openDatabase: (_name, figures) =>
      withJointWrites(openDatabase(faulty, figures, TIMEOUT_MS), figures, joint),
  })
  return (request) => sendTo(runtime, request)
}
