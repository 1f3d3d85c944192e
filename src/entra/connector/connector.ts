/**
 * An on-premises Active Directory connector: a second source beside Microsoft Entra. It knows only what it writes itself,
 * finds its objects by their objectGUID, and makes them equal to Active Directory in each cycle.
 */
import type { Directory } from '../documents/directory.ts'
import type { JsonObject } from '../problem.ts'
import type { ScimRequest } from '../protocol/requests.ts'
import type { Outcome, Purpose } from '../protocol/response.ts'
import {
  type Anchor,
  createRequest,
  deleteRequest,
  findRequest,
  updateRequest,
  type WrittenObject,
  writtenObjects,
} from './objects.ts'

/** Sends one request. */
export type Send = (purpose: Purpose, request: ScimRequest) => Promise<Outcome>

/** What a cycle has done. */
export interface CycleResult {
  created: number
  updated: number
  unchanged: number
  deleted: number
  /** Each refused write with the name of its object and the message of the server. */
  readonly refused: { readonly name: string; readonly status: number | undefined; readonly detail: string }[]
}

/** @param remove deletes all objects instead, as before the connector is turned off for good */
export async function runConnectorCycle(
  directory: Directory,
  anchor: Anchor,
  send: Send,
  remove = false,
): Promise<CycleResult> {
  const result: CycleResult = { created: 0, updated: 0, unchanged: 0, deleted: 0, refused: [] }
  const objects = writtenObjects(directory, anchor)
  /** The ids of the written objects at the server, by those of the directory. */
  const targets = new Map<string, string>()
  for (const object of remove ? objects.toReversed() : objects) {
    const found = await send('match', findRequest(object, anchor))
    if (!found.ok) {
      refuse(result, object, found)
      continue
    }
    const [target] = found.resources
    const members = object.members.flatMap((id) => targets.get(id) ?? [])
    if (remove) await removeObject(send, result, object, target)
    else await writeObject(send, result, { object, target, members, targets })
  }
  return result
}

async function removeObject(
  send: Send,
  result: CycleResult,
  object: WrittenObject,
  target: JsonObject | undefined,
): Promise<void> {
  if (target === undefined) return
  const outcome = await send('delete', deleteRequest(object, String(target.id)))
  if (outcome.ok) result.deleted++
  else refuse(result, object, outcome)
}

async function writeObject(
  send: Send,
  result: CycleResult,
  write: {
    readonly object: WrittenObject
    readonly target: JsonObject | undefined
    readonly members: readonly string[]
    readonly targets: Map<string, string>
  },
): Promise<void> {
  const { object, target, members, targets } = write
  if (target !== undefined) targets.set(object.id, String(target.id))
  const request =
    target === undefined ? createRequest(object, members) : updateRequest(object, target, members)
  if (request === undefined) {
    result.unchanged++
    return
  }
  const outcome = await send(target === undefined ? 'create' : 'update', request)
  if (!outcome.ok) return refuse(result, object, outcome)
  if (target !== undefined) result.updated++
  else {
    result.created++
    targets.set(object.id, String(outcome.resource?.id))
  }
}

function refuse(result: CycleResult, { resource }: WrittenObject, outcome: Outcome & { ok: false }): void {
  const name = String(resource.userName ?? resource.displayName)
  result.refused.push({ name, status: outcome.status, detail: outcome.detail })
}
