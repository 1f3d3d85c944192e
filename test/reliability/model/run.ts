/**
 * Runs a sequence against the worker and compares every response and the final stored state with the model.
 */
import { TENANT_URL } from '../../support/harness.ts'
import { type Command, initialActions, type Ref, type Sequence } from './commands.ts'
import { INVARIANTS, loggedTwice, violations } from './invariants.ts'
import { type Exchange, explain } from './linearizability.ts'
import { NOBODY, type Observed, observe, requestOf, resolve, type Sent, type Slots } from './requests.ts'
import { describeWorld, isWrite, step, type World } from './state.ts'
import { fillModelTenant, type ModelTenant, readModelTenant, type Stored } from './tenant.ts'

/** Sends a request; rejects if the connection is lost. */
export type Send = (request: Request) => Promise<Response>

/** Counters of a run. */
export interface Tally {
  sequences: number
  requests: number
  invariants: number
  /** Requests with an unknown outcome: 503, or no response. */
  unknown: number
}

export function newTally(): Tally {
  return { sequences: 0, requests: 0, invariants: 0, unknown: 0 }
}

/** Ids and versions as received by the clients. */
class SeenSlots implements Slots {
  readonly #ids = new Map<string, string>()
  readonly #etags = new Map<string, string>()

  idOf({ type, slot }: Ref): string {
    return this.#ids.get(`${type} ${slot}`) ?? NOBODY
  }

  etagOf(ref: Ref): string | undefined {
    return this.#etags.get(this.idOf(ref))
  }

  note({ action }: Command, { id, etag, status }: Observed): void {
    if (!('at' in action)) return
    if (status === 201 && id !== undefined) this.#ids.set(`${action.at.type} ${action.at.slot}`, id)
    if (etag !== undefined) this.#etags.set(this.idOf(action.at), etag)
  }
}

/** @throws {Error} describing the difference from the model */
export async function runSequence(
  tenant: ModelTenant,
  sequence: Sequence,
  send: Send,
  tally: Tally,
): Promise<void> {
  const slots = new SeenSlots()
  const first = furnish(sequence, slots)
  await fillModelTenant(tenant, first)
  const exchanges: (Exchange & { readonly client: number })[] = []
  let worlds: readonly World[] = [first]
  for (const [index, commands] of sequence.steps.entries()) {
    const sent = commands.map((command) => ({ command, action: resolve(command.action, slots) }))
    const done = await Promise.all(
      sent.map(async ({ command: { client }, action }, at) => {
        const requestId = `step-${index}-${at}`
        const observed = await exchange(send, tenant, client, requestOf(action), requestId, action)
        return { client, action, observed, requestId }
      }),
    )
    for (const [at, command] of commands.entries()) slots.note(command, done[at]?.observed ?? { status: 0 })
    tally.requests += done.length
    tally.unknown += done.filter(({ observed }) => observed.status === 503).length
    exchanges.push(...done)
    const possible = explain(worlds, done)
    if (possible.length === 0) throw unexplained(index, worlds, done)
    worlds = possible
  }
  const stored = await readModelTenant(tenant)
  tally.sequences++
  tally.invariants += INVARIANTS + 3
  const wrong = [
    ...violations(stored),
    ...loggedTwice(stored),
    ...unlike(stored, worlds),
    ...logProblems(stored, exchanges, tenant),
  ]
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
}

/** The initial directory of the sequence, and its slots. */
function furnish(sequence: Sequence, slots: SeenSlots): World {
  const { groupLimit } = sequence
  let world: World = { groupLimit, users: new Map(), groups: new Map() }
  for (const action of initialActions(sequence)) {
    if (!('at' in action)) continue
    const id = `01900000-0000-7000-8000-0000000${action.at.type === 'User' ? 'a' : 'b'}000${action.at.slot}`
    world = step(world, resolve(action, slots), id).world
    slots.note({ client: 0, action }, { status: 201, id, etag: 'W/"1"' })
  }
  return world
}

async function exchange(
  send: Send,
  { clients }: ModelTenant,
  client: number,
  { method, path, body, ifMatch }: Sent,
  requestId: string,
  action: Exchange['action'],
): Promise<Observed> {
  const headers: Record<string, string> = {
    Authorization: `Bearer ${clients[client]?.token}`,
    'X-Request-Id': requestId,
    ...(body === undefined ? {} : { 'Content-Type': 'application/scim+json' }),
    ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch }),
  }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  let response: Response
  try {
    response = await send(new Request(`${TENANT_URL}${path}`, init))
  } catch {
    // A lost connection is equivalent to a 503.
    return { status: 503, retryAfter: 'dropped' }
  }
  const observed = await observe(action, response)
  if (observed.status === 503 && observed.retryAfter === undefined) throw new Error('503 without Retry-After')
  return observed
}

function unexplained(index: number, worlds: readonly World[], done: readonly Exchange[]): Error {
  const answers = done.map(({ action, observed: { status, scimType, version, view } }) => {
    return `  ${JSON.stringify(action)}\n    was answered ${JSON.stringify({ status, scimType, version, view })}`
  })
  const before = worlds.map((world) => describeWorld(world) || '(empty)').join('\nor\n')
  return new Error(
    `step ${index}: no order of these requests explains the responses\n${answers.join('\n')}\nbefore it:\n${before}`,
  )
}

/** The stored state in the model's terms. */
function describeStored({ users, groups, memberships }: Stored): string {
  const world: World = {
    groupLimit: 0,
    users: new Map(
      users.map(({ id, data, version }) => {
        const { userName, title, active } = JSON.parse(String(data))
        return [String(id), { userName, title, active, version: Number(version) }]
      }),
    ),
    groups: new Map(
      groups.map(({ id, data, version }) => {
        const rows = memberships.filter(({ group_id }) => group_id === id)
        const members = new Set(rows.map(({ member_id }) => String(member_id)))
        return [
          String(id),
          { displayName: JSON.parse(String(data)).displayName, members, version: Number(version) },
        ]
      }),
    ),
  }
  return describeWorld(world)
}

function unlike(stored: Stored, worlds: readonly World[]): readonly string[] {
  const found = describeStored(stored)
  const possible = worlds.map(describeWorld)
  if (possible.includes(found)) return []
  return [
    `stored is\n${found || '(nothing)'}\nbut after these answers it must be\n${possible.join('\nor\n') || '(nothing)'}`,
  ]
}

/** The log contains every write exactly once, with its token and response, and nothing else. */
function logProblems(
  { log }: Stored,
  exchanges: readonly (Exchange & { readonly client: number })[],
  { tokenIds }: ModelTenant,
): readonly string[] {
  const rows = new Map(log.map((row) => [String(row.request_id), row]))
  const problems: string[] = []
  for (const { action, observed, requestId, client } of exchanges) {
    const row = rows.get(requestId)
    rows.delete(requestId)
    const { status } = observed
    const what = `${action.do}, answered ${status},`
    if (!isWrite(action)) {
      if (row !== undefined) problems.push(`${what} is in the log`)
    } else if (row === undefined) {
      if (status !== 503 && status !== 429) problems.push(`${what} is not in the log`)
    } else {
      if (status !== 503 && row.status !== status) problems.push(`${what} is in the log with ${row.status}`)
      if (row.outcome !== (Number(row.status) < 400 ? 'accepted' : 'refused'))
        problems.push(`${what} is in the log as ${row.outcome}`)
      if (row.token_id !== tokenIds[client]) problems.push(`${what} is in the log with another token`)
    }
  }
  for (const id of rows.keys()) problems.push(`the log names request ${id}, which was not sent`)
  return problems
}
