/** Compares a user at the endpoint with the mapped values of the user in Entra: "Attribute_Match_Summary". */
import type { AttributeMapping, MappedValue } from '../../mappings/attribute-mapping.ts'
import { evaluateMappings } from '../../mappings/attribute-mapping.ts'
import type { JsonObject } from '../../problem.ts'
import { readTargetPath } from '../../protocol/attribute-path.ts'
import type { Run } from './phases.ts'

/** "updateTestExcludeList" of Initialization_Workflow.json, apart from attributes that are set only on creation. */
const EXCLUDED = ['id', 'accountEnabled', 'IsSoftDeleted', 'manager', 'appRoleAssignments']

/** The number of mapped attributes whose value at the endpoint is not the mapped one. */
export function mismatchedAttributes(resource: JsonObject, run: Run): number {
  const expected = mappedValues(run)
  return [...expected].filter(([path, value]) => readTargetPath(resource, path) !== value).length
}

function mappedValues({ tenant, subject, context }: Run): ReadonlyMap<string, MappedValue> {
  const user = tenant.users.find(({ id }) => id === subject)
  if (user === undefined) return new Map()
  const mappings = context.job.users.attributeMappings.filter(isCompared)
  const attribute = (name: string) => {
    const value = user[name]
    return typeof value === 'string' || typeof value === 'boolean' ? value : null
  }
  const { clock, newId } = context
  return evaluateMappings(mappings, { attribute, appRoles: [] }, { clock, newId }, false)
}

function isCompared({ source, target }: AttributeMapping): boolean {
  return target !== 'active' && target !== 'roles' && !EXCLUDED.some((name) => source.includes(name))
}
