/**
 * Request and response bodies in application/scim+json (RFC 7644 §3.1, §8.1). "Accept" is ignored: there is only one
 * representation, and some clients request others.
 */
import type { Context } from 'hono'
import { readText } from '../edge/body.ts'
import type { HttpEnv } from '../runtime.ts'
import { allowsMissingMediaType } from '../scim/compatibility/http.ts'
import { requireDistinctKeys } from '../scim/compatibility/values.ts'
import { quote, ScimError } from '../scim/error.ts'
import { parseJson } from '../scim/json.ts'
import { MIN_LARGE_ANSWER_CHARACTERS } from '../scim/limits.ts'
import { profileOf } from './profile.ts'
import { REQUEST_ID } from './request-id.ts'
import { workOf } from './work.ts'

export const SCIM_JSON = 'application/scim+json'
const ACCEPTED = [SCIM_JSON, 'application/json']

/**
 * Creates a response with JSON text. The headers, including the request id, are a plain object, because `c.body` of Hono adds them one by one to a Headers object, which takes longer
 * than the rest of the response.
 */
export function scimJson(
  c: Context<HttpEnv>,
  json: string,
  status: number,
  headers: Record<string, string> = {},
): Response {
  return new Response(jsonBody(c, json), {
    status,
    headers: { ...headers, 'Content-Type': SCIM_JSON, [REQUEST_ID]: c.get('requestId') },
  })
}

/** Likewise without a body. */
export function noBody(
  c: Context<HttpEnv>,
  status: 204 | 304,
  headers: Record<string, string> = {},
): Response {
  return new Response(null, { status, headers: { ...headers, [REQUEST_ID]: c.get('requestId') } })
}

/**
 * The body of a response with JSON text. A large one is sent as fast as the client reads it.
 *
 * @throws {ScimError} 503 if too many large responses are buffered for slow clients
 */
export function jsonBody(c: Context<HttpEnv>, json: string): string | ReadableStream<Uint8Array> {
  const { answers } = c.env
  // The body of a response to HEAD is not sent.
  if (answers === undefined || json.length < MIN_LARGE_ANSWER_CHARACTERS || c.req.method === 'HEAD')
    return json
  return answers.hold(c.get('actor')?.tenantId ?? '', json)
}

/**
 * Returns the parsed request body. It is cached, because a handler may run twice.
 *
 * @param maxBytes if fewer bytes are enough for the message than the tenant allows for a body
 * @throws {ScimError} 415 for another media type or a compressed body; errors of `readText`, `parseJson` and
 *   `requireDistinctKeys`
 */
export async function readBody(c: Context<HttpEnv>, maxBytes = Number.POSITIVE_INFINITY): Promise<unknown> {
  const { tenantId, limits, profile } = c.get('tenant')
  if (c.get('body') === undefined) {
    requireJson(c)
    const text = await readText(c, Math.min(limits.bodyBytes, maxBytes), tenantId)
    c.set('body', parseJson(text, undefined, workOf(c)))
  }
  const body = c.get('body')
  requireDistinctKeys(body, profile, workOf(c))
  return body
}

function requireJson(c: Context<HttpEnv>): void {
  const type = c.req.header('Content-Type')?.split(';')[0]?.trim().toLowerCase()
  if (!allowsMissingMediaType(type, profileOf(c)) && !ACCEPTED.includes(type ?? '')) {
    const found = type ? quote(type) : 'none'
    throw new ScimError(415, undefined, `Content-Type must be ${ACCEPTED.join(' or ')}, found ${found}`)
  }
  // A small compressed body may expand to a very large one.
  const encoding = c.req.header('Content-Encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity') {
    throw new ScimError(
      415,
      undefined,
      `Content-Encoding must be "identity" or absent, found ${quote(encoding)}`,
    )
  }
}
