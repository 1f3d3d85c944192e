/** Tenants. Each tenant is one directory. */
import * as v from 'valibot'
import { PROFILE_NAMES } from '../../scim/profile.ts'
import { SOURCE_MODES } from '../../storage/tenants/context.ts'
import { DEFAULT_GROUP_LIMIT } from '../../storage/tenants/tenants.ts'
import { COUNT, field, NAME, TEXT, TIME } from './fields.ts'
import type { Routes } from './route.ts'

const MAX_GROUP_LIMIT = 1_000_000

const TENANT_ID = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,39}$/),
  field({ allowed: '1 to 40 of a-z, 0-9 and "-", beginning with a letter' }),
)
const GROUP_LIMIT = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_GROUP_LIMIT))
const UNIQUE_GROUP_NAMES = v.pipe(
  v.boolean(),
  v.description('Whether the displayName of each group must be unique, regardless of case.'),
)

const PROFILE = v.pipe(
  v.picklist(PROFILE_NAMES),
  v.description('The deviations from the RFCs that the tenant allows its clients.'),
)

const SOURCE_MODE = v.pipe(
  v.picklist(SOURCE_MODES),
  v.description(
    'Who may change a resource: in the mode "owner", only the client that created it and the administrator.',
  ),
)

const MAX_WINDOW_MINUTES = 1_440

const DEPROVISION_GUARD = v.pipe(
  v.nullable(
    v.strictObject({
      share: v.pipe(
        v.number(),
        v.check((share) => share > 0 && share <= 1),
        field({ allowed: 'a share above 0, at most 1; null instead of the guard turns it off' }),
      ),
      count: v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        field({ allowed: 'an integer from 1; null instead of the guard turns it off' }),
      ),
      windowMinutes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_WINDOW_MINUTES)),
    }),
  ),
  v.description(
    'Holds writes of a client that disable or delete users, delete groups or remove memberships, above this number and share of them within the window. Null: holds none.',
  ),
)

export const TENANT_INPUT = v.pipe(
  v.strictObject({
    id: TENANT_ID,
    name: NAME,
    groupLimit: v.optional(GROUP_LIMIT, DEFAULT_GROUP_LIMIT),
    uniqueGroupNames: v.optional(UNIQUE_GROUP_NAMES, true),
    profile: v.optional(PROFILE, 'tolerant'),
    database: v.optional(
      v.pipe(
        TEXT,
        v.description('The database of the tenant. The default is the database that holds least.'),
      ),
    ),
  }),
  v.title('TenantInput'),
  v.examples([
    { id: 'acme', name: 'Acme Corp', groupLimit: 200, uniqueGroupNames: true, profile: 'tolerant' },
  ]),
)

export const TENANT_CHANGE = v.pipe(
  v.strictObject({
    name: v.optional(NAME),
    groupLimit: v.optional(GROUP_LIMIT),
    uniqueGroupNames: v.optional(UNIQUE_GROUP_NAMES),
    profile: v.optional(PROFILE),
    sourceMode: v.optional(SOURCE_MODE),
    deprovisionGuard: v.optional(DEPROVISION_GUARD),
  }),
  v.title('TenantChange'),
  v.examples([{ groupLimit: 500 }]),
)

export const TENANT = v.pipe(
  v.strictObject({
    id: TENANT_ID,
    name: NAME,
    groupLimit: GROUP_LIMIT,
    uniqueGroupNames: UNIQUE_GROUP_NAMES,
    profile: PROFILE,
    sourceMode: SOURCE_MODE,
    deprovisionGuard: DEPROVISION_GUARD,
    userCount: COUNT,
    activeUserCount: COUNT,
    groupCount: COUNT,
    createdAt: TIME,
    database: v.pipe(TEXT, v.description('The database of the tenant, by the name of its binding.')),
    state: v.pipe(
      v.picklist(['ready', 'importing', 'undoing', 'deleting', 'moving']),
      v.description('Clients have access in the state "ready", and read access in the state "moving".'),
    ),
    importedLines: v.optional(
      v.pipe(COUNT, v.description('The number of stored lines of the file, in the state "importing".')),
    ),
  }),
  v.title('Tenant'),
)

/** The answer if one request cannot delete everything. */
export const UNDER_WAY = v.pipe(
  v.strictObject({
    state: v.picklist(['deleting', 'undoing']),
    jobId: v.pipe(TEXT, v.description('The job that continues the deletion.')),
  }),
  v.title('UnderWay'),
)

export const MORE_THAN_ONE_REQUEST = 'One request cannot delete everything. A job continues by itself.'

export const tenantRoutes = {
  listTenants: {
    method: 'GET',
    path: '/tenants',
    permission: 'list tenants',
    summary: 'Lists the tenants',
    answers: {
      200: {
        description: 'All tenants, in the order of their ids.',
        body: v.object({ tenants: v.array(TENANT) }),
      },
    },
    refusals: [],
  },
  createTenant: {
    method: 'POST',
    path: '/tenants',
    permission: 'own installation',
    summary: 'Creates a tenant',
    body: TENANT_INPUT,
    answers: {
      201: { description: 'Created.', body: TENANT, headers: { Location: 'The path of the tenant.' } },
    },
    refusals: [409],
  },
  getTenant: {
    method: 'GET',
    path: '/tenants/{id}',
    permission: 'read',
    summary: 'Reads a tenant',
    description: '`state` is `ready`, `importing` (with `importedLines`), `undoing`, `deleting` or `moving`.',
    answers: { 200: { description: 'The tenant.', body: TENANT } },
    refusals: [404],
  },
  updateTenant: {
    method: 'PATCH',
    path: '/tenants/{id}',
    permission: 'change',
    summary:
      'Changes the name, the group limit, the profile, the mode of sources, the guard, or whether group names are unique',
    body: TENANT_CHANGE,
    answers: { 200: { description: 'The changed tenant.', body: TENANT } },
    refusals: [404, 409],
  },
  deleteTenant: {
    method: 'DELETE',
    path: '/tenants/{id}',
    permission: 'own',
    summary: 'Deletes a tenant and all of its data',
    description:
      'Its tokens are invalid from the beginning of the deletion, and new ones cannot be generated.',
    answers: {
      202: { description: MORE_THAN_ONE_REQUEST, body: UNDER_WAY },
      204: { description: 'Deleted.' },
    },
    refusals: [404],
  },
} as const satisfies Routes
