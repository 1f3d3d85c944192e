/**
 * Changes of the extension schemas of a tenant. A change may require work on stored resources (tasks.ts), which begins in
 * the same request.
 */
import type { ExtensionSchema } from '../../scim/schema/extension.ts'
import { incompatibilities } from '../../scim/schema/extension-change.ts'
import {
  findExtension,
  type TenantExtension,
  type TenantExtensions,
  withSchema,
  withState,
} from '../../scim/schema/tenant-extensions.ts'
import type { ExtendedTenant } from './extended-tenant.ts'
import { ExtensionConflict } from './extension-conflict.ts'
import { loadExtensions, MAX_TRIES, storeExtensions } from './stored-extensions.ts'
import { continueTasks } from './task-runner.ts'
import { type Condition, requireSearchable } from './value-search.ts'

/** Statements for tasks in one request. With the statements before and after them, they stay below MAX_QUERIES_FREE. */
const MAX_TASK_STATEMENTS = 36

/**
 * Adds schemas, or replaces those with the same URN: all of them or none.
 *
 * @returns undefined when there is no such tenant
 * @throws {SchemaRefused} when the tenant would exceed a limit, or stored values would change their meaning
 * @throws {ExtensionConflict}
 */
export async function putSchemas(
  tenant: ExtendedTenant,
  schemas: readonly ExtensionSchema[],
): Promise<TenantExtensions | undefined> {
  return await change(tenant, (all) => {
    const after = schemas.reduce((some, schema) => {
      const present = findExtension(some, schema.id)
      if (present?.state === 'purging') throw beingPurged(schema.id)
      return withSchema(some, schema)
    }, all)
    return { after, conditions: conditionsOf(all, schemas) }
  })
}

/**
 * Removes a schema, so that clients no longer see it. Its values are kept or purged.
 *
 * @returns the extensions; undefined when there is no such tenant
 */
export async function removeSchema(
  tenant: ExtendedTenant,
  id: string,
  isPurged: boolean,
): Promise<TenantExtensions | undefined> {
  return await change(tenant, (all) => {
    const present = findExtension(all, id)
    if (present === undefined || present.state === 'purging') return { after: all, conditions: [] }
    return { after: withState(all, present.schema.id, isPurged ? 'purging' : 'removed'), conditions: [] }
  })
}

/** Adds the schemas of an export, each in its exported state. @returns undefined when there is no such tenant */
export async function restoreSchemas(
  tenant: ExtendedTenant,
  exported: readonly TenantExtension[],
): Promise<TenantExtensions | undefined> {
  return await change(tenant, (all) => ({
    after: exported.reduce(
      (some, { schema, state }) => withState(withSchema(some, schema), schema.id, state),
      all,
    ),
    conditions: conditionsOf(
      all,
      exported.map(({ schema }) => schema),
    ),
  }))
}

/** The attributes that no resource may have a value of, if the schemas are to be stored. */
function conditionsOf(all: TenantExtensions, schemas: readonly ExtensionSchema[]): readonly Condition[] {
  return schemas.flatMap((schema) => {
    const present = findExtension(all, schema.id)
    if (present === undefined) return []
    const { resourceType } = present.schema
    return incompatibilities(present.schema, schema).map((found) => ({ ...found, resourceType }))
  })
}

function beingPurged(id: string): ExtensionConflict {
  return new ExtensionConflict(
    `what is stored of "${id}" is being deleted; put the schema again when that is done`,
  )
}

interface Change {
  readonly after: TenantExtensions
  readonly conditions: readonly Condition[]
}

async function change(
  tenant: ExtendedTenant,
  decide: (all: TenantExtensions) => Change,
): Promise<TenantExtensions | undefined> {
  const { db, tenantId } = tenant
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await loadExtensions(db, tenantId)
    if (before === undefined) return undefined
    if (before.state !== 'ready')
      throw new ExtensionConflict(`tenant "${tenantId}" is not ready: it is ${before.state}`)
    const { after, conditions } = decide(before.extensions)
    if (conditions.length > 0) await requireSearchable(tenant, before.extensions, conditions)
    if (await storeExtensions(tenant, before, after, conditions)) {
      await continueTasks(tenant, MAX_TASK_STATEMENTS)
      return (await loadExtensions(db, tenantId))?.extensions
    }
  }
  throw new ExtensionConflict(`the configuration of tenant "${tenantId}" is being changed; try again`)
}
