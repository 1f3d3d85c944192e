/**
 * Random writes of three clients, then the undo of one of them over an interval. The model keeps for each attribute, each
 * membership and each resource what it is, and what it would be without the latest changes of that client. In the mode "owner",
 * each client changes only what it has created.
 */
import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admin, Client, newClient } from '../support/harness.ts'
import { clientIdOf } from '../support/sources.ts'
import { anotherClient, undone } from '../support/undo.ts'

/** What something is, and what it is after the undo. */
interface Key<Value> {
  value: Value
  base: Value
}

interface Resource {
  readonly id: string
  /** The number of the client that created it. */
  readonly owner: number
  readonly exists: Key<boolean>
  readonly attributes: Record<string, Key<unknown>>
}

interface World {
  readonly users: Resource[]
  readonly groups: Resource[]
  /** By the positions of a group and a user. */
  readonly members: Map<string, Key<boolean>>
}

type Kind =
  | 'title'
  | 'nickName'
  | 'active'
  | 'rename'
  | 'add'
  | 'remove'
  | 'delete user'
  | 'delete group'
  | 'create'
const KINDS: readonly Kind[] = [
  'title',
  'nickName',
  'active',
  'rename',
  'add',
  'remove',
  'delete user',
  'delete group',
  'create',
]

const OPERATION = fc.record({
  by: fc.nat(2),
  kind: fc.constantFrom(...KINDS),
  user: fc.nat(5),
  group: fc.nat(1),
})
type Operation = typeof OPERATION extends fc.Arbitrary<infer Type> ? Type : never

const fresh = <Value>(value: Value): Key<Value> => ({ value, base: value })

function set<Value>(key: Key<Value>, value: Value, isTarget: boolean): void {
  key.value = value
  if (!isTarget) key.base = value
}

const member = ({ members }: World, group: number, user: number): Key<boolean> => {
  const name = `${group} ${user}`
  const key = members.get(name) ?? fresh(false)
  members.set(name, key)
  return key
}

/** Whoever else changes something of a resource has used it, so it is not deleted any more. */
const touch = ({ exists }: Resource, isTarget: boolean) => set(exists, exists.value, isTarget)

/** Whether the mode "owner" refuses an operation. */
function isRefused(world: World, { kind, user: u, group: g, by }: Operation): boolean {
  const [user, group] = [world.users[u], world.groups[g]]
  if (kind === 'create') return false
  if (kind === 'rename' || kind === 'delete group') return group?.exists.value === true && group.owner !== by
  if (user?.exists.value !== true) return false
  if (kind === 'add' || kind === 'remove') return group?.exists.value === true && group.owner !== by
  return user.owner !== by
}

/** Applies an operation to the model. @returns false if it would change nothing: then it is not sent */
function apply(world: World, operation: Operation, number: number, isTarget: boolean): boolean {
  const { kind, user: u, group: g } = operation
  const [user, group] = [world.users[u], world.groups[g]]
  if (kind === 'create') return world.users.length < 6
  if (kind === 'rename' || kind === 'delete group') {
    if (group === undefined || !group.exists.value) return false
    if (kind === 'rename') {
      set(group.attributes.displayName as Key<unknown>, `Group ${number}`, isTarget)
      touch(group, isTarget)
      return true
    }
    set(group.exists, false, isTarget)
    for (const [name, key] of world.members) if (name.startsWith(`${g} `)) set(key, false, isTarget)
    return true
  }
  if (user === undefined || !user.exists.value) return false
  if (kind === 'delete user') {
    set(user.exists, false, isTarget)
    world.groups.forEach((one, i) => {
      const key = member(world, i, u)
      // The group of a member that leaves is changed by whoever deletes the member.
      if (key.value && one.exists.value) touch(one, isTarget)
      if (key.value || !isTarget) set(key, false, isTarget)
    })
    return true
  }
  if (kind === 'add' || kind === 'remove') {
    const key = member(world, g, u)
    if (group === undefined || !group.exists.value || key.value === (kind === 'add')) return false
    set(key, kind === 'add', isTarget)
    touch(group, isTarget)
    return true
  }
  const key = user.attributes[kind] as Key<unknown>
  set(key, kind === 'active' ? !key.value : `${kind} ${number}`, isTarget)
  touch(user, isTarget)
  return true
}

async function send(client: Client, world: World, operation: Operation, isTarget: boolean) {
  const { kind, user: u, group: g, by } = operation
  const [user, group] = [world.users[u], world.groups[g]]
  const patch = (path: string, op: string, attribute: string, value?: unknown) =>
    client.patch(path, { op, path: attribute, ...(value === undefined ? {} : { value }) })
  switch (kind) {
    case 'create': {
      const { id } = await client.createUser({ title: 'New', nickName: 'New' })
      const attributes = { title: fresh('New'), nickName: fresh('New'), active: fresh<unknown>(true) }
      world.users.push({ id, owner: by, exists: { value: true, base: !isTarget }, attributes })
      return undefined
    }
    case 'rename':
      return await patch(
        `/Groups/${group?.id}`,
        'replace',
        'displayName',
        group?.attributes.displayName?.value,
      )
    case 'add':
      return await patch(`/Groups/${group?.id}`, 'add', 'members', [{ value: user?.id }])
    case 'remove':
      return await patch(`/Groups/${group?.id}`, 'remove', `members[value eq "${user?.id}"]`)
    case 'delete user':
      return await client.request('DELETE', `/Users/${user?.id}`)
    case 'delete group':
      return await client.request('DELETE', `/Groups/${group?.id}`)
    default:
      return await patch(`/Users/${user?.id}`, 'replace', kind, user?.attributes[kind]?.value)
  }
}

/** The directory that the model expects. */
function expected(world: World) {
  const isUser = world.users.map(({ exists }, u) => {
    // A user that others have added to a group stays.
    const isUsed = world.groups.some((group, g) => group.exists.base && member(world, g, u).base)
    return exists.base || (exists.value && isUsed)
  })
  const users = world.users.flatMap(({ id, attributes }, u) =>
    isUser[u]
      ? [{ id, ...Object.fromEntries(Object.entries(attributes).map(([name, { base }]) => [name, base])) }]
      : [],
  )
  const groups = world.groups.flatMap(({ id, exists, attributes }, g) => {
    if (!exists.base) return []
    const members = world.users.filter((_, u) => isUser[u] && member(world, g, u).base).map((user) => user.id)
    return [{ id, displayName: attributes.displayName?.base, members: members.sort() }]
  })
  return { users, groups }
}

async function found(client: Client) {
  const users = (await client.get('/Users?count=100')).body.Resources ?? []
  const groups = (await client.get('/Groups?count=100')).body.Resources ?? []
  type Listed = Readonly<Record<string, unknown>> & { readonly members?: readonly { value: string }[] }
  return {
    users: users.map(({ id, title, nickName, active }: Listed) => ({ id, title, nickName, active })),
    groups: groups.map(({ id, displayName, members = [] }: Listed) => ({
      id,
      displayName,
      members: members.map(({ value }) => value).sort(),
    })),
  }
}

const byId = <Item extends { id: unknown }>(items: readonly Item[]) =>
  items.toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1))

const head = async (tenantId: string) =>
  Number(
    await env.DB.prepare('SELECT max(seq) AS n FROM events WHERE tenant_id = ?').bind(tenantId).first('n'),
  )

async function round(
  operations: readonly Operation[],
  [from, to]: readonly [number, number],
  mode: 'observe' | 'owner',
): Promise<void> {
  const first = await newClient()
  const others = [await anotherClient(first, 'b'), await anotherClient(first, 'c')] as const
  const clients = [first, ...others.map(({ token }) => new Client(first.tenantId, token))]
  const world: World = { users: [], groups: [], members: new Map() }
  await admin('PATCH', `/tenants/${first.tenantId}`, { sourceMode: mode })
  for (const [owner, client] of clients.entries()) {
    const { id } = await client.createUser({ title: 'T', nickName: 'N' })
    const attributes = { title: fresh('T'), nickName: fresh('N'), active: fresh<unknown>(true) }
    world.users.push({ id, owner, exists: fresh(true), attributes })
  }
  for (let g = 0; g < 2; g++) {
    const members = [world.users[g], world.users[2]].map((user) => ({ value: user?.id }))
    const owner = 2 * g
    const { id, displayName } = await (clients[owner] ?? first).createGroup({ members })
    world.groups.push({ id, owner, exists: fresh(true), attributes: { displayName: fresh(displayName) } })
    for (const u of [g, 2]) member(world, g, u).value = member(world, g, u).base = true
  }
  // The third client is undone.
  const bounds = { first: Number.MAX_SAFE_INTEGER, last: 0 }
  for (const [number, operation] of operations.entries()) {
    const isIn = number >= from && number <= to
    const isTarget = operation.by === 2 && isIn
    if (mode === 'owner' && isRefused(world, operation)) {
      const answer = await send(clients[operation.by] ?? first, world, operation, isTarget)
      expect(answer?.status, JSON.stringify(operation)).toBe(409)
      continue
    }
    const before = await head(first.tenantId)
    if (!apply(world, operation, number, isTarget)) continue
    const answer = await send(clients[operation.by] ?? first, world, operation, isTarget)
    if (answer !== undefined && answer.status >= 300)
      throw new Error(JSON.stringify([operation, answer.body]))
    if (!isIn) continue
    bounds.first = Math.min(bounds.first, before + 1)
    bounds.last = await head(first.tenantId)
  }
  await env.DB.prepare('UPDATE events SET time = ?2 + seq * 1000 WHERE tenant_id = ?1')
    .bind(first.tenantId, LATER)
    .run()
  const at = (seq: number) => new Date(LATER + seq * 1000).toISOString()
  const target = others[1].id
  const count = env.DB.prepare(
    'SELECT count(*) AS n FROM events WHERE tenant_id = ? AND client_id = ? AND seq BETWEEN ? AND ?',
  )
  if (!(await count.bind(first.tenantId, target, bounds.first, bounds.last).first('n'))) return
  const { job } = await undone(first, { clientId: target, from: at(bounds.first), to: at(bounds.last) })
  expect(job).toMatchObject({ state: 'done', error: null })
  const [is, shall] = [await found(first), expected(world)]
  expect(byId(is.users)).toEqual(byId(shall.users))
  expect(byId(is.groups)).toEqual(byId(shall.groups))
  await expectOwners(first, world, [await clientIdOf(first), others[0].id, others[1].id])
}

/** What was restored belongs to whoever created it. */
async function expectOwners({ tenantId }: Client, world: World, clients: readonly string[]): Promise<void> {
  const { results } = await env.DB.prepare(
    `SELECT id, created_by AS client FROM users WHERE tenant_id = ?1
     UNION ALL SELECT id, created_by FROM groups WHERE tenant_id = ?1`,
  )
    .bind(tenantId)
    .all<{ id: string; client: string }>()
  const owners = new Map([...world.users, ...world.groups].map(({ id, owner }) => [id, clients[owner]]))
  for (const { id, client } of results) expect(client).toBe(owners.get(id))
}

const ROUNDS = 25
/** So late that the events are not pruned. */
const LATER = Date.UTC(2090)

describe('the undo of one of three clients', () => {
  it.for(['observe', 'owner'] as const)(
    'equals a directory without its writes, except where others wrote since, in the mode "%s"',
    {
      timeout: 600_000,
    },
    async (mode) => {
      const interval = fc.tuple(fc.nat(8), fc.nat(30))
      const property = fc.asyncProperty(
        fc.array(OPERATION, { minLength: 8, maxLength: 30 }),
        interval,
        (operations, [from, to]) => round(operations, [from, Math.max(from, to)], mode),
      )
      await fc.assert(property, { numRuns: ROUNDS, seed: 20261127 })
    },
  )
})
