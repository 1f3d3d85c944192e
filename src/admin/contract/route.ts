/**
 * The form of a route of the admin API as data, and the types that follow from it. Validation, the OpenAPI document and
 * the table in README.md are derived from the routes (routes.ts); a handler that does not fit its route does not compile.
 */
import type * as v from 'valibot'

/** The media type of a stream of records: one JSON value a line. Its lines are described in prose, not by a schema. */
export const JSON_LINES = 'application/jsonl'

/** What a body holds: one JSON value of a schema, or JSON Lines. */
export type Content = v.GenericSchema | typeof JSON_LINES

/** The parameters of paths by name, as `{name}` in a path, with their descriptions. */
export const PATH_PARAMETERS = {
  id: 'The id of the tenant.',
  clientId: 'The id of the client.',
  tokenId: 'The id of the token.',
  urn: 'The URN of the schema.',
  jobId: 'The id of the job.',
} as const satisfies Readonly<Record<string, string>>

/**
 * A status that a handler refuses with. The others need no mention: every route is refused with 401, 429 and 503, one
 * with a body also with 400, 408 and 413, one with a query also with 400.
 */
export type Refusal = 404 | 409

export interface Answer {
  readonly description: string
  /** None: the answer has no body. */
  readonly body?: Content
  /** Headers by name, with their descriptions. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below /admin/api, with parameters as in OpenAPI: `/tenants/{id}`. */
  readonly path: `/${string}`
  /** A main clause without a period, such as "Creates a tenant". */
  readonly summary: string
  /** Whole sentences, in CommonMark. */
  readonly description?: string
  /** The parameters of the query; an empty one counts as missing. */
  readonly query?: v.ObjectSchema<v.ObjectEntries, undefined>
  readonly body?: Content
  /** What the lines of a body in JSON Lines are. */
  readonly bodyDescription?: string
  /** The most bytes of the body; MAX_ADMIN_BODY_BYTES when it is not said. */
  readonly maxBodyBytes?: number
  readonly answers: Readonly<Record<number, Answer>>
  readonly refusals: readonly Refusal[]
}

/** Routes by the name of their operation, which OpenAPI has as `operationId`. */
export type Routes = Readonly<Record<string, Route>>

/** `{ id: string; tokenId: string }` of `/tenants/{id}/tokens/{tokenId}`. */
export type ParametersOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name & keyof typeof PATH_PARAMETERS]: string } & ParametersOf<Rest>
  : unknown

/** What a schema makes of a body or a query; undefined when the route takes none, or takes JSON Lines. */
export type Checked<Taken> = Taken extends v.GenericSchema ? v.InferOutput<Taken> : undefined

/** What a handler may answer: one of the statuses of its route with the body of that status; JSON Lines as they are sent. */
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
