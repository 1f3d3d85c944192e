/**
 * Runs the tests of users and groups, which go through the provisioning service: each phase edits the tenant, runs a
 * cycle, and looks at the provisioning log and at the endpoint.
 *
 * Microsoft: UserTests_Workflow.json and GroupTests_Workflow.json.
 */
import type { LogAction, LogEntry } from '../../engine/provisioning-log.ts'
import type { ScimRequest } from '../../protocol/requests.ts'
import { failed, type GalleryContext, success, type Verdict } from '../gallery-test.ts'
import type { Reply } from '../session.ts'
import { EmulatedTenant } from './emulated-tenant.ts'

/** What a test holds between its phases. */
export interface Run {
  readonly tenant: EmulatedTenant
  readonly context: GalleryContext
  /** The source id of the user or group under test. */
  subject: string
  /** Source ids of other objects, by their part in the test. */
  readonly others: Record<string, string>
}

export interface Phase {
  /** The validator's name, without "Phase". */
  readonly name: string
  /** A query that must be answered before anything is done, with the name of its action. */
  readonly before?: { readonly action: string; readonly request: (run: Run) => ScimRequest }
  /** The edit in Entra. */
  readonly edit: (run: Run) => void
  /** Sends what the engine does not send by itself; returns whether it was accepted. */
  readonly send?: (run: Run) => Promise<boolean>
  /** The entry that the provisioning log must have about the subject, with status "success". */
  readonly log: LogCheck
  readonly scim?: ScimCheck
  /** What the validator waits for without a failure if it never comes. */
  readonly waits?: Omit<ScimCheck, 'action'>
  /** The part of the result that differs from the usual wording. */
  readonly words?: (failure: PhaseFailure) => string
}

export interface LogCheck {
  /** The name of the validator's action. */
  readonly name: string
  readonly actions: readonly LogAction[]
  /** A property that must be among the modified ones, such as "members". */
  readonly property?: string
  /** The new value that this property must have; the validator's message names both. */
  readonly newValue?: (run: Run) => string | undefined
}

export interface ScimCheck {
  readonly action: string
  readonly request: (run: Run) => ScimRequest
  readonly holds: (reply: Reply, run: Run) => boolean
  readonly otherwise: string | ((reply: Reply, run: Run) => string)
}

/** `success` or the reason, for each of the two checks of a phase. */
export interface PhaseFailure {
  readonly phase: string
  readonly provisioning: string
  readonly scim: string
}

/** Runs the phases in order up to the first that fails. `suffix` is part of the result of some tests. */
export async function runPhases(
  context: GalleryContext,
  phases: readonly Phase[],
  suffix?: string,
): Promise<Verdict> {
  const run: Run = { tenant: new EmulatedTenant(context), context, subject: '', others: {} }
  const remarks: string[] = []
  for (const phase of phases) {
    const verdict = await runPhase(phase, run)
    if (!verdict.passed) return verdict
    if (verdict.remark !== undefined) remarks.push(verdict.remark)
  }
  return { ...success(suffix), ...(remarks.length === 0 ? {} : { remark: remarks.join('; ') }) }
}

async function runPhase(phase: Phase, run: Run): Promise<Verdict> {
  const { session } = run.context
  phase.edit(run)
  if (phase.before !== undefined && !(await session.send(phase.before.request(run))).ok)
    return failed(`[${phase.name} Phase] Failed Action: ${phase.before.action}`)
  const provisioning = await provision(phase, run)
  const scim = await checkEndpoint(phase.scim, run)
  if (provisioning === 'success' && scim === 'success') return await waited(phase, run)
  const failure = { phase: phase.name, provisioning, scim }
  return failed((phase.words ?? usualWords)(failure))
}

function usualWords({ phase, provisioning, scim }: PhaseFailure): string {
  return `[${phase} Phase] Provisioning: ${provisioning} | SCIM: ${scim}`
}

async function provision(phase: Phase, run: Run): Promise<string> {
  if (phase.send !== undefined) return (await phase.send(run)) ? 'success' : `${phase.log.name}: failure`
  await run.tenant.runCycle()
  const { name, newValue } = phase.log
  const entry = findEntry(phase.log, run)
  if (entry === undefined) return `${name}: NO_LOGS_FOUND`
  const { status } = entry.statusInfo
  if (newValue === undefined) return status === 'success' ? 'success' : `${name}: ${status}`
  const found = entry.modifiedProperties[0]?.newValue ?? 'UNKNOWN'
  const expected = newValue(run)
  return status === 'success' && found === expected
    ? 'success'
    : `${name}: status=${status}, manager newValue=${found} (expected ${expected ?? 'UNKNOWN'})`
}

/** The entry about the subject. A failure has no modified properties. */
function findEntry({ actions, property }: LogCheck, { tenant, subject }: Run): LogEntry | undefined {
  const isModified = ({ modifiedProperties, statusInfo }: LogEntry) =>
    property === undefined ||
    statusInfo.status === 'failure' ||
    modifiedProperties.some(({ displayName }) => displayName.endsWith(property))
  return tenant.log.find(
    (entry) => entry.sourceIdentity.id === subject && actions.includes(entry.action) && isModified(entry),
  )
}

async function checkEndpoint(check: ScimCheck | undefined, run: Run): Promise<string> {
  if (check === undefined) return 'success'
  const reply = await run.context.session.send(check.request(run))
  if (check.holds(reply, run)) return 'success'
  const words = typeof check.otherwise === 'string' ? check.otherwise : check.otherwise(reply, run)
  return check.action === '' ? words : `${check.action}: ${words}`
}

async function waited({ waits }: Phase, run: Run): Promise<Verdict> {
  if (waits === undefined) return success()
  const remark = await checkEndpoint({ ...waits, action: '' }, run)
  return remark === 'success' ? success() : { ...success(), remark }
}
