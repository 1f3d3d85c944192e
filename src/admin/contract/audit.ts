/** The audit trail: what administrators did. */
import * as v from 'valibot'
import { VIAS } from '../../administrators/administrator.ts'
import { COUNT, field, TEXT, TEXT_OR_NULL, TIME, TIME_INPUT } from './fields.ts'
import type { Routes } from './route.ts'

const VALUE = v.pipe(v.unknown(), field({ jsonSchema: { type: ['string', 'number', 'boolean', 'null'] } }))

const AUDIT_ENTRY = v.pipe(
  v.strictObject({
    id: v.pipe(TEXT, v.description('The position in the trail.')),
    time: TIME,
    administrator: v.pipe(
      TEXT,
      v.description('The e-mail address, the name of the token, or "Administrator" for ADMIN_TOKEN.'),
    ),
    via: v.pipe(
      v.nullable(v.picklist(VIAS)),
      v.description('How the administrator proved who it is; null for a refused sign-in.'),
    ),
    operation: v.pipe(
      TEXT,
      v.description(
        'The operation of this API, also for a form of the dashboard that does the same; or one of "signIn", "signOut", "checkFile", "countSources", "rotateToken", "keepToken", "rotateSecret", "keepSecret".',
      ),
    ),
    source: v.picklist(['dashboard', 'admin API']),
    tenantId: TEXT_OR_NULL,
    target: v.pipe(TEXT_OR_NULL, v.description('The id of what was created, changed or ended.')),
    outcome: v.pipe(
      v.picklist(['accepted', 'refused', 'begun']),
      v.description(
        '"begun": stored together with a change; the outcome is missing because the request is under way, or the server ended.',
      ),
    ),
    status: v.pipe(
      v.number(),
      v.integer(),
      v.description('The HTTP status that was answered; 0 for "begun".'),
    ),
    detail: v.pipe(TEXT_OR_NULL, v.description('Why it was refused.')),
    changes: v.pipe(
      v.array(v.strictObject({ field: TEXT, before: v.optional(VALUE), after: VALUE })),
      v.description('Fields that were sent, with the values before where they are known. Never secrets.'),
    ),
    requestId: TEXT,
    repeated: v.pipe(
      COUNT,
      v.description('Further refused requests of this kind in the same minute, without an entry.'),
    ),
  }),
  v.title('AuditEntry'),
)

const PAGE = v.object({ entries: v.array(AUDIT_ENTRY), nextCursor: TEXT_OR_NULL })

const QUERY = v.strictObject({
  cursor: v.optional(
    v.pipe(
      TEXT,
      v.regex(/^\d{1,15}$/),
      v.transform(Number),
      v.description('The "nextCursor" of the previous page.'),
      field({ allowed: 'the nextCursor of a page of the trail' }),
    ),
  ),
  text: v.optional(
    v.pipe(
      TEXT,
      v.description(
        'Only entries that have it in the administrator, the operation, the tenant, the target, the reason or the request id, without regard to case. A page looks at 100 entries, so one without an entry may have a "nextCursor".',
      ),
    ),
  ),
  to: v.optional(v.pipe(TIME_INPUT, v.description('Only entries before that time.'))),
})

export const auditRoutes = {
  listAudit: {
    method: 'GET',
    path: '/audit',
    permission: 'own installation',
    summary: 'Reads the audit trail of all administrators, newest first',
    query: QUERY,
    answers: { 200: { description: 'A page, newest first.', body: PAGE } },
    refusals: [],
  },
  listTenantAudit: {
    method: 'GET',
    path: '/tenants/{id}/audit',
    permission: 'read',
    summary: 'Reads what administrators did with a tenant, newest first',
    query: QUERY,
    answers: { 200: { description: 'A page, newest first.', body: PAGE } },
    refusals: [404],
  },
} as const satisfies Routes
