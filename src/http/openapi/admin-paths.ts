/**
 * The OpenAPI paths and schemas of the admin API, derived from its contract, and the path of /healthz.
 */
import { neededFor } from '../../admin/contract/permissions.ts'
import { type Answer, type Content, PATH_PARAMETERS, type Route } from '../../admin/contract/route.ts'
import { ADMIN_API_PATH, ROUTES } from '../../admin/contract/routes.ts'
import type { SchemaParts } from '../../admin/contract/schema-parts.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { type Components, contractSchema, requiredOf } from './contract-schema.ts'
import { type Json, object, ref } from './json-schema.ts'

const TEXT = { type: 'string' } as const

/** The path items and the components that they refer to. */
export function adminApi(types: readonly ResourceType[]): { paths: Json; schemas: Json; responses: Json } {
  const components: Components = { schemas: new Map(), typeNames: types.map(({ name }) => name) }
  const paths: Record<string, Json> = {}
  for (const [operationId, route] of Object.entries<Route>(ROUTES)) {
    const path = `${ADMIN_API_PATH}${route.path}`
    paths[path] = {
      ...(paths[path] ?? pathParameters(path)),
      [route.method.toLowerCase()]: operation(operationId, route, components),
    }
  }
  return {
    paths: { ...paths, '/healthz': HEALTH },
    schemas: { ...Object.fromEntries(components.schemas), AdminError: ERROR },
    responses: Object.fromEntries(
      Object.values(REFUSALS).map(([name, description]) => [
        name,
        { description, content: jsonContent(ref('schemas', 'AdminError')) },
      ]),
    ),
  }
}

const ERROR = object(
  { error: object({ code: TEXT, message: TEXT, field: TEXT }, ['code', 'message'], true) },
  ['error'],
  true,
)

const HEALTH = {
  get: {
    tags: ['Health'],
    operationId: 'getHealth',
    summary: 'Reports whether the database is readable and writable',
    description:
      'With `verbose` and ADMIN_TOKEN, the answer also has the version, and for each database its jobs, webhooks and newest event, and self-hosted its file.',
    security: [],
    parameters: [{ name: 'verbose', in: 'query', allowEmptyValue: true, schema: TEXT }],
    responses: {
      200: {
        description: 'The database is available.',
        content: jsonContent(object({ status: { const: 'ok' } }, ['status'])),
      },
      503: {
        description: 'The database is unavailable.',
        content: jsonContent(object({ status: { const: 'unavailable' } }, ['status'])),
      },
    },
  },
} as const

const REFUSALS = {
  400: ['AdminBadRequest', 'A field or a query parameter is invalid or unknown; "field" names it.'],
  401: ['AdminUnauthorized', 'ADMIN_TOKEN is required.'],
  403: ['AdminForbidden', 'The role of the administrator does not allow it.'],
  404: ['AdminNotFound', 'The path names something that does not exist.'],
  408: ['AdminTimeout', 'The body did not arrive in time.'],
  409: [
    'AdminConflict',
    'The id is in use, the tenant is not empty or not ready, or group names are not unique.',
  ],
  413: ['AdminTooLarge', 'The body is too large.'],
  429: [
    'AdminTooManyRequests',
    'Too many failed authentications from this address, or too many buffered bytes.',
  ],
  503: ['AdminUnavailable', 'The database is unavailable, or ADMIN_TOKEN is not set.'],
} as const

function operation(operationId: string, route: Route, components: Components): Json {
  const { summary, query, body, bodyDescription, permission } = route
  const description = `${route.description ?? ''} Needs ${neededFor(permission)}.`.trim()
  return {
    tags: ['Admin'],
    operationId,
    summary,
    description,
    security: [{ adminToken: [] }],
    ...(query && { parameters: queryParameters(query as unknown as SchemaParts, components) }),
    ...(body && {
      requestBody: {
        required: true,
        ...(bodyDescription !== undefined && { description: bodyDescription }),
        content: content(body, components),
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, answer]) => [status, response(answer, components)]),
      ),
      ...Object.fromEntries(
        refusalsOf(route).map((status) => [status, ref('responses', REFUSALS[status][0])]),
      ),
    },
  }
}

/** @see Refusal */
function refusalsOf({ body, refusals }: Route): readonly (keyof typeof REFUSALS)[] {
  return [400, 401, 403, 429, 503, ...(body ? ([408, 413] as const) : []), ...refusals]
}

function response({ description, body, headers = {} }: Answer, components: Components): Json {
  const described = Object.entries(headers).map(([name, text]) => [name, { description: text, schema: TEXT }])
  return {
    description,
    ...(described.length > 0 && { headers: Object.fromEntries(described) }),
    ...(body && { content: content(body, components) }),
  }
}

function content(body: Content, components: Components): Json {
  if (typeof body === 'string') return { [body]: { schema: TEXT } }
  return jsonContent(contractSchema(body as unknown as SchemaParts, components))
}

function jsonContent(schema: Json): Json {
  return { 'application/json': { schema } }
}

/** @throws {Error} for a parameter without a description */
function pathParameters(path: string): Json {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const description = (PATH_PARAMETERS as Readonly<Record<string, string>>)[name]
    if (description === undefined) throw new Error(`PATH_PARAMETERS has no "${name}"`)
    return { name, in: 'path', required: true, schema: TEXT, description }
  })
  return parameters.length > 0 ? { parameters } : {}
}

function queryParameters({ entries = {} }: SchemaParts, components: Components): readonly Json[] {
  const required = requiredOf(entries)
  return Object.entries(entries).map(([name, entry]) => {
    const { description, ...schema } = contractSchema(entry, components)
    return { name, in: 'query', ...(required.includes(name) && { required: true }), schema, description }
  })
}
