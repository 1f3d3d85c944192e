/**
 * Refusals before the app: of what no route could be found for without doubt.
 */
import { errorMessage, ScimError } from '../scim/error.ts'

/** 400 as the app would answer it. */
export function badRequestAnswer(detail: string): Response {
  const body = JSON.stringify(errorMessage(new ScimError(400, undefined, detail)))
  return new Response(body, { status: 400, headers: { 'Content-Type': 'application/scim+json' } })
}

/**
 * Whether the path of a request target has segments `.` or `..`, written as they are or encoded. Node.js' URL resolves
 * them: `/scim/v2/../../admin` would be another path than the one that a proxy in front has checked.
 */
export function hasDotSegments(target: string): boolean {
  return /\/(?:\.|%2e){1,2}(?:[/?#]|$)/i.test(target.split('?', 1)[0] ?? '')
}
