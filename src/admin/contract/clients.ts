/** Clients: the actors of a tenant. Each client authenticates with tokens, or with access tokens that it gets for a secret. */
import * as v from 'valibot'
import { HEALTH_STATES } from '../../scim/client-health.ts'
import { MAX_CLIENTS, MAX_TOKEN_LIFETIME_SECONDS, MIN_TOKEN_LIFETIME_SECONDS } from '../../scim/limits.ts'
import { FEDERATION } from './federation.ts'
import { COUNT, NAME, TEXT, TIME, TIME_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'
import { SECRET } from './secrets.ts'

export const SCOPE = v.pipe(
  v.picklist(['provision', 'read']),
  v.description('"provision" allows reading and writing. The scope holds for all tokens of the client.'),
)

const TOKEN_LIFETIME = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(MIN_TOKEN_LIFETIME_SECONDS),
  v.maxValue(MAX_TOKEN_LIFETIME_SECONDS),
  v.description('The seconds from the issue of an access token to its expiry.'),
)

export const CLIENT_INPUT = v.pipe(
  v.strictObject({
    name: NAME,
    scope: v.optional(SCOPE, 'provision'),
    tokenLifetime: v.optional(TOKEN_LIFETIME, MIN_TOKEN_LIFETIME_SECONDS),
  }),
  v.title('ClientInput'),
  v.examples([{ name: 'Microsoft Entra', scope: 'provision', tokenLifetime: 3600 }]),
)

const CLIENT_CHANGE = v.pipe(
  v.strictObject({
    name: v.optional(NAME),
    scope: v.optional(SCOPE),
    tokenLifetime: v.optional(TOKEN_LIFETIME),
  }),
  v.title('ClientChange'),
  v.examples([{ scope: 'read' }]),
)

const HEALTH = v.pipe(
  v.strictObject({
    state: v.pipe(
      v.picklist(HEALTH_STATES),
      v.description(
        '"new": no provisioning request was seen yet. "late" and "silent": none for longer than usual. "failing": most of its writes are refused, or it cannot sign in.',
      ),
    ),
    since: v.pipe(TIME_OR_NULL, v.description('When the state began.')),
    lastProvisioningAt: v.pipe(
      TIME_OR_NULL,
      v.description('The last request that reads or writes the directory, accurate to the minute.'),
    ),
    usualIntervalSeconds: v.pipe(
      v.nullable(COUNT),
      v.description('The usual time between two contacts; null if it is unknown.'),
    ),
    cadence: v.pipe(
      v.picklist(['observed', 'assumed']),
      v.description('Whether that time was observed: after four contacts.'),
    ),
    refusedShare: v.pipe(
      v.number(),
      v.minValue(0),
      v.maxValue(1),
      v.description('The refused share of its latest writes of 24 hours.'),
    ),
    failedSignIns: v.pipe(COUNT, v.description('Its failed sign-ins of 24 hours.')),
  }),
  v.title('ClientHealth'),
)

const DEPROVISIONING = v.pipe(
  v.strictObject({
    held: v.pipe(COUNT, v.description('The writes that the guard of the tenant held within 24 hours.')),
    alarmedAt: v.pipe(
      TIME_OR_NULL,
      v.description('When the client was last seen to remove an unusual amount of access, within 24 hours.'),
    ),
    releasedUntil: v.pipe(
      TIME_OR_NULL,
      v.description('Until when an administrator lets the client pass the guard.'),
    ),
  }),
  v.title('Deprovisioning'),
)

/** How long an administrator lets a client pass, in minutes. */
const MAX_RELEASE_MINUTES = 1_440
export const DEFAULT_RELEASE_MINUTES = 60

const RELEASE = v.pipe(
  v.strictObject({
    minutes: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_RELEASE_MINUTES)),
      DEFAULT_RELEASE_MINUTES,
    ),
  }),
  v.title('Release'),
  v.examples([{ minutes: 60 }]),
)

const CLIENT_FIELDS = {
  id: TEXT,
  name: NAME,
  scope: SCOPE,
  tokenLifetime: TOKEN_LIFETIME,
  createdAt: TIME,
  lastUsedAt: TIME_OR_NULL,
  deprovisioning: DEPROVISIONING,
  health: v.pipe(v.nullable(HEALTH), v.description('Null for a client that may only read.')),
}

export const CLIENT = v.pipe(v.strictObject(CLIENT_FIELDS), v.title('Client'))

const CLIENT_WITH_CREDENTIALS = v.pipe(
  v.strictObject({
    ...CLIENT_FIELDS,
    secrets: v.pipe(
      v.array(SECRET),
      v.description(
        'Its secrets, newest first, including expired ones and those among the 100 newest of the tenant that are revoked.',
      ),
    ),
    federation: v.nullable(FEDERATION),
  }),
  v.title('ClientWithCredentials'),
)

export const clientRoutes = {
  listClients: {
    method: 'GET',
    path: '/tenants/{id}/clients',
    permission: 'read',
    summary: 'Lists the clients of a tenant',
    answers: {
      200: { description: 'All clients, oldest first.', body: v.object({ clients: v.array(CLIENT) }) },
    },
    refusals: [404],
  },
  createClient: {
    method: 'POST',
    path: '/tenants/{id}/clients',
    permission: 'change',
    summary: 'Creates a client',
    description: `Generate a secret or a token for the client next. A tenant can have ${MAX_CLIENTS} clients.`,
    body: CLIENT_INPUT,
    answers: {
      201: { description: 'Created.', body: CLIENT, headers: { Location: 'The path of the client.' } },
    },
    refusals: [404, 409],
  },
  getClient: {
    method: 'GET',
    path: '/tenants/{id}/clients/{clientId}',
    permission: 'read',
    summary: 'Reads a client with its secrets and its federation',
    answers: { 200: { description: 'The client.', body: CLIENT_WITH_CREDENTIALS } },
    refusals: [404],
  },
  updateClient: {
    method: 'PATCH',
    path: '/tenants/{id}/clients/{clientId}',
    permission: 'change',
    summary: 'Changes the name, the scope or the token lifetime of a client',
    description:
      'A new scope holds for all tokens of the client, from the next request on. An access token never gets a wider scope: the client asks for another one.',
    body: CLIENT_CHANGE,
    answers: { 200: { description: 'The changed client.', body: CLIENT } },
    refusals: [404],
  },
  releaseClient: {
    method: 'POST',
    path: '/tenants/{id}/clients/{clientId}/guard/release',
    permission: 'change',
    summary: 'Lets a client pass the guard against unusual deprovisioning for a time',
    description:
      'What the client takes away until then does not count afterwards. The client repeats the writes that were held by itself.',
    body: RELEASE,
    answers: {
      200: { description: 'The client passes.', body: v.strictObject({ releasedUntil: TIME }) },
    },
    refusals: [404, 409],
  },
  deleteClient: {
    method: 'DELETE',
    path: '/tenants/{id}/clients/{clientId}',
    permission: 'change',
    summary: 'Deletes a client and revokes all of its tokens and secrets',
    description: 'They are refused from the next request on. The provisioning log still names the client.',
    answers: { 204: { description: 'Deleted.' } },
    refusals: [404],
  },
} as const satisfies Routes
