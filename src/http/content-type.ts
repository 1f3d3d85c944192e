/**
 * Bodies: application/scim+json in and out (RFC 7644 §3.1, §8.1). "Accept" is never refused: there is one
 * representation, and clients are known to ask for others.
 */
import type { Context } from 'hono'
import { readText } from '../edge/body.ts'
import type { HttpEnv } from '../runtime.ts'
import { allowsMissingMediaType } from '../scim/compatibility/http.ts'
import { quote, ScimError } from '../scim/error.ts'
import { parseJson } from '../scim/json.ts'
import { MIN_LARGE_ANSWER_CHARACTERS } from '../scim/limits.ts'
import { profileOf } from './profile.ts'

export const SCIM_JSON = 'application/scim+json'
const ACCEPTED = [SCIM_JSON, 'application/json']

/**
 * A response with a body of JSON text; a large one is handed over as fast as its client reads it. Made of a plain object
 * of headers, the request id among them, because Hono's `c.body` adds to a Headers one by one, which takes longer than
 * all the rest of a response.
 */
export function scimJson(
  c: Context<HttpEnv>,
  json: string,
  status: number,
  headers: Record<string, string> = {},
): Response {
  return new Response(bodyOf(c, json), {
    status,
    headers: { ...headers, 'Content-Type': SCIM_JSON, 'X-Request-Id': c.get('requestId') },
  })
}

/** @throws {ScimError} 503 when too many large answers wait for their clients */
function bodyOf(c: Context<HttpEnv>, json: string): string | ReadableStream<Uint8Array> {
  const { answers } = c.env
  // Nobody reads the body of a response to HEAD.
  if (answers === undefined || json.length < MIN_LARGE_ANSWER_CHARACTERS || c.req.method === 'HEAD')
    return json
  return answers.hold(c.get('credentials')?.tenantId ?? '', json)
}

/**
 * The parsed body of a request. A handler that runs once more gets the same.
 *
 * @throws {ScimError} 415 for another media type or a compressed body, 400 invalidSyntax for what is not JSON in
 *   UTF-8 or is too deep, and what `readText` throws
 */
export async function readBody(c: Context<HttpEnv>): Promise<unknown> {
  if (c.get('body') !== undefined) return c.get('body')
  requireJson(c)
  const { tenantId, limits } = c.get('tenant')
  const body = parseJson(await readText(c, limits.bodyBytes, tenantId))
  c.set('body', body)
  return body
}

function requireJson(c: Context<HttpEnv>): void {
  const type = c.req.header('Content-Type')?.split(';')[0]?.trim().toLowerCase()
  if (!allowsMissingMediaType(type, profileOf(c)) && !ACCEPTED.includes(type ?? '')) {
    const found = type ? quote(type) : 'none'
    throw new ScimError(415, undefined, `Content-Type must be ${ACCEPTED.join(' or ')}, found ${found}`)
  }
  // A small compressed body can hold a very large one.
  const encoding = c.req.header('Content-Encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity') {
    throw new ScimError(415, undefined, `Content-Encoding is not supported, found ${quote(encoding)}`)
  }
}
