/**
 * The extension schemas of a tenant, for the admin API and the dashboard: reading and changing them, and what is refused as
 * an AdminError.
 */
import { quote } from '../scim/error.ts'
import { extensionJson, parseExtension, SchemaRefused } from '../scim/schema/extension.ts'
import { importExtensions } from '../scim/schema/extension-import.ts'
import {
  findExtension,
  type TenantExtension,
  type TenantExtensions,
} from '../scim/schema/tenant-extensions.ts'
import type { Database } from '../storage/database/database.ts'
import { readTogether } from '../storage/database/query.ts'
import {
  ExtensionConflict,
  extensionsQuery,
  putSchemas,
  removeSchema,
} from '../storage/extensions/extensions.ts'
import { RESOURCE_TYPES } from '../storage/tables/resource-tables.ts'
import { AdminError } from './errors.ts'
import { requireTenant } from './require-tenant.ts'

/** A schema as an administrator reads it: RFC 7643 §7, whether clients see it, and which indexes are in use. */
export type SchemaJson = ReturnType<typeof schemaJson>

export async function listSchemas(db: Database, tenantId: string): Promise<TenantExtensions> {
  const { stored } = await readTogether(db, { stored: extensionsQuery(tenantId) })
  return requireTenant(stored, tenantId).extensions
}

/**
 * Puts one schema.
 *
 * @param urn of the path, which that of the schema must be
 * @throws {AdminError} 400 naming the field, 404, 409
 */
export async function putSchema(
  db: Database,
  tenantId: string,
  urn: string,
  body: unknown,
): Promise<{ extension: TenantExtension; all: TenantExtensions; isNew: boolean }> {
  return await refusingLater(async () => {
    const schema = parseExtension(body, RESOURCE_TYPES)
    if (schema.id !== urn)
      throw new SchemaRefused('id', `must be ${quote(urn)} as in the path, found ${quote(schema.id)}`)
    const before = await listSchemas(db, tenantId)
    const all = requireTenant(await putSchemas(db, tenantId, [schema]), tenantId)
    return { all, extension: required(all, urn, tenantId), isNew: findExtension(before, urn) === undefined }
  })
}

/** Puts all extension schemas of a document: see importExtensions. @throws {AdminError} 400, 404, 409 */
export async function importSchemas(
  db: Database,
  tenantId: string,
  body: unknown,
  resourceType: string | undefined,
): Promise<{ all: TenantExtensions; schemas: readonly TenantExtension[]; notes: readonly string[] }> {
  return await refusingLater(async () => {
    const { schemas, notes } = importExtensions(body, RESOURCE_TYPES, resourceType)
    const all = requireTenant(await putSchemas(db, tenantId, schemas), tenantId)
    return { all, schemas: schemas.map(({ id }) => required(all, id, tenantId)), notes }
  })
}

/**
 * Removes a schema, and on request its values.
 *
 * @returns "purging" while more is left than one request deletes
 * @throws {AdminError} 404, 409
 */
export async function deleteSchema(
  db: Database,
  tenantId: string,
  urn: string,
  isPurged: boolean,
): Promise<'done' | 'purging'> {
  return await refusingLater(async () => {
    required(await listSchemas(db, tenantId), urn, tenantId)
    const all = requireTenant(await removeSchema(db, tenantId, urn, isPurged), tenantId)
    return findExtension(all, urn)?.state === 'purging' ? 'purging' : 'done'
  })
}

/** @throws {AdminError} 404 */
export function required(all: TenantExtensions, urn: string, tenantId: string): TenantExtension {
  const found = findExtension(all, urn)
  if (found !== undefined) return found
  throw new AdminError(404, 'notFound', `tenant ${quote(tenantId)} has no schema ${quote(urn)}`)
}

/** Runs with refusals of the core as those of the admin API. @throws {AdminError} 400 */
export function refusing<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    throw refusalOf(error)
  }
}

/** The same for asynchronous work. @throws {AdminError} 400 from the core, 409 from the storage */
export async function refusingLater<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof SchemaRefused) return new AdminError(400, 'invalid', error.message, error.field)
  if (error instanceof ExtensionConflict) return new AdminError(409, 'conflict', error.message)
  return error
}

export function schemaJson({ schema, state }: TenantExtension, { indexes }: TenantExtensions) {
  const own = indexes.filter(({ path }) => path[0] === schema.id)
  return {
    ...extensionJson(schema),
    state,
    indexes: own.map(({ path, isReady }) => ({
      attribute: path[1],
      state: isReady ? ('ready' as const) : ('building' as const),
    })),
  }
}
