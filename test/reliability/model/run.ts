/**
 * Runs a sequence against the worker and holds every answer, and what is stored in the end, against the
 * model.
 */
import { TENANT_URL } from '../../support/harness.ts'
import { type Arena, furnishArena, readArena, type Stored } from './arena.ts'
import { type Command, furniture, type Ref, type Sequence } from './commands.ts'
import { type Exchange, explain } from './explain.ts'
import { INVARIANTS, loggedTwice, violations } from './invariants.ts'
import { NOBODY, type Observed, observe, requestOf, resolve, type Sent, type Slots } from './requests.ts'
import { describeWorld, isWrite, step, type World } from './state.ts'

/** Sends a request; rejects when the connection drops. */
export type Send = (request: Request) => Promise<Response>

/** What a run has done so far. */
export interface Tally {
  sequences: number
  requests: number
  invariants: number
  /** Requests whose outcome the client cannot know: 503, or no answer. */
  unknown: number
}

export function noTally(): Tally {
  return { sequences: 0, requests: 0, invariants: 0, unknown: 0 }
}

/** Ids and versions as the clients have seen them. */
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

/** @throws {Error} that says what is not as it must be */
export async function runSequence(arena: Arena, sequence: Sequence, send: Send, tally: Tally): Promise<void> {
  const slots = new SeenSlots()
  const first = furnish(sequence, slots)
  await furnishArena(arena, first)
  const exchanges: (Exchange & { readonly client: number })[] = []
  let worlds: readonly World[] = [first]
  for (const [index, commands] of sequence.steps.entries()) {
    const sent = commands.map((command) => ({ command, action: resolve(command.action, slots) }))
    const done = await Promise.all(
      sent.map(async ({ command: { client }, action }, at) => {
        const requestId = `step-${index}-${at}`
        const observed = await exchange(send, arena, client, requestOf(action), requestId, action)
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
  const stored = await readArena(arena)
  tally.sequences++
  tally.invariants += INVARIANTS + 3
  const wrong = [
    ...violations(stored),
    ...loggedTwice(stored),
    ...unlike(stored, worlds),
    ...logMistakes(stored, exchanges, arena),
  ]
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
}

/** The directory that the sequence begins with, and the slots that hold it. */
function furnish(sequence: Sequence, slots: SeenSlots): World {
  const { groupLimit } = sequence
  let world: World = { groupLimit, users: new Map(), groups: new Map() }
  for (const action of furniture(sequence)) {
    if (!('at' in action)) continue
    const id = `01900000-0000-7000-8000-0000000${action.at.type === 'User' ? 'a' : 'b'}000${action.at.slot}`
    world = step(world, resolve(action, slots), id).world
    slots.note({ client: 0, action }, { status: 201, id, etag: 'W/"1"' })
  }
  return world
}

async function exchange(
  send: Send,
  { clients }: Arena,
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
    // A dropped connection says as little as a 503 does.
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
    `step ${index}: no order of these explains the answers\n${answers.join('\n')}\nbefore it:\n${before}`,
  )
}

/** What is stored, in the words of the model. */
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

/** The log holds every write once, with the token and the answer, and nothing else. */
function logMistakes(
  { log }: Stored,
  exchanges: readonly (Exchange & { readonly client: number })[],
  { tokenIds }: Arena,
): readonly string[] {
  const rows = new Map(log.map((row) => [String(row.request_id), row]))
  const mistakes: string[] = []
  for (const { action, observed, requestId, client } of exchanges) {
    const row = rows.get(requestId)
    rows.delete(requestId)
    const { status } = observed
    const what = `${action.do}, answered ${status},`
    if (!isWrite(action)) {
      if (row !== undefined) mistakes.push(`${what} is in the log`)
    } else if (row === undefined) {
      if (status !== 503 && status !== 429) mistakes.push(`${what} is not in the log`)
    } else {
      if (status !== 503 && row.status !== status) mistakes.push(`${what} is in the log with ${row.status}`)
      if (row.outcome !== (Number(row.status) < 400 ? 'accepted' : 'refused'))
        mistakes.push(`${what} is in the log as ${row.outcome}`)
      if (row.token_id !== tokenIds[client]) mistakes.push(`${what} is in the log with another token`)
    }
  }
  for (const id of rows.keys()) mistakes.push(`the log names request ${id}, which nobody sent`)
  return mistakes
}
