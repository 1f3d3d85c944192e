/**
 * Memory and speed with a large directory: resident memory at the start, after the whole directory was listed in the
 * largest pages, and after matches, lists and membership changes; and the time to add a member to an empty and to a full
 * group.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { addMembersRequest, matchRequest, pageRequest } from '../../src/entra/protocol/requests.ts'
import { type Directory, groupId, makeDirectory, userId, userName } from './directory.ts'
import { type Exchange, exchangeOnce, measure } from './load/client.ts'
import { type ScimExchange, scimExchange } from './load/scim.ts'
import { quantile } from './load/statistics.ts'
import { hostNamed, wholeFrom } from './options.ts'
import { type Peer, start, stop } from './peers/peer.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const SECONDS = 3
const CONNECTIONS = 10
const PAGE = 100
/** The most resources in an answer. */
const LARGEST_PAGE = 1_000
/** Users without a group, which can be added to any group. */
const SPARE = 20_000

interface Result {
  readonly atStartMb: number
  readonly afterWalkMb: number
  readonly afterMb: number
  readonly peakMb: number
  /** Medians. */
  readonly matchMs: number
  readonly listMs: number
  readonly addToEmptyMs: number
  readonly addToFullMs: number
  readonly wrong: number
}

const HEADER = [
  '',
  'MB at the start',
  'MB after lists of 1,000',
  'MB after',
  'MB at most',
  'match a user ms',
  'list 100 users ms',
  'add to an empty group ms',
  'add to a full group ms',
  'wrong',
]

const values = readOptions('memory')

await runSection(main)

async function main(): Promise<number> {
  const users = wholeFrom(PAGE, 'users', values.users)
  const groups = wholeFrom(2, 'groups', values.groups)
  const members = Math.floor(wholeFrom(1, 'memberships', values.memberships) / (groups - 1))
  if (members + SPARE > users) throw new Error(`a group would have ${members} members of ${users} users`)
  // The first group is empty. The others start at different users.
  const sizes = Array.from({ length: groups }, (_, i) =>
    i === 0 ? { members: 0 } : { members, from: 1 + ((i * 499) % (users - members - SPARE)) },
  )
  const directory = await makeDirectory({ users, groups: sizes })
  const results: Record<string, Result | { missing: string }> = {}
  for (const name of values.hosts.split(',').map(hostNamed)) {
    try {
      const peer = await start(name, { database: directory.file })
      results[name] = await measureMemory(peer, directory)
      await stop(peer)
    } catch (error) {
      results[name] = { missing: error instanceof Error ? error.message : String(error) }
    }
  }
  console.log(
    `${users} users, ${groups} groups, ${members * (groups - 1)} memberships; medians at ${CONNECTIONS} connections`,
  )
  console.log(
    markdownTable(
      HEADER,
      Object.entries(results).map(([name, result]) => cellsOf(name, result)),
    ),
  )
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(results, null, 2))
  return Object.values(results).every((result) => 'wrong' in result && result.wrong === 0) ? 0 : 1
}

function cellsOf(name: string, result: Result | { missing: string }): readonly string[] {
  if ('missing' in result) return [name, result.missing.replace(/\s+/g, ' ')]
  const { atStartMb, afterWalkMb, afterMb, peakMb, matchMs, listMs, addToEmptyMs, addToFullMs, wrong } =
    result
  return [
    name,
    ...[atStartMb, afterWalkMb, afterMb, peakMb, matchMs, listMs, addToEmptyMs, addToFullMs].map(figure),
    String(wrong),
  ]
}

async function measureMemory(peer: Peer, { token, size }: Directory): Promise<Result> {
  const send = scimExchange(token)
  const atStartMb = memoryMb(peer, 'VmRSS')
  let wrong = 0
  const median = async (next: () => Exchange) => {
    const load = { port: peer.port, connections: CONNECTIONS, seconds: SECONDS, next }
    const result = await measure(load)
    wrong += result.wrong
    if (result.firstWrong !== undefined) console.error(`${peer.name}: ${result.firstWrong.slice(0, 1_000)}\n`)
    return quantile(result.times, 0.5)
  }
  const random = (below: number) => 1 + Math.floor(Math.random() * below)
  await walk(peer, send, size.users)
  const afterWalkMb = memoryMb(peer, 'VmRSS')
  const matchMs = await median(() => {
    const number = random(size.users)
    return send(matchRequest('User', 'userName', userName(number)), 200, `"id":"${userId(number)}"`)
  })
  const listMs = await median(() => {
    const startIndex = random(size.users - PAGE + 1)
    return send(pageRequest('User', startIndex, PAGE), 200, `"userName":"${userName(startIndex)}"`)
  })
  const addToEmptyMs = await median(adding(send, 1, size.users))
  const addToFullMs = await median(adding(send, 2, size.users))
  return {
    atStartMb,
    afterWalkMb,
    afterMb: memoryMb(peer, 'VmRSS'),
    peakMb: memoryMb(peer, 'VmHWM'),
    matchMs,
    listMs,
    addToEmptyMs,
    addToFullMs,
    wrong,
  }
}

/** Lists all users in the largest pages, several at a time. @throws {Error} if an answer is wrong */
async function walk({ port, name }: Peer, send: ScimExchange, users: number): Promise<void> {
  let next = 1
  const client = async () => {
    for (let start = next; start <= users; start = next) {
      next += LARGEST_PAGE
      const first = `"userName":"${userName(start)}"`
      const answer = await exchangeOnce(port, send(pageRequest('User', start, LARGEST_PAGE), 200).request)
      if (!answer.includes(first)) throw new Error(`${name}: ${answer.slice(0, 1_000)}`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, client))
}

/** Users without a group, from the last one downwards. */
function adding(send: ScimExchange, group: number, users: number): () => Exchange {
  let last = users
  return () => send(addMembersRequest(groupId(group), [userId(last--)], 'old'), 204)
}

/** Available on Linux only. */
function memoryMb(peer: Peer, field: 'VmRSS' | 'VmHWM'): number {
  try {
    const kb = [peer.child.pid].map((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
    })
    return kb.reduce((sum, one) => sum + one, 0) / 1024
  } catch {
    return Number.NaN
  }
}
