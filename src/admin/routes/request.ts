/**
 * Shared by the handlers of pages: loading a tenant with the data of its page, reading forms, and form errors.
 */
import { readText } from '../../edge/body.ts'
import { DAY_MS } from '../../scim/duration.ts'
import { MAX_ADMIN_BODY_BYTES } from '../../scim/limits.ts'
import { type Query, readTogether } from '../../storage/database/query.ts'
import { type TenantSummary, tenantQuery } from '../../storage/tenants/queries.ts'
import type { FormError } from '../components/form.tsx'
import type { AdminContext } from '../env.ts'
import { AdminError } from '../errors.ts'
import type { PageTenant } from '../layout.tsx'
import { noteFields } from '../people/audit-note.ts'
import { requireTenant } from '../require-tenant.ts'

/** A 404, with links to pages that the reader may have looked for. */
export class PageNotFound extends AdminError {
  readonly links: readonly (readonly [label: string, href: string])[]

  constructor(message: string, links: PageNotFound['links']) {
    super(404, 'notFound', message)
    this.links = links
  }
}

type Loaded<Queries extends Record<string, Query<unknown>>> = {
  readonly [Name in keyof Queries]: Queries[Name] extends Query<infer Result> ? Result : never
} & { readonly tenant: PageTenant }

/**
 * Loads the tenant in the path and the data of its page, in one round trip.
 *
 * @throws {NoSuchTenant}
 */
export async function loadWithTenant<Queries extends Record<string, Query<unknown>>>(
  c: AdminContext,
  queries: (tenantId: string) => Queries,
): Promise<Loaded<Queries>> {
  const id = c.req.param('tenant') ?? ''
  const { tenant, ...rest } = await readTogether(c.get('db'), { ...queries(id), tenant: tenantQuery(id) })
  const found = requireTenant(tenant as TenantSummary | undefined, id)
  const shown: PageTenant = { ...found, resourceTypes: c.get('resourceTypes') }
  c.set('pageTenant', shown)
  return { ...rest, tenant: shown } as Loaded<Queries>
}

/**
 * Reads the fields of a form.
 *
 * @param owner the key under which the held bytes are counted; another one for requests without sign-in
 * @throws {AdminError} 400 if the form is not UTF-8 with percent-encoding; {ScimError} from `readText`
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
  const fields = Object.fromEntries(new URLSearchParams(text))
  noteFields(c, fields)
  return fields
}

/** The error to show in a form. @throws the error itself if its status is not 400 or 409 */
export function formErrorOf(error: unknown): FormError & { readonly status: 400 | 409 } {
  if (!(error instanceof AdminError) || (error.status !== 400 && error.status !== 409)) throw error
  // The label names the field already.
  const message = error.onPage.replace(/^"\w+" must be/, 'must be')
  return {
    field: error.field,
    message: message.replace(/^\w/, (first) => first.toUpperCase()),
    status: error.status,
  }
}

/** The UUID in a hidden field of a form. @throws {AdminError} 400 */
export function requireUuid(value: string | undefined): string {
  if (value !== undefined && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return value
  throw new AdminError(400, 'invalid', 'The form is incomplete. Open the page again.')
}

/** The message that the parameter "done" of a redirect names. @param messages by name */
export function doneMessage(c: AdminContext, messages: Readonly<Record<string, string>>): string | undefined {
  const name = c.req.query('done') ?? ''
  return Object.hasOwn(messages, name) ? messages[name] : undefined
}

/** The end of a day in UTC, in milliseconds since 1970. @returns null for an empty text @throws {AdminError} 400 */
export function parseLastDay(typed: string, now: number): number | null {
  if (typed === '') return null
  const start = /^\d{4}-\d{2}-\d{2}$/.test(typed) ? Date.parse(typed) : Number.NaN
  if (Number.isNaN(start)) throw expiresError('Must be a day such as 2027-01-31')
  if (start + DAY_MS <= now) throw expiresError('Must be today or later')
  return start + DAY_MS
}

function expiresError(message: string): AdminError {
  return new AdminError(400, 'invalid', message, 'expires')
}

/**
 * A time as sent by a browser, without a time zone. It is read as UTC.
 *
 * @returns milliseconds since 1970; undefined if the field is empty
 * @throws {AdminError} 400 for the field
 */
export function parseTime(field: string, value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined
  const isTime = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?)?$/.test(value)
  const time = isTime ? Date.parse(value.includes('T') ? `${value}Z` : value) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new AdminError(400, 'invalid', 'Must be a time in UTC such as 2027-01-31T14:00', field)
}
