/**
 * Ids as segments of paths (RFC 3986 §3.3). The server gives resources UUIDs, but SQL can store any id, and a header cannot have
 * all characters of it.
 */

/** What most ids consist of: unreserved characters (RFC 3986 §2.3). */
const UNRESERVED = /^[\w.~-]*$/

/** The text, percent-encoded in UTF-8 where a segment requires it. */
export function pathSegment(text: string): string {
  return UNRESERVED.test(text) ? text : encodeURIComponent(text.toWellFormed())
}
