/**
 * Bodies: application/scim+json in and out (RFC 7644 §3.1, §8.1). "Accept" is never refused: there is one
 * representation, and clients are known to ask for others.
 */
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { HttpEnv } from '../runtime.ts'
import { badRequest, quote, ScimError } from '../scim/error.ts'
import { MAX_BODY_BYTES, MIN_LARGE_ANSWER_CHARACTERS } from '../scim/limits.ts'

const SCIM_JSON = 'application/scim+json'
const ACCEPTED = [SCIM_JSON, 'application/json']

/** Answers 413 to a larger body, with Content-Length or without. Comes after the log, which records it. */
export const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new ScimError(413, undefined, `the body is larger than ${MAX_BODY_BYTES} bytes, the limit`)
  },
})

/**
 * A response with a body of JSON text; a large one is handed over as fast as its client reads it. Made of a plain object of headers, the request id among them, because
 * Hono's `c.body` adds to a Headers one by one, which takes longer than all the rest of a response.
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
function bodyOf(c: Context<HttpEnv>, json: string): BodyInit {
  const { answers } = c.env
  // Nobody reads the body of a response to HEAD.
  if (answers === undefined || json.length < MIN_LARGE_ANSWER_CHARACTERS || c.req.method === 'HEAD')
    return json
  return answers.hold(c.get('credentials')?.tenantId ?? '', json)
}

/**
 * The parsed body of a request.
 *
 * @throws {ScimError} 415 for another media type or a compressed body, 400 invalidSyntax for what is no JSON
 */
export async function readBody(c: Context<HttpEnv>): Promise<unknown> {
  requireJson(c)
  const text = await c.req.text()
  try {
    const body: unknown = JSON.parse(text)
    c.set('body', body)
    return body
  } catch (cause) {
    throw badRequest('invalidSyntax', text === '' ? 'the body is empty' : notJson(cause))
  }
}

function requireJson(c: Context<HttpEnv>): void {
  const type = c.req.header('Content-Type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== undefined && type !== '' && !ACCEPTED.includes(type)) {
    throw new ScimError(415, undefined, `Content-Type must be ${ACCEPTED.join(' or ')}, found ${quote(type)}`)
  }
  // A small compressed body can hold a very large one.
  const encoding = c.req.header('Content-Encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity') {
    throw new ScimError(415, undefined, `Content-Encoding is not supported, found ${quote(encoding)}`)
  }
}

/** Where the JSON breaks off, without the text there: it may be secret, and the message goes into the log. */
function notJson(cause: unknown): string {
  const position = cause instanceof Error ? /at position (\d+)/.exec(cause.message)?.[1] : undefined
  return position === undefined ? 'the body is no JSON' : `the body is no JSON from position ${position} on`
}
