/**
 * Parses the path of a PATCH operation (RFC 7644 §3.5.2): an attribute path, or a value path that selects elements of a
 * multi-valued attribute.
 *
 *   emails[type eq "work"].value
 *   ^ attribute             ^ subAttribute
 *         ^ filter
 */
import { type AttributePath, resolveAttributePath, target } from './attribute-path.ts'
import { trimmedPath } from './compatibility/lists.ts'
import { badRequest, quote, ScimError, shorten } from './error.ts'
import type { Filter } from './filter/ast.ts'
import { parseValuePath } from './filter/parser.ts'
import { resolveValueFilter } from './filter/resolve.ts'
import type { Reading } from './reading.ts'
import type { Attribute } from './schema/definition.ts'
import { findAttribute } from './schema/lookup.ts'

/** A resolved path. If it has a `filter`, `path` ends at the multi-valued attribute whose elements the filter selects. */
export interface PatchPath {
  /** The path as the client wrote it, shortened, for error messages. */
  readonly text: string
  readonly path: AttributePath
  readonly filter?: Filter
  readonly subAttribute?: Attribute
}

/**
 * Resolves the path of a PATCH operation.
 *
 * @throws {ScimError} invalidPath if the text is not a path or names an unknown attribute; invalidFilter if the text in
 *   the brackets is not a valid filter
 */
export function parsePath(text: string, reading: Reading): PatchPath {
  const { type, profile } = reading
  if (text.includes('[')) return parseSelection(text, reading)
  const path = resolveAttributePath(trimmedPath(text, profile), type)
  if (path === undefined) throw badRequest('invalidPath', `${type.name} has no attribute ${quote(text)}`)
  return { text: shorten(text), path }
}

function parseSelection(text: string, reading: Reading): PatchPath {
  const { type, work } = reading
  try {
    const { name, operand, subAttribute } = parseValuePath(text, reading)
    const path = resolveAttributePath(name, type)
    if (path === undefined) throw badRequest('invalidPath', `${type.name} has no attribute ${quote(name)}`)
    const attribute = target(path)
    if (!attribute.multiValued || attribute.subAttributes === undefined) {
      throw badRequest('invalidPath', `"[…]" requires a multi-valued complex attribute, found ${quote(name)}`)
    }
    const selection = {
      text: shorten(text),
      path,
      filter: resolveValueFilter(operand, attribute, reading),
    }
    if (subAttribute === undefined) return selection
    return { ...selection, subAttribute: requireSubAttribute(attribute, subAttribute) }
  } catch (error) {
    if (!(error instanceof ScimError) || work.isExhausted) throw error
    throw new ScimError(error.status, error.scimType, `path ${quote(text)}: ${error.detail}`)
  }
}

function requireSubAttribute(attribute: Attribute, name: string): Attribute {
  const subAttribute = findAttribute(attribute.subAttributes, name)
  if (subAttribute === undefined) {
    throw badRequest('invalidPath', `"${attribute.name}" has no sub-attribute ${quote(name)}`)
  }
  return subAttribute
}
