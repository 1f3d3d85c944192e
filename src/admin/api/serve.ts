/**
 * Serves the routes of the contract: checks the query and the body, calls the handler, and writes the response.
 */
import type { Context, Hono } from 'hono'
import type { ContentfulStatusCode, StatusCode } from 'hono/utils/http-status'
import * as v from 'valibot'
import { readText } from '../../edge/body.ts'
import type { HttpEnv } from '../../runtime.ts'
import { isComplex } from '../../scim/comparison.ts'
import { parseJson } from '../../scim/json.ts'
import { MAX_ADMIN_BODY_BYTES } from '../../scim/limits.ts'
import type { Database } from '../../storage/database/database.ts'
import { check } from '../check.ts'
import type { AnswerOf, Checked, ParametersOf, Route, Routes } from '../contract/route.ts'
import { noteFields, noteTarget } from '../people/audit-note.ts'

const NO_QUERY = v.strictObject({})

/** A request that was checked against its route. */
export interface Call<R extends Route> {
  readonly db: Database
  /** The parameters of the path. */
  readonly parameters: ParametersOf<R['path']>
  readonly query: Checked<R['query']>
  readonly body: Checked<R['body']>
  /** For the clock, new ids, and a body in JSON Lines. */
  readonly c: Context<HttpEnv>
}

export type Handler<R extends Route> = (call: Call<R>) => Promise<AnswerOf<R>>

/** One handler for each route, under its name. */
export type Handlers<R extends Routes> = { readonly [Name in keyof R]: Handler<R[Name]> }

/** The answer of any handler. */
type AnyAnswer =
  | Response
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }

/** Adds the routes to the app. */
export function serve<R extends Routes>(app: Hono<HttpEnv>, routes: R, handlers: Handlers<R>): void {
  for (const [name, route] of Object.entries<Route>(routes)) {
    const handler = handlers[name] as (call: Call<Route>) => Promise<AnyAnswer>
    app.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), async (c) => {
      const query = checkQuery(route.query ?? NO_QUERY, c.req.query())
      const body = await readBody(c, route)
      noteFields(c, query)
      noteFields(c, body)
      const call = { db: c.get('db'), parameters: c.req.param(), query, body, c } as Call<Route>
      const answer = await handler(call)
      noteCreated(c, answer)
      return toResponse(c, answer)
    })
  }
}

/** @throws {AdminError} {ScimError} 400, 408, 413, 429 or 503 */
async function readBody(
  c: Context<HttpEnv>,
  { body, maxBodyBytes = MAX_ADMIN_BODY_BYTES }: Route,
): Promise<unknown> {
  if (body === undefined || typeof body === 'string') return undefined
  return check(body, parseJson(await readText(c, maxBodyBytes, 'administration')))
}

function checkQuery(schema: NonNullable<Route['query']>, query: Readonly<Record<string, string>>): unknown {
  // An unknown parameter is refused even without a value.
  const given = Object.entries(query).filter(
    ([name, value]) => value !== '' || !Object.hasOwn(schema.entries, name),
  )
  return check(schema, Object.fromEntries(given))
}

/** Notes the id of what was created, or of the job that was started. */
function noteCreated(c: Context<HttpEnv>, answer: AnyAnswer): void {
  if (answer instanceof Response || !isComplex(answer.body)) return
  if (answer.status !== 201 && answer.status !== 202) return
  if (typeof answer.body.id === 'string') noteTarget(c, answer.body.id)
}

function toResponse(c: Context<HttpEnv>, answer: AnyAnswer): Response {
  if (answer instanceof Response) return answer
  const { status, body, headers } = answer
  if (body === undefined) return c.body(null, status as StatusCode, headers)
  return c.json(body, status as ContentfulStatusCode, headers)
}
