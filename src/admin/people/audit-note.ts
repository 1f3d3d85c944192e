/**
 * What a handler tells the audit trail about its request, besides what the request itself tells. A secret never gets here:
 * only the fields in a list are kept.
 */
import type { Context } from 'hono'
import type { HttpEnv } from '../../runtime.ts'
import { isComplex } from '../../scim/comparison.ts'
import type { FieldChange } from '../../storage/administrators/audit-trail.ts'

/** Fields of bodies, queries and forms whose values the audit trail shows. All others may hold secrets or personal data. */
const SHOWN: ReadonlySet<string> = new Set([
  'clientId',
  'client',
  'clients',
  'count',
  'database',
  'deprovisionGuard',
  'expires',
  'expiresAt',
  'from',
  'groupLimit',
  'id',
  'minutes',
  'name',
  'preview',
  'profile',
  'purge',
  'role',
  'scope',
  'share',
  'sourceMode',
  'state',
  'tenants',
  'to',
  'tokenLifetime',
  'types',
  'uniqueGroupNames',
  'urn',
  'windowMinutes',
])
const MAX_VALUE_CHARACTERS = 100

type NoteContext = Pick<Context<HttpEnv>, 'get' | 'set'>

/** @param field as an error names it: `tenants.0` belongs to `tenants` */
export function isShown(field: string): boolean {
  return SHOWN.has(field.split('.')[0] ?? '')
}

/** Notes the id of what the request created or changed. */
export function noteTarget(c: NoteContext, target: string): void {
  c.set('auditNote', { ...c.get('auditNote'), target })
}

/** Notes the fields of a request that may be shown. */
export function noteFields(c: NoteContext, fields: unknown): void {
  if (!isComplex(fields)) return
  for (const [field, value] of Object.entries(fields)) {
    if (SHOWN.has(field) && value !== undefined && value !== '') note(c, { field, after: shortened(value) })
  }
}

/** Notes the values that fields had before, of those that the request names. */
export function noteBefore(c: NoteContext, before: object): void {
  const values = Object.entries(before)
  for (const change of Object.values(c.get('auditNote')?.changes ?? {})) {
    const { field } = change
    const known = values.find(([name]) => name === field)
    if (known !== undefined) note(c, { ...change, before: shortened(known[1]) })
  }
}

function note(c: NoteContext, change: FieldChange): void {
  const known = c.get('auditNote')
  c.set('auditNote', { ...known, changes: { ...known?.changes, [change.field]: change } })
}

function shortened(value: unknown): FieldChange['after'] {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS)}…` : text
}
