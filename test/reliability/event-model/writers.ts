/**
 * Random writes by several clients of one tenant. They use the ids that the answers gave them, so after a lost answer they
 * know less than there is.
 */
import type { Client } from '../../support/harness.ts'
import { GROUP, PATCH_OP, TENANT_URL, USER } from '../../support/harness.ts'
import type { Send } from '../model/run.ts'

export interface Writers {
  readonly clients: readonly Client[]
  readonly send: Send
  readonly random: () => number
}

export interface WriteTally {
  writes: number
  /** Without an answer, or answered with 503: the client does not know whether it was done. */
  unknown: number
  refused: number
  /** Ids of the requests whose success the client was told. */
  readonly confirmed: Set<string>
}

export function newWriteTally(): WriteTally {
  return { writes: 0, unknown: 0, refused: 0, confirmed: new Set() }
}

/** The ids that the clients know, of resources that may be gone. */
interface Known {
  readonly users: string[]
  readonly groups: string[]
}

const TITLES = ['Ranger', 'Pilot', 'Baker', 'Surveyor']

/** Each client sends its writes one after the other; the clients write at the same time. */
export async function writeAtRandom(
  { clients, send, random }: Writers,
  count: number,
  tally: WriteTally,
): Promise<void> {
  const known: Known = { users: [], groups: [] }
  await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < count / clients.length; i++) await write(client, send, random, known, tally)
    }),
  )
}

async function write(
  client: Client,
  send: Send,
  random: () => number,
  known: Known,
  tally: WriteTally,
): Promise<void> {
  const { method, path, body, list } = randomWrite(random, known)
  const requestId = crypto.randomUUID()
  const headers = {
    Authorization: `Bearer ${client.token}`,
    'X-Request-Id': requestId,
    'Content-Type': 'application/scim+json',
  }
  tally.writes++
  let status = 503
  try {
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const response = await send(new Request(`${TENANT_URL}${path}`, init))
    status = response.status
    const text = await response.text()
    if (status === 201) list?.push(JSON.parse(text).id)
  } catch {
    // The connection was lost.
  }
  if (status === 503) tally.unknown++
  else if (status < 300) tally.confirmed.add(requestId)
  else if (status < 500) tally.refused++
  else throw new Error(`${method} ${path} was answered with ${status}`)
}

interface Write {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** Receives the id of a created resource. */
  readonly list?: string[]
}

function randomWrite(random: () => number, { users, groups }: Known): Write {
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)]
  const user = () => pick(users) ?? 'unknown'
  const members = (most: number) =>
    Array.from({ length: Math.floor(random() * (most + 1)) }, () => ({
      value: random() < 0.1 ? (pick(groups) ?? user()) : user(),
    }))
  const patched = (path: string, ...Operations: readonly unknown[]): Write => ({
    method: 'PATCH',
    path,
    body: { schemas: [PATCH_OP], Operations },
  })
  const group = `/Groups/${pick(groups) ?? 'unknown'}`
  const userName = `${Math.floor(random() * 60)}@quillfern.example`
  const displayName = `Group ${Math.floor(random() * 30)}`
  const kinds: readonly (readonly [weight: number, make: () => Write])[] = [
    [
      18,
      () => ({
        method: 'POST',
        path: '/Users',
        body: { schemas: [USER], userName, title: pick(TITLES), active: random() < 0.9 },
        list: users,
      }),
    ],
    [12, () => patched(`/Users/${user()}`, { op: 'replace', path: 'title', value: pick(TITLES) })],
    [8, () => patched(`/Users/${user()}`, { op: 'replace', path: 'active', value: random() < 0.5 })],
    [3, () => patched(`/Users/${user()}`, { op: 'remove', path: 'title' })],
    [
      4,
      () => ({
        method: 'PUT',
        path: `/Users/${user()}`,
        body: { schemas: [USER], userName, externalId: pick(TITLES) },
      }),
    ],
    [5, () => ({ method: 'DELETE', path: `/Users/${user()}` })],
    [
      8,
      () => ({
        method: 'POST',
        path: '/Groups',
        body: { schemas: [GROUP], displayName, members: members(4) },
        list: groups,
      }),
    ],
    [20, () => patched(group, { op: 'add', path: 'members', value: members(3) })],
    [10, () => patched(group, { op: 'remove', path: `members[value eq "${user()}"]` })],
    [4, () => patched(group, { op: 'replace', path: 'members', value: members(4) })],
    [
      4,
      () =>
        patched(
          group,
          { op: 'replace', path: 'displayName', value: displayName },
          { op: 'add', path: 'members', value: members(2) },
        ),
    ],
    [2, () => ({ method: 'DELETE', path: group })],
  ]
  // Each kind as often as its weight says.
  const weighted = kinds.flatMap(([weight, make]) => Array.from({ length: weight }, () => make))
  return (pick(weighted) ?? (() => ({ method: 'GET', path: '/Users' })))()
}
