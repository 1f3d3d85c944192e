/** Large pages and answers that wait in memory for administrators, limited like those of clients. */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { MIN_LARGE_ANSWER_CHARACTERS } from '../scim/limits.ts'
import { AdminError } from './errors.ts'

/** What is made as one text. Files are streams, and written as they are read. */
const TEXT = /^(?:text\/html|application\/json)\b/

/**
 * Sends a large answer as fast as the administrator reads it. The waiting bytes count for the administrator.
 *
 * @throws {AdminError} 503 if too many bytes wait
 */
export const largeAnswers = createMiddleware<HttpEnv>(async function largeAnswers(c, next) {
  await next()
  const { answers } = c.env
  // The body of a response to HEAD is not sent.
  if (answers === undefined || c.req.method === 'HEAD') return
  if (!TEXT.test(c.res.headers.get('Content-Type') ?? '')) return
  const { status, headers } = c.res
  const text = await c.res.text()
  const isLarge = text.length >= MIN_LARGE_ANSWER_CHARACTERS
  c.res = new Response(isLarge ? held(answers, c.get('administrator')?.name ?? '', text) : text, {
    status,
    headers,
  })
})

function held(
  answers: NonNullable<HttpEnv['Bindings']['answers']>,
  administrator: string,
  text: string,
): ReadableStream<Uint8Array> {
  try {
    return answers.hold(`administration ${administrator}`, text)
  } catch (cause) {
    if (!(cause instanceof ScimError)) throw cause
    const problem = 'too many large answers wait to be read: read them, then try again'
    throw new AdminError(503, 'tooMany', problem, undefined, { cause })
  }
}
