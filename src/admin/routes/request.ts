/**
 * What the handlers of pages share: reading a tenant with what its page needs, forms, and their errors.
 */
import { readText } from '../../edge/body.ts'
import { MAX_ADMIN_BODY_BYTES } from '../../scim/limits.ts'
import { type Query, readTogether } from '../../storage/database/query.ts'
import { type TenantSummary, tenantQuery } from '../../storage/tenants/queries.ts'
import type { FormError } from '../components/form.tsx'
import type { AdminContext } from '../env.ts'
import { AdminError } from '../errors.ts'
import { requireTenant } from '../require-tenant.ts'

/** A page that is not there, and pages that may be what was looked for. */
export class PageNotFound extends AdminError {
  readonly links: readonly (readonly [label: string, href: string])[]

  constructor(message: string, links: PageNotFound['links']) {
    super(404, 'notFound', message)
    this.links = links
  }
}

type Loaded<Queries extends Record<string, Query<unknown>>> = {
  readonly [Name in keyof Queries]: Queries[Name] extends Query<infer Result> ? Result : never
} & { readonly tenant: TenantSummary }

/**
 * The tenant of the path and what else a page shows of it, in one round trip.
 *
 * @throws {NoSuchTenant}
 */
export async function loadWithTenant<Queries extends Record<string, Query<unknown>>>(
  c: AdminContext,
  queries: (tenantId: string) => Queries,
): Promise<Loaded<Queries>> {
  const id = c.req.param('tenant') ?? ''
  const { tenant, ...rest } = await readTogether(c.get('db'), { ...queries(id), tenant: tenantQuery(id) })
  return { ...rest, tenant: requireTenant(tenant, id) } as Loaded<Queries>
}

/**
 * The fields of a form.
 *
 * @param owner whose bytes they are, for who is not signed in
 * @throws {AdminError} 400 for what is not UTF-8 with percent-encoding; {ScimError} from `readText`
 */
export async function readForm(
  c: AdminContext,
  owner = 'administration',
  maxBytes = MAX_ADMIN_BODY_BYTES,
): Promise<Readonly<Record<string, string | undefined>>> {
  const text = await readText(c, maxBytes, owner)
  try {
    decodeURIComponent(text)
  } catch {
    throw new AdminError(400, 'invalid', 'The form must be UTF-8 with percent-encoding.')
  }
  return Object.fromEntries(new URLSearchParams(text))
}

/** What a form must say about an error. @throws the error when it is not about what was typed */
export function formErrorOf(error: unknown): FormError & { readonly status: 400 | 409 } {
  if (!(error instanceof AdminError) || (error.status !== 400 && error.status !== 409)) throw error
  // The field is named by its label already.
  const message = error.message.replace(/^"\w+" must be/, 'Must be')
  return { field: error.field, message, status: error.status }
}

/** A UUID that a form brought along. @throws {AdminError} 400 */
export function requireUuid(value: string | undefined): string {
  if (value !== undefined && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return value
  throw new AdminError(400, 'invalid', 'The form is not complete: open the page again.')
}
