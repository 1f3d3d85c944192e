/**
 * The work that a change of extension schemas requires on stored resources, one row of `extension_tasks` for each piece.
 *
 * - A new index takes in existing resources. Until it is complete, no filter uses it and every write fills it, so no
 *   filter misses a resource.
 * - A purge deletes the values of an extension. By then every write is handled without the schema, so no value comes
 *   back.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { TenantExtensions } from '../../scim/schema/tenant-extensions.ts'
import { type Statement, statement } from '../database/database.ts'
import type { extensionTasks } from '../tables/tables.ts'

/** Work on the stored resources of one type. */
export interface Task {
  readonly kind: (typeof extensionTasks.$inferSelect)['kind']
  readonly resourceType: string
  readonly path: readonly string[]
  /** The column of an index; null for a purge. */
  readonly slot: number | null
}

function tasksOf({ extensions, indexes }: TenantExtensions): readonly Task[] {
  return extensions.flatMap(({ schema: { id, resourceType }, state }): readonly Task[] => {
    if (state === 'purging') return [{ kind: 'purge', resourceType, path: [id], slot: null }]
    return indexes
      .filter(({ path, isReady }) => path[0] === id && !isReady)
      .map(({ path, slot }) => ({ kind: 'index', resourceType, path, slot }))
  })
}

/**
 * Tasks that are still needed continue at their position; an index in another column begins again. Another request may
 * have made the same change, with its tasks, a moment before.
 */
export function taskStatements(
  tenantId: string,
  before: TenantExtensions,
  after: TenantExtensions,
  condition: SQL,
): readonly Statement[] {
  const [old, wanted] = [tasksOf(before), tasksOf(after)].map((tasks) =>
    tasks.map((task) => JSON.stringify(task)),
  )
  const parsed = (tasks: readonly string[] = []) => tasks.map((task): Task => JSON.parse(task))
  return [
    ...parsed(old?.filter((task) => !wanted?.includes(task))).map(({ kind, path }) =>
      statement(sql`DELETE FROM extension_tasks
        WHERE tenant_id = ${tenantId} AND kind = ${kind} AND path = ${JSON.stringify(path)} AND ${condition}`),
    ),
    ...parsed(wanted?.filter((task) => !old?.includes(task))).map(({ kind, resourceType, path, slot }) =>
      statement(sql`INSERT INTO extension_tasks (tenant_id, resource_type, kind, path, slot)
        SELECT ${tenantId}, ${resourceType}, ${kind}, ${JSON.stringify(path)}, ${slot} WHERE ${condition}
        ON CONFLICT DO NOTHING`),
    ),
  ]
}
