/** The entry of an unexpected error in the log of the server. */
import type { Context } from 'hono'

/** Logs the message and its causes, but no SQL statements and values, because they contain personal data. */
export function logFault(c: Context, error: unknown): void {
  const causes: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) causes.push(at.message)
  const stack = error instanceof Error ? error.stack : String(error)
  console.error(
    JSON.stringify({
      requestId: c.get('requestId'),
      method: c.req.method,
      route: c.req.routePath,
      causes,
      stack,
    }),
  )
}
