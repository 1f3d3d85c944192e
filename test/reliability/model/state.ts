/**
 * The model: a directory, with the expected response and effect of each request. It is small enough to be verified by
 * reading, and shares no code with the server.
 */
import { type Action, type GroupOp, NAMES, type UserBody, type UserOp } from './commands.ts'

export interface ModelUser {
  readonly userName: string
  readonly title: string | undefined
  readonly active: boolean
  readonly version: number
}

export interface ModelGroup {
  readonly displayName: string
  readonly members: ReadonlySet<string>
  readonly version: number
}

/** An immutable directory: each write creates a new one. */
export interface World {
  readonly groupLimit: number
  readonly users: ReadonlyMap<string, ModelUser>
  readonly groups: ReadonlyMap<string, ModelGroup>
}

/** A request as sent: with ids, and with If-Match as text. */
export type SentAction = Action<string, string | undefined>

/** The expected response. `view` is the expected content of the body as text, or undefined if it is not compared. */
export interface Expected {
  readonly status: number
  readonly scimType?: string
  readonly version?: number
  readonly view?: string
}

export interface Outcome {
  readonly expected: Expected
  readonly world: World
}

/** @param newId the id in the response to a creation */
export function step(world: World, action: SentAction, newId: string): Outcome {
  switch (action.do) {
    case 'create user':
      return createUser(world, action.body, newId)
    case 'put user':
      return changeUser(world, action.at, action.match, (before) => ({
        ...before,
        userName: nameAt(action.body.name),
        title: action.body.title,
        active: action.body.active ?? before.active,
      }))
    case 'patch user':
      if (disables(action.ops)) return disableUser(world, action.at, action.match, action.ops)
      if (action.ops.some((op) => op.set === 'unknown path')) return refused(world, 400, 'invalidPath')
      return changeUser(world, action.at, action.match, (before) => patchedUser(before, action.ops))
    case 'delete user':
    case 'delete group':
      return remove(world, action.do === 'delete user' ? 'users' : 'groups', action.at, action.match)
    case 'create group':
      return createGroup(world, action.name, action.members, newId)
    case 'put group':
      return changeGroup(world, action.at, action.match, true, (before) => ({
        ...before,
        displayName: nameAt(action.name),
        members: new Set(action.members),
      }))
    case 'patch group':
      if (action.ops.some((op) => op.set === 'unknown path')) return refused(world, 400, 'invalidPath')
      return changeGroup(world, action.at, action.match, action.reads, (before) =>
        patchedGroup(before, action.ops),
      )
    default:
      return { expected: read(world, action), world }
  }
}

/** Requests that change something or try to. */
export function isWrite(action: { readonly do: string }): boolean {
  return /^(?:create|put|patch|delete)/.test(action.do)
}

export function keyOf(name: string): string {
  return NAMES.find(({ text }) => text === name)?.key ?? name
}

function nameAt(index: number): string {
  return NAMES[index]?.text ?? ''
}

function refused(world: World, status: number, scimType?: string): Outcome {
  return { expected: { status, ...(scimType === undefined ? {} : { scimType }) }, world }
}

function createUser(world: World, { name, title, active = true }: UserBody, id: string): Outcome {
  const userName = nameAt(name)
  if (isTaken(world, 'users', userName, id)) return refused(world, 409, 'uniqueness')
  const user = { userName, title, active, version: 1 }
  const after = { ...world, users: new Map(world.users).set(id, user) }
  return { expected: { status: 201, version: 1, view: viewOfUser(user) }, world: after }
}

function changeUser(
  world: World,
  id: string,
  match: string | undefined,
  change: (before: ModelUser) => ModelUser | 'mutability',
): Outcome {
  const before = world.users.get(id)
  if (before === undefined) return refused(world, 404)
  if (!isMatched(match, before.version)) return refused(world, 412)
  const changed = change(before)
  if (changed === 'mutability') return refused(world, 400, 'mutability')
  if (isTaken(world, 'users', changed.userName, id)) return refused(world, 409, 'uniqueness')
  const isSame = viewOfUser(changed) === viewOfUser(before)
  const user = { ...changed, version: before.version + (isSame ? 0 : 1) }
  return {
    expected: { status: 200, version: user.version, view: viewOfUser(user) },
    world: { ...world, users: new Map(world.users).set(id, user) },
  }
}

/** Invalid operations are ignored, and so are all names if the last one is taken. */
function disableUser(world: World, id: string, match: string | undefined, ops: readonly UserOp[]): Outcome {
  const possible = ops.filter((op) => op.set !== 'unknown path' && op.set !== 'remove userName')
  const outcome = changeUser(world, id, match, (before) => patchedUser(before, possible))
  if (outcome.expected.status !== 409) return outcome
  const others = possible.filter((op) => op.set !== 'userName')
  return changeUser(world, id, match, (before) => patchedUser(before, others))
}

/** A PATCH whose last value of "active" is false: a leaver. */
function disables(ops: readonly UserOp[]): boolean {
  const last = ops.findLast((op) => op.set === 'active')
  return last !== undefined && String(last.value).toLowerCase() === 'false'
}

function patchedUser(before: ModelUser, ops: readonly UserOp[]): ModelUser | 'mutability' {
  let user = before
  for (const op of ops) {
    if (op.set === 'remove userName') return 'mutability'
    if (op.set === 'title') user = { ...user, title: op.value }
    if (op.set === 'remove title') user = { ...user, title: undefined }
    if (op.set === 'active') user = { ...user, active: String(op.value).toLowerCase() === 'true' }
    if (op.set === 'userName') user = { ...user, userName: nameAt(op.value) }
  }
  return user
}

function createGroup(world: World, name: number, memberIds: readonly string[], id: string): Outcome {
  const displayName = nameAt(name)
  if (isTaken(world, 'groups', displayName, id)) return refused(world, 409, 'uniqueness')
  if (world.groups.size >= world.groupLimit) return refused(world, 400)
  const members = new Set(memberIds)
  if (![...members].every((member) => exists(world, member))) return refused(world, 400, 'invalidValue')
  const group = { displayName, members, version: 1 }
  const after = { ...world, groups: new Map(world.groups).set(id, group) }
  return { expected: { status: 201, version: 1, view: viewOfWritten(group) }, world: after }
}

function changeGroup(
  world: World,
  id: string,
  match: string | undefined,
  reads: boolean,
  change: (before: ModelGroup) => ModelGroup,
): Outcome {
  const before = world.groups.get(id)
  if (before === undefined) return refused(world, 404)
  if (!isMatched(match, before.version)) return refused(world, 412)
  const changed = change(before)
  if (isTaken(world, 'groups', changed.displayName, id)) return refused(world, 409, 'uniqueness')
  const added = [...changed.members].filter((member) => !before.members.has(member))
  if (!added.every((member) => exists(world, member))) return refused(world, 400, 'invalidValue')
  const isSame =
    changed.displayName === before.displayName &&
    added.length === 0 &&
    changed.members.size === before.members.size
  const group = { ...changed, version: before.version + (isSame ? 0 : 1) }
  return {
    expected: {
      status: reads ? 200 : 204,
      version: group.version,
      ...(reads ? { view: viewOfWritten(group) } : {}),
    },
    world: { ...world, groups: new Map(world.groups).set(id, group) },
  }
}

function patchedGroup(before: ModelGroup, ops: readonly GroupOp<string>[]): ModelGroup {
  let { displayName, members } = before
  for (const op of ops) {
    if (op.set === 'displayName') displayName = nameAt(op.value)
    else if (op.set === 'add') members = new Set([...members, ...op.members])
    // Replacing with an empty list removes all members; adding or removing an empty list changes nothing.
    else if (op.set === 'replace') members = new Set(op.members)
    else if (op.set === 'remove') members = without(members, op.members)
    else if (op.set === 'remove one') members = without(members, [op.member])
    else if (op.set === 'clear') members = new Set()
  }
  return { displayName, members, version: before.version }
}

function without(members: ReadonlySet<string>, unwanted: readonly string[]): ReadonlySet<string> {
  return new Set([...members].filter((member) => !unwanted.includes(member)))
}

/** Its former groups lose a member, so their version increases. */
function remove(world: World, kind: 'users' | 'groups', id: string, match: string | undefined): Outcome {
  const found = world[kind].get(id)
  if (found === undefined) return refused(world, 404)
  if (!isMatched(match, found.version)) return refused(world, 412)
  const groups = new Map(
    [...world.groups].map(([groupId, group]) => [
      groupId,
      group.members.has(id)
        ? { ...group, members: without(group.members, [id]), version: group.version + 1 }
        : group,
    ]),
  )
  const users = new Map(world.users)
  if (kind === 'users') users.delete(id)
  else groups.delete(id)
  return { expected: { status: 204 }, world: { ...world, users, groups } }
}

function isTaken(world: World, kind: 'users' | 'groups', name: string, id: string): boolean {
  const names: readonly (readonly [string, string])[] =
    kind === 'users'
      ? [...world.users].map(([other, { userName }]) => [other, userName])
      : [...world.groups].map(([other, { displayName }]) => [other, displayName])
  return names.some(([other, taken]) => other !== id && keyOf(taken) === keyOf(name))
}

function exists(world: World, id: string): boolean {
  return world.users.has(id) || world.groups.has(id)
}

function isMatched(match: string | undefined, version: number): boolean {
  return match === undefined || match === '*' || match === `W/"${version}"`
}

function read(world: World, action: SentAction): Expected {
  switch (action.do) {
    case 'get user': {
      const user = world.users.get(action.at)
      if (user === undefined) return { status: 404 }
      return {
        status: 200,
        version: user.version,
        view: `${viewOfUser(user)} in ${groupsOf(world, action.at)}`,
      }
    }
    case 'get group': {
      const group = world.groups.get(action.at)
      if (group === undefined) return { status: 404 }
      const names = [...group.members].map((id) => nameOf(world, id)).sort()
      return { status: 200, version: group.version, view: `${viewOfWritten(group)}: ${names.join(', ')}` }
    }
    case 'find user':
      return found(
        [...world.users.values()].map(({ userName }) => userName),
        nameAt(action.name),
      )
    case 'find group':
      return found(
        [...world.groups.values()].map(({ displayName }) => displayName),
        nameAt(action.name),
      )
    case 'count groups':
      return { status: 200, view: String(world.groups.size) }
    default:
      return { status: 200, view: String(world.users.size) }
  }
}

function found(names: readonly string[], wanted: string): Expected {
  return { status: 200, view: names.filter((name) => keyOf(name) === keyOf(wanted)).join(', ') }
}

/** A user and a group may have the same name. */
function nameOf(world: World, id: string): string {
  const user = world.users.get(id)
  if (user !== undefined) return `User ${user.userName}`
  const group = world.groups.get(id)
  return group === undefined ? `? ${id}` : `Group ${group.displayName}`
}

/** The direct groups of a member, and the groups that contain these groups. */
function groupsOf(world: World, id: string): string {
  const holders = (member: string) => [...world.groups].filter(([, { members }]) => members.has(member))
  const direct = new Set(holders(id).map(([groupId]) => groupId))
  const all = new Set(direct)
  for (const at of all) for (const [groupId] of holders(at)) all.add(groupId)
  return [...all]
    .map((groupId) => `${nameOf(world, groupId)} ${direct.has(groupId) ? 'direct' : 'indirect'}`)
    .sort()
    .join(', ')
}

export function viewOfUser({ userName, title, active }: Omit<ModelUser, 'version'>): string {
  return JSON.stringify([userName, title ?? null, active])
}

/**
 * The content of a group in the response to a write. The names of its members may have changed since they were read.
 */
function viewOfWritten({ displayName, members }: ModelGroup): string {
  return JSON.stringify([displayName, members.size])
}

/** Equal for equal directories. Resources are identified by name, because an id may be unknown. */
export function describeWorld(world: World): string {
  const users = [...world.users.values()].map((user) => `user ${viewOfUser(user)} version ${user.version}`)
  const groups = [...world.groups.values()].map(({ displayName, members, version }) => {
    const names = [...members].map((id) => nameOf(world, id)).sort()
    return `group ${displayName} version ${version}: ${names.join(', ')}`
  })
  return [...users.sort(), ...groups.sort()].join('\n')
}
