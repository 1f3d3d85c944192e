/**
 * A tenant whose database fails now and then, for the worker and for its group coordinator alike.
 */
import { env } from 'cloudflare:workers'
import { openDatabase } from '../../../src/storage/database.ts'
import { chance } from '../../support/chance.ts'
import { FAULTS, type Fault, type FaultPlan, faultyBinding } from '../../support/faults.ts'
import { labRuntime, sendTo, wrapCoordinator } from '../../support/lab.ts'
import type { Arena } from './arena.ts'
import type { Send } from './run.ts'

/** How long the worker waits for a silent database here; in production it is much longer. */
const TIMEOUT_MS = 60

/** One batch in so many goes wrong. */
const ONE_IN = 12

/** @param noteFault is told of each fault */
export async function troubledSend(
  { tenantId }: Arena,
  seed: number,
  noteFault: (fault: Fault) => void,
): Promise<Send> {
  const random = chance(seed)
  const plan =
    (faults: readonly Fault[]): FaultPlan =>
    () =>
      random() * ONE_IN < 1 ? faults[Math.floor(random() * faults.length)] : undefined
  const troubled = faultyBinding(env.DB, plan(FAULTS), noteFault)
  // The coordinator would wait for a silent database as long as in production.
  const loud = FAULTS.filter((fault) => !fault.startsWith('silent'))
  await wrapCoordinator(tenantId, (binding) => faultyBinding(binding, plan(loud), noteFault))
  const runtime = labRuntime({
    openDatabase: (_name, figures) => openDatabase(troubled, figures, TIMEOUT_MS),
  })
  return (request) => sendTo(runtime, request)
}
