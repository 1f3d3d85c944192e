/** The mapped values of an imported object, and their form in the provisioning log. Pure. */
import { mappingOf } from '../documents/job.ts'
import {
  evaluateMappings,
  isRoles,
  type MappedValue,
  type MappedValues,
  redactedTargets,
} from '../mappings/attribute-mapping.ts'
import type { CycleContext } from './cycle-context.ts'
import type { ImportedObject } from './import.ts'

/**
 * Evaluates the object's mappings. With `creating`, values that are sent only at creation are included.
 * @throws {MappingError} naming the target attribute
 */
export function mappedValuesOf(
  { type, source }: ImportedObject,
  { clock, newId, job }: Pick<CycleContext, 'clock' | 'newId' | 'job'>,
  creating: boolean,
): MappedValues {
  const context = {
    clock,
    newId,
    exact: job.exact,
    ...(job.defaultDomain === undefined ? {} : { defaultDomain: job.defaultDomain }),
  }
  return evaluateMappings(mappingOf(job, type)?.attributeMappings ?? [], source, context, creating)
}

/** The text that the log shows for a value of a redacted attribute. */
const REDACTED = '[Redact]'

/** Returns a function that gives a value as the log may show it. */
export function logView(
  { type }: ImportedObject,
  { job }: Pick<CycleContext, 'job'>,
): (path: string, value: unknown) => unknown {
  const redacted = redactedTargets(mappingOf(job, type)?.attributeMappings ?? [])
  return (path, value) => {
    if (value === undefined || value === null) return value
    if (redacted.has(path)) return REDACTED
    return isRoles(value as MappedValue) ? (value as { roles: unknown }).roles : value
  }
}
