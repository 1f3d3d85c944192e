/**
 * How deep a body is nested. Functions that walk through a value call themselves once for each level, and a runtime
 * throws after some thousands of calls: in the middle of a bulk request, or on the way to the group writer.
 */
import { badRequest } from './error.ts'
import { MAX_BODY_DEPTH } from './limits.ts'

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/**
 * Checks JSON text before it is parsed. Reads it once. Text that is not JSON is left to the parser.
 *
 * @throws {ScimError} invalidSyntax when arrays and objects stand in each other on more levels than MAX_BODY_DEPTH
 */
export function requireDepth(json: string): void {
  let depth = 0
  let isText = false
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i)
    if (isText) {
      if (code === BACKSLASH) i++
      else if (code === QUOTE) isText = false
    } else if (code === QUOTE) isText = true
    else if (CLOSING.has(code)) depth--
    else if (OPENING.has(code) && ++depth > MAX_BODY_DEPTH) {
      throw badRequest('invalidSyntax', `the body is nested deeper than ${MAX_BODY_DEPTH} levels, the limit`)
    }
  }
}
