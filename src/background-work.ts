/** The part of the server that runs without a request: see parts.ts. */
export { runJob } from './provider/jobs/runner.ts'
export { maintain, namesInTurn } from './provider/maintenance.ts'
export { RECONCILE_STATEMENTS, reconcileAndLog } from './provider/reconcile.ts'
export { deliverDue } from './provider/webhooks/deliver.ts'
