/**
 * What the messages of the protocol have in common (RFC 7644 §3.4.3, §3.5.2, §3.7): an object, a URN in
 * "schemas", and member names that compare without regard to case, as attribute names do (RFC 7643 §2.1).
 */
import { type Complex, isComplex } from './comparison.ts'
import { allowsMissingSchemas } from './compatibility/values.ts'
import { badRequest, kindOf, quote } from './error.ts'
import type { Profile } from './profile.ts'

/**
 * The body as a message of a kind.
 *
 * @throws {ScimError} invalidSyntax when it is not an object, or does not name that kind
 */
export function requireMessage(body: unknown, urn: string, profile: Profile): Complex {
  if (!isComplex(body))
    throw badRequest('invalidSyntax', `the body must be a JSON object, found ${kindOf(body)}`)
  const schemas = member(body, 'schemas')
  if (schemas === undefined && allowsMissingSchemas(profile)) return body
  const texts = Array.isArray(schemas) ? schemas.filter((found) => typeof found === 'string') : []
  if (texts.some((found) => found.toLowerCase() === urn.toLowerCase())) return body
  const found = Array.isArray(schemas) ? quote(texts.join(', ')) : kindOf(schemas)
  throw badRequest('invalidSyntax', `"schemas" must hold "${urn}", found ${found}`)
}

/** The member of that name, whatever its case; the one in our spelling where there are several. */
export function member(object: Complex, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name]
  const lower = name.toLowerCase()
  // The length first: an object can have 100,000 members, and each is asked for by several names.
  const found = Object.keys(object).find((key) => key.length === name.length && key.toLowerCase() === lower)
  return found === undefined ? undefined : object[found]
}
