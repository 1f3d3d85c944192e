/**
 * Schema_Discoverability_Test: every mapped attribute must be found among the attributes of /Schemas, whose tree is
 * flattened to the notation of mappings, such as `emails[type eq "work"].value`.
 *
 * Microsoft: SCIMTests_Workflow.json, Schema_Discoverability_Test.
 */
import { isObject, type JsonObject } from '../../problem.ts'
import { schemasRequest } from '../../protocol/requests.ts'
import { failed, type GalleryContext, success, type Verdict } from '../gallery-test.ts'
import { resourcesOf } from '../requests.ts'
import { type TargetAttribute, targetAttributes } from '../target-attributes.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'

export async function discoverSchemas({ job, session }: GalleryContext): Promise<Verdict> {
  const { status, body, ok } = await session.send(schemasRequest())
  if (!ok) return failed(`Action: SCIM_Get_Schemas - /Schemas endpoint returned HTTP ${status}`)
  if (status !== 200) return failed(`Action: SCIM_Get_Schemas - HTTP ${status}`)
  const schemas = resourcesOf(body)
  if (schemas.length === 0) return failed('Action: SCIM_Get_Schemas - endpoint returned no schemas')
  const users = missing(targetAttributes(job, 'User'), flattenUser(schemas))
  const groups = missing(targetAttributes(job, 'Group'), flatten(attributesOf(schemas, GROUP)))
  if (users.length === 0 && groups.length === 0) return success()
  return failed(
    'Action: Compose_Schema_Discoverability_Summary - ' +
      `Missing user attrs: ${JSON.stringify(users)} | Missing group attrs: ${JSON.stringify(groups)}`,
  )
}

/** Whether the list of schemas has that of groups, without which the validator fails every test of groups. */
export function hasGroupSchema(body: JsonObject): boolean {
  return resourcesOf(body).some(({ id }) => id === GROUP)
}

/** The core attributes, and those of every schema that is neither of users nor of groups, with its URN. */
function flattenUser(schemas: readonly JsonObject[]): readonly string[] {
  const extensions = schemas.filter(({ id }) => id !== USER && id !== GROUP)
  return [
    ...flatten(attributesOf(schemas, USER)),
    ...extensions.flatMap((schema) =>
      childrenOf(schema.attributes).map(({ name }) => `${schema.id}:${name}`),
    ),
  ]
}

/** Attributes as mappings write them: `title`, `name.givenName`, `emails[type eq "work"].value`, and so on. */
function flatten(attributes: readonly JsonObject[]): readonly string[] {
  return attributes.flatMap((attribute) => {
    const { name, type, multiValued } = attribute
    if (name === 'manager' || name === 'members') return [name]
    if (type === 'complex' && multiValued === true) return flattenList(attribute)
    if (type === 'complex')
      return childrenOf(attribute.subAttributes)
        .filter((child) => child.type !== 'complex' && child.type !== 'reference')
        .map((child) => `${name}.${child.name}`)
    return type === 'reference' ? [] : [String(name)]
  })
}

/** By each canonical value of `type`; without any, by the primary element. */
function flattenList({ name, subAttributes }: JsonObject): readonly string[] {
  const children = childrenOf(subAttributes).filter((child) => child.name !== 'primary')
  const values = childrenOf(subAttributes).find((child) => child.name === 'type')?.canonicalValues
  if (!Array.isArray(values) || values.length === 0)
    return children.map((child) => `${name}[primary eq "True"].${child.name}`)
  const others = children.filter((child) => child.name !== 'type')
  return values.flatMap((value) => others.map((child) => `${name}[type eq "${value}"].${child.name}`))
}

function missing(attributes: readonly TargetAttribute[], found: readonly string[]): readonly string[] {
  const names = new Set(found.map((name) => name.toLowerCase()))
  return attributes.map(({ name }) => name).filter((name) => name !== 'id' && !names.has(name.toLowerCase()))
}

function attributesOf(schemas: readonly JsonObject[], id: string): readonly JsonObject[] {
  return childrenOf(schemas.find((schema) => schema.id === id)?.attributes)
}

function childrenOf(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}
