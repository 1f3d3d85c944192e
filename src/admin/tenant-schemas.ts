/**
 * The extension schemas of a tenant, for the admin API and the dashboard: reads and changes them. Refusals of the core and
 * of the storage become AdminErrors.
 */
import type { Context } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { quote } from '../scim/error.ts'
import { extensionJson, parseExtension } from '../scim/schema/extension.ts'
import { type ImportOptions, importExtensions } from '../scim/schema/extension-import.ts'
import { SchemaRefused } from '../scim/schema/extension-members.ts'
import {
  findExtension,
  type TenantExtension,
  type TenantExtensions,
} from '../scim/schema/tenant-extensions.ts'
import type { Database } from '../storage/database/database.ts'
import { readTogether } from '../storage/database/query.ts'
import type { ExtendedTenant } from '../storage/extensions/extended-tenant.ts'
import { ExtensionConflict } from '../storage/extensions/extension-conflict.ts'
import { putSchemas, removeSchema } from '../storage/extensions/extensions.ts'
import { extensionsQuery } from '../storage/extensions/stored-extensions.ts'
import { AdminError, requireTypeName } from './errors.ts'
import { noteTarget } from './people/audit-note.ts'
import { requireTenant } from './require-tenant.ts'

/** The tenant in the path of a request of an administrator. */
export interface AdministeredTenant extends ExtendedTenant {
  /** Notes the schema that is changed, for the audit trail and the event feed. */
  readonly noteTarget: (urn: string) => void
}

/** The extension schemas of a tenant, removed ones included. @throws {AdminError} 404 */
export async function listSchemas(db: Database, tenantId: string): Promise<TenantExtensions> {
  const { stored } = await readTogether(db, { stored: extensionsQuery(tenantId) })
  return requireTenant(stored, tenantId).extensions
}

/**
 * Adds or replaces a schema.
 *
 * @param urn the URN in the path; the default of the schema's `id`, which must be the same
 * @throws {AdminError} 400 with the field, 404, 409
 */
export async function putSchema(
  tenant: AdministeredTenant,
  urn: string,
  body: unknown,
): Promise<{ extension: TenantExtension; all: TenantExtensions; isNew: boolean }> {
  const { db, types, tenantId } = tenant
  return await withAdminErrors(async () => {
    const schema = parseExtension(body, types, { id: urn })
    if (schema.id !== urn)
      throw new SchemaRefused('id', `must be ${quote(urn)}, the URN in the path, found ${quote(schema.id)}`)
    tenant.noteTarget(urn)
    const before = await listSchemas(db, tenantId)
    const all = requireTenant(await putSchemas(tenant, [schema]), tenantId)
    return {
      all,
      extension: requireSchema(all, urn, tenantId),
      isNew: findExtension(before, urn) === undefined,
    }
  })
}

export function extendedTenant(
  c: Pick<Context<HttpEnv>, 'get' | 'set'>,
  tenantId: string,
): AdministeredTenant {
  return {
    db: c.get('db'),
    types: c.get('resourceTypes'),
    tenantId,
    noteTarget: (urn) => noteTarget(c, urn),
  }
}

/** Adds or replaces all extension schemas of a document (see importExtensions). @throws {AdminError} 400, 404, 409 */
export async function importSchemas(
  tenant: ExtendedTenant,
  body: unknown,
  options: ImportOptions,
): Promise<{ all: TenantExtensions; schemas: readonly TenantExtension[]; notes: readonly string[] }> {
  const { types, tenantId } = tenant
  requireTypeName(
    types.map(({ name }) => name),
    options.resourceType,
  )
  return await withAdminErrors(async () => {
    const { schemas, notes } = importExtensions(body, types, options)
    const all = requireTenant(await putSchemas(tenant, schemas), tenantId)
    return { all, schemas: schemas.map(({ id }) => requireSchema(all, id, tenantId)), notes }
  })
}

/**
 * Removes a schema, and its values if `isPurged`.
 *
 * @returns "purging" if one request could not delete all values
 * @throws {AdminError} 404, 409
 */
export async function deleteSchema(
  tenant: AdministeredTenant,
  urn: string,
  isPurged: boolean,
): Promise<'done' | 'purging'> {
  const { db, tenantId } = tenant
  return await withAdminErrors(async () => {
    const { schema } = requireSchema(await listSchemas(db, tenantId), urn, tenantId)
    tenant.noteTarget(schema.id)
    const all = requireTenant(await removeSchema(tenant, urn, isPurged), tenantId)
    return findExtension(all, urn)?.state === 'purging' ? 'purging' : 'done'
  })
}

/** @throws {AdminError} 404 */
export function requireSchema(all: TenantExtensions, urn: string, tenantId: string): TenantExtension {
  const found = findExtension(all, urn)
  if (found !== undefined) return found
  throw new AdminError(404, 'notFound', `tenant ${quote(tenantId)} has no schema ${quote(urn)}`)
}

/** Runs a function and turns refusals into AdminErrors. @throws {AdminError} 400 from the core, 409 from the storage */
async function withAdminErrors<Result>(run: () => Promise<Result>): Promise<Result> {
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

/** A schema as administrators see it: RFC 7643 §7, its state, and those of its indexes. */
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
