/**
 * Refuses requests before the app if their route would be ambiguous.
 */
import { errorMessage, ScimError } from '../scim/error.ts'

/** A 400 in the form of the app's answers. */
export function badRequestAnswer(detail: string): Response {
  const body = JSON.stringify(errorMessage(new ScimError(400, undefined, detail)))
  return new Response(body, { status: 400, headers: { 'Content-Type': 'application/scim+json' } })
}

/**
 * Whether the path of a request target has segments `.` or `..`, literal or encoded. Node.js' URL resolves them, so
 * `/scim/v2/../../admin` would become another path than the one that a proxy has checked.
 */
export function hasDotSegments(target: string): boolean {
  return /\/(?:\.|%2e){1,2}(?:[/?#]|$)/i.test(target.split('?', 1)[0] ?? '')
}
