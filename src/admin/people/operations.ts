/**
 * The operation of each request: the route of the admin API that does the same. A page of the dashboard, and each of its
 * forms, has the permission of its operation.
 */
import type { Context } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { HttpEnv } from '../../runtime.ts'
import type { Permission } from '../contract/permissions.ts'
import type { Route } from '../contract/route.ts'
import { ADMIN_API_PATH, ROUTES } from '../contract/routes.ts'

export type Operation = keyof typeof ROUTES

/** Of the dashboard, by method and path. A page that only asks has the operation of its form. */
export const PAGES: Readonly<Record<string, Operation>> = {
  'GET /admin': 'listTenants',
  'GET /admin/tenants': 'listTenants',
  'POST /admin/tenants': 'createTenant',
  'GET /admin/administrators': 'listAdminTokens',
  'POST /admin/administrators': 'createAdminToken',
  'GET /admin/administrators/tokens/:id/revoke': 'revokeAdminToken',
  'POST /admin/administrators/tokens/:id/revoke': 'revokeAdminToken',
  'GET /admin/audit': 'listAudit',
  'GET /admin/audit.csv': 'listAudit',
  'GET /admin/tenants/:tenant/audit': 'listTenantAudit',
  'GET /admin/tenants/:tenant/audit.csv': 'listTenantAudit',
  'GET /admin/tenants/:tenant': 'getTenant',
  'GET /admin/limits': 'listDatabases',
  'GET /admin/tenants/:tenant/settings': 'getTenant',
  'POST /admin/tenants/:tenant/settings': 'updateTenant',
  'POST /admin/tenants/:tenant/guard': 'updateTenant',
  'POST /admin/tenants/:tenant/delete': 'deleteTenant',
  'GET /admin/tenants/:tenant/transfer': 'getTenant',
  'POST /admin/tenants/:tenant/transfer/import': 'startImport',
  'POST /admin/tenants/:tenant/transfer/check': 'startImport',
  'POST /admin/tenants/:tenant/undo-import': 'undoImport',
  'POST /admin/tenants/:tenant/move': 'moveTenant',
  'POST /admin/tenants/:tenant/cancel-move': 'cancelMove',
  'POST /admin/tenants/:tenant/export': 'startExport',
  'GET /admin/tenants/:tenant/jobs/:job/file': 'getJobFile',
  'GET /admin/tenants/:tenant/:segment': 'getTenant',
  'GET /admin/tenants/:tenant/:segment/:id': 'getTenant',
  'GET /admin/tenants/:tenant/:segment/:id/disable': 'disableUser',
  'POST /admin/tenants/:tenant/:segment/:id/disable': 'disableUser',
  'POST /admin/tenants/:tenant/:segment/:id/enable': 'enableUser',
  'POST /admin/tenants/:tenant/:list/:id/owner': 'changeOwner',
  'GET /admin/tenants/:tenant/connect': 'listTokens',
  'GET /admin/tenants/:tenant/connect/:guide': 'listTokens',
  'POST /admin/tenants/:tenant/connect/:guide': 'createToken',
  'GET /admin/tenants/:tenant/api-keys': 'listTokens',
  'POST /admin/tenants/:tenant/api-keys': 'createToken',
  'GET /admin/tenants/:tenant/api-keys/:id/rotate': 'createToken',
  'POST /admin/tenants/:tenant/api-keys/:id/rotate': 'createToken',
  'POST /admin/tenants/:tenant/api-keys/:id/keep': 'createToken',
  'GET /admin/tenants/:tenant/api-keys/:id/revoke': 'revokeToken',
  'POST /admin/tenants/:tenant/api-keys/:id/revoke': 'revokeToken',
  'GET /admin/tenants/:tenant/api-keys/clients/:id/delete': 'deleteClient',
  'POST /admin/tenants/:tenant/api-keys/clients/:id/delete': 'deleteClient',
  'POST /admin/tenants/:tenant/clients/:client/release': 'releaseClient',
  'GET /admin/tenants/:tenant/api-keys/secrets/:id/rotate': 'createSecret',
  'POST /admin/tenants/:tenant/api-keys/secrets/:id/rotate': 'createSecret',
  'POST /admin/tenants/:tenant/api-keys/secrets/:id/keep': 'createSecret',
  'GET /admin/tenants/:tenant/api-keys/secrets/:id/revoke': 'revokeSecretById',
  'POST /admin/tenants/:tenant/api-keys/secrets/:id/revoke': 'revokeSecretById',
  'GET /admin/tenants/:tenant/api-keys/federation': 'putFederation',
  'POST /admin/tenants/:tenant/api-keys/federation': 'putFederation',
  'GET /admin/tenants/:tenant/api-keys/clients/:id/federation': 'putFederation',
  'POST /admin/tenants/:tenant/api-keys/clients/:id/federation': 'putFederation',
  'GET /admin/tenants/:tenant/api-keys/clients/:id/federation/remove': 'deleteFederation',
  'POST /admin/tenants/:tenant/api-keys/clients/:id/federation/remove': 'deleteFederation',
  'GET /admin/tenants/:tenant/log': 'listLog',
  'GET /admin/tenants/:tenant/log.csv': 'listLog',
  'GET /admin/tenants/:tenant/log.json': 'listLog',
  'GET /admin/tenants/:tenant/log/:id': 'listLog',
  'GET /admin/tenants/:tenant/explain': 'explainRequest',
  'POST /admin/tenants/:tenant/explain': 'explainRequest',
  'GET /admin/tenants/:tenant/drift': 'compareExport',
  'POST /admin/tenants/:tenant/drift': 'compareExport',
  'GET /admin/tenants/:tenant/schemas': 'listExtensions',
  'POST /admin/tenants/:tenant/schemas': 'importExtensions',
  'POST /admin/tenants/:tenant/schemas/restore': 'putExtension',
  'GET /admin/tenants/:tenant/schemas/remove': 'deleteExtension',
  'POST /admin/tenants/:tenant/schemas/remove': 'deleteExtension',
  'GET /admin/tenants/:tenant/webhooks': 'listWebhooks',
  'POST /admin/tenants/:tenant/webhooks': 'createWebhook',
  'GET /admin/tenants/:tenant/webhooks/:id': 'getWebhook',
  'POST /admin/tenants/:tenant/webhooks/:id': 'updateWebhook',
  'POST /admin/tenants/:tenant/webhooks/:id/state': 'updateWebhook',
  'POST /admin/tenants/:tenant/webhooks/:id/test': 'testWebhook',
  'POST /admin/tenants/:tenant/webhooks/:id/replay': 'replayWebhook',
  'POST /admin/tenants/:tenant/webhooks/:id/secrets': 'createWebhookSecret',
  'POST /admin/tenants/:tenant/webhooks/:id/secrets/:secret/remove': 'deleteWebhookSecret',
  'GET /admin/tenants/:tenant/webhooks/:id/delete': 'deleteWebhook',
  'POST /admin/tenants/:tenant/webhooks/:id/delete': 'deleteWebhook',
  'GET /admin/tenants/:tenant/sources': 'listConflicts',
  'POST /admin/tenants/:tenant/sources/conflicts/:conflict/dismiss': 'dismissConflict',
  'POST /admin/tenants/:tenant/sources/count': 'handOver',
  'POST /admin/tenants/:tenant/sources/mode': 'updateTenant',
  'POST /admin/tenants/:tenant/sources/hand-over': 'handOver',
  'GET /admin/tenants/:tenant/deleted': 'listTombstones',
  'GET /admin/tenants/:tenant/deleted/:id/restore': 'restoreTombstone',
  'POST /admin/tenants/:tenant/deleted/:id/restore': 'restoreTombstone',
  'GET /admin/tenants/:tenant/deleted/:id/erase': 'eraseTombstone',
  'POST /admin/tenants/:tenant/deleted/:id/erase': 'eraseTombstone',
  'GET /admin/tenants/:tenant/history/:id': 'getHistory',
  'GET /admin/tenants/:tenant/undo': 'getUndo',
  'POST /admin/tenants/:tenant/undo': 'undo',
  'POST /admin/tenants/:tenant/undo/cancel': 'cancelUndo',
  'GET /admin/tenants/:tenant/undo/:id': 'getUndo',
}

/** By method and path, of the admin API and the dashboard. */
const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ...Object.entries<Route>(ROUTES).map(
    ([name, { method, path }]) =>
      [`${method} ${ADMIN_API_PATH}${path.replace(/\{(\w+)\}/g, ':$1')}`, name as Operation] as const,
  ),
  ...Object.entries(PAGES),
])

/** Sign-ins belong to no route of the admin API. */
const SIGN_INS: Readonly<Record<string, SignIn>> = {
  'POST /admin/sign-in': 'signIn',
  'GET /admin/sign-in/callback': 'signIn',
  'POST /admin/sign-out': 'signOut',
}

type SignIn = 'signIn' | 'signOut'

/** Forms that need the permission of a route, and do something else. The audit trail must not say that they did the same. */
export const FORM_OPERATIONS: Readonly<Record<string, FormOperation>> = {
  'POST /admin/tenants/:tenant/transfer/check': 'checkFile',
  'POST /admin/tenants/:tenant/sources/count': 'countSources',
  'POST /admin/tenants/:tenant/api-keys/:id/rotate': 'rotateToken',
  'POST /admin/tenants/:tenant/api-keys/:id/keep': 'keepToken',
  'POST /admin/tenants/:tenant/api-keys/secrets/:id/rotate': 'rotateSecret',
  'POST /admin/tenants/:tenant/api-keys/secrets/:id/keep': 'keepSecret',
}

/** What these forms do, and what signing in and out does. */
export const OTHER_OPERATIONS = {
  signIn: 'Signs in',
  signOut: 'Signs out',
  checkFile: 'Checks the file of an export, and imports nothing',
  countSources: 'Counts the users and groups of each source',
  rotateToken: 'Generates a token that is to replace another one',
  keepToken: 'Keeps a token that was to be revoked after its rotation',
  rotateSecret: 'Generates a client secret that is to replace another one',
  keepSecret: 'Keeps a client secret that was to be revoked after its rotation',
} as const satisfies Readonly<Record<SignIn | FormOperation, string>>

type FormOperation =
  | 'checkFile'
  | 'countSources'
  | 'rotateToken'
  | 'keepToken'
  | 'rotateSecret'
  | 'keepSecret'

/** What the audit trail names. */
export type RecordedOperation = Operation | SignIn | FormOperation

export function isSignIn(operation: RecordedOperation): operation is SignIn {
  return operation === 'signIn' || operation === 'signOut'
}

/** @returns undefined for a request that is none */
export function signInOperationOf(c: OperationContext): SignIn | undefined {
  return handlersOf(c).flatMap((handler) => SIGN_INS[handler] ?? [])[0]
}

/** @returns undefined for a form that does what its route does */
export function formOperationOf(c: OperationContext): FormOperation | undefined {
  return handlersOf(c).flatMap((handler) => FORM_OPERATIONS[handler] ?? [])[0]
}

/** The part of a request's context that tells its operation. */
type OperationContext = Context<HttpEnv>

/** The handlers that Hono considers for a request, in their order: `GET /admin/tenants/:tenant`. */
function handlersOf(c: OperationContext): readonly string[] {
  const method = c.req.method === 'HEAD' ? 'GET' : c.req.method
  const own = matchedRoutes(c).filter((route) => route.method === method)
  return own.map(({ path }) => `${method} ${path}`)
}

/** The operation of a request: that of the most specific handler. Undefined for a path without a handler. */
export function operationOf(c: OperationContext): Operation | undefined {
  const known = handlersOf(c).flatMap((handler) => OPERATIONS.get(handler) ?? [])
  return known.find((operation) => operation !== 'getTenant') ?? known[0]
}

/**
 * What a request needs. Several paths may match it, and it needs the permission of each. A handler that is in no table needs
 * the most, and a test refuses it.
 */
export function permissionsOf(c: OperationContext): readonly Permission[] {
  return handlersOf(c).map((handler) => {
    const operation = OPERATIONS.get(handler)
    return operation === undefined ? 'own installation' : ROUTES[operation].permission
  })
}

/** Whether the request concerns a tenant: its middleware is at `/tenants/:tenant/*`. */
export function isBelowTenant(c: OperationContext): boolean {
  return matchedRoutes(c).some(({ path }) => path.endsWith('/tenants/:tenant/*'))
}
