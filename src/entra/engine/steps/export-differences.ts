/** The update of one linked object: what differs, the requests that a provider sends for it, and the log. */

import { mappingOf } from '../../documents/job.ts'
import type { Link } from '../../documents/state.ts'
import type { MappedValues } from '../../mappings/attribute-mapping.ts'
import type { JsonObject } from '../../problem.ts'
import type { Failure } from '../../protocol/response.ts'
import { logView } from '../mapped-values.ts'
import type { ObjectOutcome } from '../provisioning-log.ts'
import { compareAttributes, compareWithExport, type Difference } from './difference.ts'
import { fail, type ObjectStep, profileOf, recordExport, sendOrThrow, skip } from './object-step.ts'

/** Sends what differs from the target, or from the last export if `target` was not read. */
export async function exportDifferences(
  step: ObjectStep,
  link: Link,
  values: MappedValues,
  target: JsonObject | undefined,
): Promise<ObjectOutcome> {
  const changes = changesOf(step, link, values, target)
  if (changes.differences.length + changes.cleared.length === 0) {
    recordExport(step, link, values)
    return skip(step, 'RedundantExport')
  }
  const { context, object } = step
  if (mappingOf(context.job, object.type)?.targetObjectActions.update === false)
    return skip(step, 'Target object action "update" is off')
  const active = changes.differences.find(({ path }) => path === 'active')
  const failed = await sendUpdate(step, link, changes)
  if (failed !== undefined)
    return fail(step, 'export', active?.value === false ? 'Disable' : 'Update', failed)
  logUpdate(step, link, changes)
  recordExport(step, link, values)
  const { targetId } = link
  if (active === undefined) return { result: 'updated', targetId }
  return { result: active.value === true ? 'enabled' : 'disabled', targetId }
}

interface Changes {
  readonly differences: readonly Difference[]
  readonly values: MappedValues
  /** Paths that were exported and have no value any more; of interest only to a provider that replaces. */
  readonly cleared: readonly string[]
  readonly target: JsonObject | undefined
}

function changesOf(
  step: ObjectStep,
  link: Link,
  values: MappedValues,
  target: JsonObject | undefined,
): Changes {
  const differences =
    target === undefined ? compareWithExport(values, link.values) : compareAttributes(values, target)
  const exported = profileOf(step).replaces ? Object.keys(link.values) : []
  return { differences, values, cleared: exported.filter((path) => !values.has(path)), target }
}

/** Sends the requests of one update until one fails, and returns its failure. */
async function sendUpdate(
  step: ObjectStep,
  { targetId }: Link,
  { differences, values, cleared, target }: Changes,
): Promise<Failure | undefined> {
  const { context } = step
  const requests = profileOf(step).updateRequests({
    targetId,
    changes: differences.map(({ op, path, value }) => ({ op, path, value })),
    values,
    cleared,
    ...(target === undefined ? {} : { target }),
    dialect: context.job.dialect,
  })
  for (const request of requests) {
    const sent = await sendOrThrow(context, 'update', request)
    if (!sent.ok) return sent
  }
  return undefined
}

function logUpdate(
  { object, context, log }: ObjectStep,
  link: Link,
  { differences, cleared }: Changes,
): void {
  const view = logView(object, context)
  for (const { path, value, oldValue } of differences)
    log.modify(path, view(path, oldValue), view(path, value))
  for (const path of cleared) log.modify(path, view(path, link.values[path]), null)
  log.step('export', 'EntryExportUpdate', `${object.type} "${object.name}" was updated at the target`, {
    targetId: link.targetId,
  })
}
