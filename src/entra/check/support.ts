/** What the discovery endpoints say that the endpoint supports (RFC 7644 §4). Pure. */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import { isObject, type JsonObject, parseJson } from '../problem.ts'
import { parseTargetPath } from '../protocol/attribute-path.ts'
import type { WireResponse } from '../protocol/response.ts'

/** False only if the endpoint lists its resource types and Group is not among them. */
export function supportsGroups(resourceTypes: WireResponse | undefined): boolean {
  const listed = resourcesOf(resourceTypes)
  const endpoints = listed.map(({ endpoint, name }) => `${endpoint ?? name}`.toLowerCase())
  return endpoints.length === 0 || endpoints.some((endpoint) => /\bgroups?\b/.test(endpoint))
}

/** A user cannot be provisioned without these, or they are not in any schema. */
const ALWAYS_ASKED = new Set(['username', 'active', 'externalid', 'displayname'])

/** The mappings whose target attribute is not in the schemas that the endpoint lists; none if it lists none. */
export function unsupportedMappings(
  mappings: readonly AttributeMapping[],
  schemas: WireResponse | undefined,
): readonly AttributeMapping[] {
  const listed = resourcesOf(schemas).filter(({ attributes }) => Array.isArray(attributes))
  if (listed.length === 0) return []
  return mappings.filter(({ target, matching }) => matching === undefined && !isListed(target, listed))
}

const CORE_USER = 'urn:ietf:params:scim:schemas:core:2.0:User'

function isListed(target: string, schemas: readonly JsonObject[]): boolean {
  const { urn, attribute, subAttribute } = parseTargetPath(target)
  if (urn === undefined && ALWAYS_ASKED.has(attribute.toLowerCase())) return true
  const schema = schemas.find(({ id }) => isSameName(id, urn ?? CORE_USER))
  const definition = find(schema?.attributes, attribute)
  if (definition === undefined) return false
  const { subAttributes } = definition
  return (
    subAttribute === undefined ||
    !Array.isArray(subAttributes) ||
    find(subAttributes, subAttribute) !== undefined
  )
}

function find(attributes: unknown, name: string): JsonObject | undefined {
  const list = Array.isArray(attributes) ? attributes.filter(isObject) : []
  return list.find((attribute) => isSameName(attribute.name, name))
}

/** Names and URNs are case-insensitive: RFC 7643 §2.1. */
function isSameName(found: unknown, name: string): boolean {
  return typeof found === 'string' && found.toLowerCase() === name.toLowerCase()
}

function resourcesOf(answer: WireResponse | undefined): readonly JsonObject[] {
  if (answer?.kind !== 'answer' || answer.status !== 200) return []
  try {
    const list: unknown = parseJson(answer.text)
    const resources = isObject(list) ? list.Resources : undefined
    return Array.isArray(resources) ? resources.filter(isObject) : []
  } catch {
    return []
  }
}
