/** Compares an endpoint with what the provider believes of it: the links, values and memberships of the state. */
import type { ObjectRecord } from '../documents/state.ts'
import { escrowKey } from '../documents/state.ts'
import type { CycleContext } from '../engine/cycle-context.ts'
import { compareAttributes } from '../engine/steps/difference.ts'
import { isObject, type JsonObject } from '../problem.ts'
import { matchRequest, type ObjectType, type ScimRequest } from '../protocol/requests.ts'

/** A sentence for each difference; empty if the directory converged. */
export async function findDivergence(
  context: CycleContext,
  everLinked: ReadonlyMap<string, ObjectType>,
): Promise<string[]> {
  const { state, imported } = context
  const differences: string[] = []
  const linked = new Set<string>()
  for (const record of Object.values(state.objects)) {
    if (record.link === undefined) continue
    linked.add(record.link.targetId)
    differences.push(...(await divergenceOf(context, record)))
  }
  for (const { id, name, type, lifecycle } of imported.values()) {
    if (lifecycle !== 'active' || state.objects[id]?.link !== undefined) continue
    const reason = state.escrow[escrowKey('entry', id)]?.detail ?? 'no error was reported'
    differences.push(`${type} "${name}" was not provisioned: ${reason}`)
  }
  for (const [targetId, type] of everLinked) {
    if (!linked.has(targetId) && (await read(context, type, targetId)) !== undefined)
      differences.push(`${type} "${targetId}" still exists, although it was deleted`)
  }
  return differences
}

async function divergenceOf(context: CycleContext, record: ObjectRecord): Promise<string[]> {
  const { type, link } = record
  if (link === undefined) return []
  const who = `${type} "${link.name}"`
  const resource = await read(context, type, link.targetId)
  if (resource === undefined) return [`${who} is missing`]
  const values = compareAttributes(new Map(Object.entries(link.values)), resource).map(
    ({ path, value, oldValue }) =>
      `${who} has ${path} ${JSON.stringify(oldValue) ?? 'without a value'}, expected ${JSON.stringify(value)}`,
  )
  return [
    ...values,
    ...(await duplicates(context, type, who, resource)),
    ...members(context, who, record, resource),
  ]
}

/** An object that a lost answer created a second time has the same name. */
async function duplicates(
  { client }: CycleContext,
  type: ObjectType,
  who: string,
  resource: JsonObject,
): Promise<string[]> {
  const attribute = type === 'User' ? 'userName' : 'displayName'
  const name = resource[attribute]
  if (typeof name !== 'string') return []
  const found = await client.send('match', matchRequest(type, attribute, name))
  const count = found.ok ? found.resources.length : 0
  return count === 1 ? [] : [`${who} is found ${count} times by its ${attribute}`]
}

function members(
  { state }: CycleContext,
  who: string,
  { members: exported }: ObjectRecord,
  { members: shown }: JsonObject,
): string[] {
  if (exported === undefined) return []
  const actual = new Set(
    (Array.isArray(shown) ? shown : []).map((member) => isObject(member) && member.value),
  )
  const expected = new Map(
    exported.exported.flatMap((id) => {
      const link = state.objects[id]?.link
      return link === undefined ? [] : [[link.targetId, link.name] as const]
    }),
  )
  const missing = [...expected].filter(([targetId]) => !actual.has(targetId))
  const extra = [...actual].filter((targetId) => !expected.has(String(targetId)))
  return [
    ...missing.map(([, name]) => `${who} lacks the member "${name}"`),
    ...extra.map((targetId) => `${who} has the member "${targetId}", which was not added or was removed`),
  ]
}

async function read(
  { client }: CycleContext,
  type: ObjectType,
  targetId: string,
): Promise<JsonObject | undefined> {
  const request: ScimRequest = { method: 'GET', path: `/${type}s/${encodeURIComponent(targetId)}` }
  const outcome = await client.send('read', request)
  return outcome.ok ? outcome.resource : undefined
}
