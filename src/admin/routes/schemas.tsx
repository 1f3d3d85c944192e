/**
 * Adds, changes and removes the extension schemas of a tenant.
 */
import { Hono } from 'hono'
import { isComplex } from '../../scim/comparison.ts'
import { ScimError } from '../../scim/error.ts'
import { parseJson } from '../../scim/json.ts'
import { MAX_BODY_BYTES } from '../../scim/limits.ts'
import { findExtension, type TenantExtensions } from '../../scim/schema/tenant-extensions.ts'
import { extensionsQuery } from '../../storage/extensions/stored-extensions.ts'
import { tenantPaths } from '../components/paths.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import { documentOf, RemoveSchemaPage, type SchemaForm, SchemasPage } from '../pages/schemas.tsx'
import { requireTenant } from '../require-tenant.ts'
import {
  type AdministeredTenant,
  deleteSchema,
  extendedTenant,
  importSchemas,
  putSchema,
  requireSchema,
} from '../tenant-schemas.ts'
import { doneMessage, formErrorOf, loadWithTenant, readForm } from './request.ts'

const DONE: Readonly<Record<string, string>> = {
  saved: 'Saved. Clients see the schema from the next request on.',
  removed: 'The schema is removed. Its values are kept.',
  purged: 'The schema is removed, and its values are deleted.',
  purging: 'The schema is removed. Its values are being deleted; the hourly timer continues the deletion.',
}

export const schemas = new Hono<AdminEnv>()

schemas.get('/:tenant/schemas', (c) => schemasPage(c, undefined, undefined))

schemas.post('/:tenant/schemas', async (c) => {
  // A /Schemas response is larger than other forms, in particular with percent-encoding.
  const input = await readForm(c, 'administration', MAX_BODY_BYTES)
  const form = { document: input.document ?? '', resourceType: input.resourceType ?? '' }
  try {
    const notes = await save(extendedTenant(c, c.req.param('tenant')), form)
    if (notes.length === 0) return c.redirect(donePath(c, 'saved'), 303)
    return await schemasPage(c, undefined, undefined, [DONE.saved ?? '', ...notes])
  } catch (error) {
    return await schemasPage(c, form, formErrorOf(error))
  }
})

/** @returns notes for the administrator */
async function save(tenant: AdministeredTenant, form: SchemaForm): Promise<readonly string[]> {
  const document = parseDocument(form.document)
  const resourceType = form.resourceType === '' ? undefined : form.resourceType
  // A single schema is not treated as an import, which would leave out a mistyped characteristic silently.
  if (isComplex(document) && typeof document.id === 'string' && document.Resources === undefined) {
    await putSchema(tenant, document.id, { ...(resourceType && { resourceType }), ...document })
    return []
  }
  return (await importSchemas(tenant, document, { resourceType })).notes
}

function parseDocument(text: string): unknown {
  try {
    return parseJson(text, 'the text')
  } catch (error) {
    if (!(error instanceof ScimError)) throw error
    throw new AdminError(400, 'invalid', error.detail, 'document')
  }
}

schemas.post('/:tenant/schemas/restore', async (c) => {
  const { urn = '' } = await readForm(c)
  const { tenant, all } = await load(c)
  const document = documentOf(requireSchema(all, urn, tenant.id))
  await putSchema(extendedTenant(c, tenant.id), urn, JSON.parse(document))
  return c.redirect(donePath(c, 'saved'), 303)
})

schemas.get('/:tenant/schemas/remove', async (c) => {
  const { tenant, all } = await load(c)
  const extension = requireSchema(all, c.req.query('urn') ?? '', tenant.id)
  return c.html(
    <RemoveSchemaPage administrator={c.get('administrator')} tenant={tenant} extension={extension} />,
  )
})

schemas.post('/:tenant/schemas/remove', async (c) => {
  const { urn = '', purge } = await readForm(c)
  const isPurged = purge === 'true'
  const outcome = await deleteSchema(extendedTenant(c, c.req.param('tenant')), urn, isPurged)
  return c.redirect(donePath(c, outcome === 'purging' ? 'purging' : isPurged ? 'purged' : 'removed'), 303)
})

function donePath(c: AdminContext, done: string): string {
  return `${tenantPaths(c.req.param('tenant') ?? '').schemas}?done=${done}`
}

async function load(c: AdminContext) {
  const { tenant, stored } = await loadWithTenant(c, (id) => ({ stored: extensionsQuery(id) }))
  return { tenant, all: requireTenant(stored, tenant.id).extensions }
}

async function schemasPage(
  c: AdminContext,
  typed: SchemaForm | undefined,
  error: ReturnType<typeof formErrorOf> | undefined,
  notes: readonly string[] = [],
): Promise<Response> {
  const { tenant, all } = await load(c)
  const done = doneMessage(c, DONE)
  return c.html(
    <SchemasPage
      administrator={c.get('administrator')}
      tenant={tenant}
      all={all}
      form={typed ?? { document: present(all, c.req.query('urn')), resourceType: '' }}
      error={error}
      done={[...(done === undefined ? [] : [done]), ...notes]}
    />,
    error?.status ?? 200,
  )
}

/** The document of the schema to change, for the form. */
function present(all: TenantExtensions, urn: string | undefined): string {
  const extension = urn === undefined ? undefined : findExtension(all, urn)
  return extension === undefined ? '' : documentOf(extension)
}
