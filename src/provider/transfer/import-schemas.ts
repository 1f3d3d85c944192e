/**
 * The extension schemas of a file that is imported. They come before all resources, and are stored before the first one: in an
 * empty tenant, no value can conflict with a schema.
 */
import { SchemaRefused } from '../../scim/schema/extension-members.ts'
import { type TenantExtensions, withSchema } from '../../scim/schema/tenant-extensions.ts'
import { ExtensionConflict } from '../../storage/extensions/extension-conflict.ts'
import { restoreSchemas } from '../../storage/extensions/extensions.ts'
import { extendedTypes, type StoredResourceType } from '../../storage/tables/resource-tables.ts'
import type { SchemaRecord } from './directory-lines.ts'
import { ConcurrentImportError, type ImportTarget } from './import-batches.ts'
import { TransferRefused } from './refused.ts'

export class ImportSchemas {
  readonly #target: ImportTarget
  #extensions: TenantExtensions
  #types: readonly StoredResourceType[]
  /** Schemas that were read and are not stored yet. */
  #read: SchemaRecord[] = []

  /** @param extensions of the tenant */
  constructor(target: ImportTarget, extensions: TenantExtensions) {
    this.#target = target
    this.#extensions = extensions
    this.#types = importedTypes(target.types, extensions)
  }

  /** The types with the extensions of the tenant and of the file. */
  get types(): readonly StoredResourceType[] {
    return this.#types
  }

  /** True for a schema that an earlier line has. */
  has({ schema }: SchemaRecord): boolean {
    return this.#read.some((one) => one.schema.id === schema.id)
  }

  /** @throws {TransferRefused} */
  take(record: SchemaRecord): void {
    this.#extensions = withRefusals(() => withSchema(this.#extensions, record.schema))
    this.#types = importedTypes(this.#target.types, this.#extensions)
    this.#read.push(record)
  }

  /** Stores the schemas that were read. @throws {TransferRefused} {ConcurrentImportError} */
  async store(): Promise<void> {
    if (this.#read.length === 0) return
    const stored = await restored(this.#target, this.#read)
    if (stored === undefined) throw new ConcurrentImportError('the tenant was deleted')
    this.#read = []
    this.#extensions = stored
    this.#types = importedTypes(this.#target.types, stored)
  }
}

/** @throws {TransferRefused} */
function withRefusals<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    throw refusalOf(error)
  }
}

/** Stores schemas. @returns undefined when there is no such tenant @throws {TransferRefused} */
async function restored(tenant: Parameters<typeof restoreSchemas>[0], schemas: readonly SchemaRecord[]) {
  try {
    return await restoreSchemas(tenant, schemas)
  } catch (error) {
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof SchemaRefused) return new TransferRefused(400, error.message, { field: error.field })
  if (error instanceof ExtensionConflict) return new TransferRefused(409, error.message)
  return error
}

/** The types with all extensions of the tenant. Values of removed extensions are imported too. */
function importedTypes(
  types: readonly StoredResourceType[],
  { extensions, indexes }: TenantExtensions,
): readonly StoredResourceType[] {
  const all = extensions.map((extension) => ({ ...extension, state: 'active' as const }))
  return extendedTypes(types, { extensions: all, indexes })
}
