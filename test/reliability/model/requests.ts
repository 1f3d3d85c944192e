/**
 * Converts commands to HTTP requests, and responses to observations of the model.
 */
import { GROUP, PATCH_OP, USER } from '../../support/harness.ts'
import { type Action, type GroupOp, NAMES, type Ref, type UserBody, type UserOp } from './commands.ts'
import type { Expected, SentAction } from './state.ts'
import { viewOfUser } from './state.ts'

/** An id that never existed. */
export const NOBODY = '01900000-0000-7000-8000-000000000000'

/** A request relative to the Tenant URL. */
export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: object | undefined
  readonly ifMatch?: string | undefined
}

/** The response. With status 503, it is unknown whether the request succeeded. */
export interface Observed extends Expected {
  readonly id?: string | undefined
  readonly etag?: string | undefined
  readonly retryAfter?: string | undefined
}

/** The knowledge of a client: the id and the last received version of each slot. */
export interface Slots {
  idOf(ref: Ref): string
  etagOf(ref: Ref): string | undefined
}

/** Replaces slots by ids, and If-Match choices by entity tags. */
export function resolve(action: Action, slots: Slots): SentAction {
  const ids = (refs: readonly Ref[]) => refs.map((ref) => slots.idOf(ref))
  const resolved: Record<string, unknown> = { ...action }
  if ('at' in action) resolved.at = slots.idOf(action.at)
  if ('members' in action) resolved.members = ids(action.members)
  if ('match' in action) resolved.match = matchText(action.match, slots.etagOf(action.at))
  if (action.do === 'patch group') resolved.ops = action.ops.map((op) => resolveOp(op, slots))
  return resolved as unknown as SentAction
}

function resolveOp(op: GroupOp<Ref>, slots: Slots): GroupOp<string> {
  if ('members' in op) return { set: op.set, members: op.members.map((ref) => slots.idOf(ref)) }
  if ('member' in op) return { set: op.set, member: slots.idOf(op.member) }
  return op
}

function matchText(
  match: 'none' | 'current' | 'wrong' | 'any',
  etag: string | undefined,
): string | undefined {
  if (match === 'wrong') return 'W/"999"'
  if (match === 'any') return '*'
  return match === 'none' ? undefined : etag
}

export function requestOf(action: SentAction): Sent {
  switch (action.do) {
    case 'create user':
      return { method: 'POST', path: '/Users', body: userBody(action.body) }
    case 'put user':
      return {
        method: 'PUT',
        path: `/Users/${action.at}`,
        body: userBody(action.body),
        ifMatch: action.match,
      }
    case 'patch user':
      return patch(`/Users/${action.at}`, action.ops.map(userOperation), action.match)
    case 'create group':
      return { method: 'POST', path: '/Groups', body: groupBody(action.name, action.members) }
    case 'put group': {
      const body = groupBody(action.name, action.members)
      return { method: 'PUT', path: `/Groups/${action.at}`, body, ifMatch: action.match }
    }
    case 'patch group': {
      const query = action.reads ? '?attributes=displayName,members' : ''
      return patch(`/Groups/${action.at}${query}`, action.ops.map(groupOperation), action.match)
    }
    case 'delete user':
      return { method: 'DELETE', path: `/Users/${action.at}`, ifMatch: action.match }
    case 'delete group':
      return { method: 'DELETE', path: `/Groups/${action.at}`, ifMatch: action.match }
    case 'get user':
      return { method: 'GET', path: `/Users/${action.at}` }
    case 'get group':
      return { method: 'GET', path: `/Groups/${action.at}` }
    case 'find user':
      return { method: 'GET', path: `/Users?filter=${filter('userName', action.name)}` }
    case 'find group':
      return { method: 'GET', path: `/Groups?filter=${filter('displayName', action.name)}` }
    case 'count users':
      return { method: 'GET', path: '/Users?count=0' }
    case 'count groups':
      return { method: 'GET', path: '/Groups?count=0' }
  }
}

function filter(attribute: string, name: number): string {
  return encodeURIComponent(`${attribute} eq ${JSON.stringify(textOf(name))}`)
}

function textOf(name: number): string {
  return NAMES[name]?.text ?? ''
}

function userBody({ name, title, active }: UserBody): object {
  return { schemas: [USER], userName: textOf(name), title, active }
}

function groupBody(name: number, members: readonly string[]): object {
  return { schemas: [GROUP], displayName: textOf(name), members: members.map((value) => ({ value })) }
}

function patch(path: string, Operations: readonly object[], ifMatch: string | undefined): Sent {
  return { method: 'PATCH', path, body: { schemas: [PATCH_OP], Operations }, ifMatch }
}

function userOperation(op: UserOp): object {
  if (!('value' in op)) {
    if (op.set === 'unknown path') return { op: 'replace', path: 'nonsense', value: 'x' }
    return { op: 'remove', path: op.set.replace('remove ', '') }
  }
  if (op.set === 'userName') return { op: 'replace', path: 'userName', value: textOf(op.value) }
  return { op: 'replace', path: op.set, value: op.value }
}

function groupOperation(op: GroupOp<string>): object {
  if ('members' in op) return { op: op.set, path: 'members', value: op.members.map((value) => ({ value })) }
  if ('member' in op) return { op: 'remove', path: `members[value eq "${op.member}"]` }
  if ('value' in op) return { op: 'replace', path: 'displayName', value: textOf(op.value) }
  if (op.set === 'unknown path') return { op: 'add', path: 'nonsense', value: 'x' }
  return { op: 'remove', path: 'members' }
}

/** Converts a response to the observation that the model predicts. */
export async function observe(action: SentAction, response: Response): Promise<Observed> {
  const text = await response.text()
  const body = text === '' ? undefined : (JSON.parse(text) as Body)
  const etag = response.headers.get('ETag') ?? undefined
  const version = /^W\/"(\d+)"$/.exec(etag ?? '')?.[1]
  return {
    status: response.status,
    ...(body?.scimType === undefined ? {} : { scimType: body.scimType }),
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(response.ok && body !== undefined ? { view: viewOf(action, body) } : {}),
    id: body?.id,
    etag,
    retryAfter: response.headers.get('Retry-After') ?? undefined,
  }
}

/** The compared parts of all bodies. */
interface Body {
  readonly id?: string
  readonly scimType?: string
  readonly totalResults?: number
  readonly Resources?: readonly Body[]
  readonly userName?: string
  readonly displayName?: string
  readonly title?: string
  readonly active?: boolean
  readonly members?: readonly { readonly type: string; readonly display: string }[]
  readonly groups?: readonly { readonly type: string; readonly display: string }[]
}

function viewOf(action: SentAction, body: Body): string {
  if (action.do.startsWith('find'))
    return (body.Resources ?? []).map(({ userName, displayName }) => userName ?? displayName).join(', ')
  if (action.do.startsWith('count')) return String(body.totalResults)
  if (action.do.endsWith('user')) {
    const { userName = '', title, active = false, groups = [] } = body
    const user = viewOfUser({ userName, title, active })
    const names = groups.map(({ display, type }) => `Group ${display} ${type}`).sort()
    return action.do === 'get user' ? `${user} in ${names.join(', ')}` : user
  }
  const { displayName, members = [] } = body
  const group = JSON.stringify([displayName, members.length])
  const names = members.map(({ type, display }) => `${type} ${display}`).sort()
  return action.do === 'get group' ? `${group}: ${names.join(', ')}` : group
}
