/**
 * The common form of protocol messages (RFC 7644 §3.4.3, §3.5.2, §3.7): a JSON object whose "schemas" contains the URN of
 * the message. Member names are case-insensitive, like attribute names (RFC 7643 §2.1).
 */
import { type Complex, isComplex } from './comparison.ts'
import { allowsMissingSchemas } from './compatibility/values.ts'
import { badRequest, kindOf, quote } from './error.ts'
import type { Profile } from './profile.ts'

/**
 * Returns the body if it is a message with that URN.
 *
 * @throws {ScimError} invalidSyntax if it is not an object or "schemas" does not contain the URN
 */
export function requireMessage(body: unknown, urn: string, profile: Profile): Complex {
  if (!isComplex(body))
    throw badRequest('invalidSyntax', `the request body must be a JSON object, found ${kindOf(body)}`)
  const schemas = member(body, 'schemas')
  if (schemas === undefined && allowsMissingSchemas(profile)) return body
  const texts = Array.isArray(schemas) ? schemas.filter((found) => typeof found === 'string') : []
  if (texts.some((found) => found.toLowerCase() === urn.toLowerCase())) return body
  const found = Array.isArray(schemas) ? quote(texts.join(', ')) : kindOf(schemas)
  throw badRequest('invalidSyntax', `"schemas" must contain "${urn}", found ${found}`)
}

/** The member with that name, regardless of case. An exact match takes precedence. */
export function member(object: Complex, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name]
  const lower = name.toLowerCase()
  // The length is compared first, because it is cheaper and a client's object may have many members.
  const found = Object.keys(object).find((key) => key.length === name.length && key.toLowerCase() === lower)
  return found === undefined ? undefined : object[found]
}
