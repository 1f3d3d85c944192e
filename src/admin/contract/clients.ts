/** Clients: the actors of a tenant. Each client authenticates with one or more tokens. */
import * as v from 'valibot'
import { NAME, TEXT, TIME, TIME_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

export const SCOPE = v.pipe(
  v.picklist(['provision', 'read']),
  v.description('"provision" allows reading and writing. The scope holds for all tokens of the client.'),
)

export const CLIENT_INPUT = v.pipe(
  v.strictObject({ name: NAME, scope: v.optional(SCOPE, 'provision') }),
  v.title('ClientInput'),
  v.examples([{ name: 'Microsoft Entra', scope: 'provision' }]),
)

export const CLIENT_CHANGE = v.pipe(
  v.strictObject({ name: v.optional(NAME), scope: v.optional(SCOPE) }),
  v.title('ClientChange'),
  v.examples([{ scope: 'read' }]),
)

export const CLIENT = v.pipe(
  v.strictObject({ id: TEXT, name: NAME, scope: SCOPE, createdAt: TIME, lastUsedAt: TIME_OR_NULL }),
  v.title('Client'),
)

export const clientRoutes = {
  listClients: {
    method: 'GET',
    path: '/tenants/{id}/clients',
    summary: 'Lists the clients of a tenant',
    answers: {
      200: { description: 'All clients, oldest first.', body: v.object({ clients: v.array(CLIENT) }) },
    },
    refusals: [404],
  },
  createClient: {
    method: 'POST',
    path: '/tenants/{id}/clients',
    summary: 'Creates a client',
    description: 'Generate a token for the client next.',
    body: CLIENT_INPUT,
    answers: {
      201: { description: 'Created.', body: CLIENT, headers: { Location: 'The path of the client.' } },
    },
    refusals: [404, 409],
  },
  getClient: {
    method: 'GET',
    path: '/tenants/{id}/clients/{clientId}',
    summary: 'Reads a client',
    answers: { 200: { description: 'The client.', body: CLIENT } },
    refusals: [404],
  },
  updateClient: {
    method: 'PATCH',
    path: '/tenants/{id}/clients/{clientId}',
    summary: 'Changes the name or the scope of a client',
    description: 'A new scope holds for all tokens of the client, from the next request on.',
    body: CLIENT_CHANGE,
    answers: { 200: { description: 'The changed client.', body: CLIENT } },
    refusals: [404],
  },
  deleteClient: {
    method: 'DELETE',
    path: '/tenants/{id}/clients/{clientId}',
    summary: 'Deletes a client and revokes all of its tokens',
    description:
      'The tokens are refused from the next request on. The provisioning log still names the client.',
    answers: { 204: { description: 'Deleted.' } },
    refusals: [404],
  },
} as const satisfies Routes
