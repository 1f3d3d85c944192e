/**
 * A route of the admin API as data, and the types derived from it. Validation, the OpenAPI document and the table in
 * docs/api/admin-api.md are derived from the routes (routes.ts). A handler that does not match its route does not compile.
 */
import type * as v from 'valibot'
import type { Permission } from './permissions.ts'

/** The media type of JSON Lines: one JSON value in each line. The lines are described in prose, not by a schema. */
export const JSON_LINES = 'application/jsonl'

/** The media type of a file in one of several formats. They are described in prose. */
export const ANY_FILE = '*/*'

/** The media type of CSV (RFC 4180). */
export const CSV = 'text/csv'

/** The content of a body: one JSON value that matches a schema, or a file. */
export type Content = v.GenericSchema | typeof JSON_LINES | typeof ANY_FILE | typeof CSV

/** The path parameters (`{name}` in a path) with their descriptions. */
export const PATH_PARAMETERS = {
  id: 'The id of the tenant.',
  clientId: 'The id of the client.',
  tokenId: 'The id of the token.',
  secretId: 'The id of the secret.',
  adminTokenId: 'The id of the named token of an administrator.',
  urn: 'The URN of the schema.',
  jobId: 'The id of the job.',
  webhookId: 'The id of the webhook.',
  conflictId: 'The id of the conflict.',
  userId: 'The id of the user.',
  resourceId: 'The id of the user or group.',
} as const satisfies Readonly<Record<string, string>>

/**
 * A status with which a handler refuses a request. Other statuses follow from the route: every route can answer 400, 401,
 * 403, 429 and 503, a route with a body also 408 and 413.
 */
export type Refusal = 404 | 409

export interface Answer {
  readonly description: string
  /** Undefined if the answer has no body. */
  readonly body?: Content
  /** The descriptions of headers, by their names. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below /admin/api, with parameters as in OpenAPI: `/tenants/{id}`. */
  readonly path: `/${string}`
  /** What an administrator needs. A permission in a tenant is one in the tenant `{id}`. */
  readonly permission: Permission
  /** A main clause without a period, such as "Creates a tenant". */
  readonly summary: string
  /** Sentences in CommonMark. */
  readonly description?: string
  /** The query parameters; none by default. An empty value counts as missing. */
  readonly query?: v.StrictObjectSchema<v.ObjectEntries, undefined>
  /** A schema of fields is a strict object: unknown fields are refused. */
  readonly body?: Content
  /** The description of the file, for a body that is one. */
  readonly bodyDescription?: string
  /** The largest body in bytes; by default MAX_ADMIN_BODY_BYTES. */
  readonly maxBodyBytes?: number
  readonly answers: Readonly<Record<number, Answer>>
  readonly refusals: readonly Refusal[]
}

/** Routes by their operation name, the `operationId` in OpenAPI. */
export type Routes = Readonly<Record<string, Route>>

/** The path parameters of a route: `{ id: string; tokenId: string }` for `/tenants/{id}/tokens/{tokenId}`. */
export type ParametersOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name & keyof typeof PATH_PARAMETERS]: string } & ParametersOf<Rest>
  : unknown

/** The output of the schema of a body or a query. Undefined for a route without one, and for JSON Lines. */
export type Checked<Taken> = Taken extends v.GenericSchema ? v.InferOutput<Taken> : undefined

/** The answers that a handler may return: a status of its route with the body of that status, or a Response for JSON Lines. */
export type AnswerOf<R extends Route> = {
  [Status in keyof R['answers']]: R['answers'][Status] extends { readonly body: infer Body }
    ? Body extends v.GenericSchema
      ? {
          readonly status: Status
          readonly body: DeepReadonly<v.InferInput<Body>>
          readonly headers?: HeadersOf<R['answers'][Status]>
        }
      : Response
    : { readonly status: Status }
}[keyof R['answers']]

type HeadersOf<A> = A extends { readonly headers: infer Headers }
  ? Record<keyof Headers & string, string>
  : never

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T
