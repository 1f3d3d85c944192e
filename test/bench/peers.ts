/**
 * The queries of clients at this project's server on Deno and Node.js, and at the servers of other projects, with the same
 * users and groups. Each query is measured at all servers in turn, in short slices and several rounds. A server that does
 * not answer a query correctly is not measured with it: the table has its answer.
 */
import { writeFileSync } from 'node:fs'
import { positive, wholeFrom } from './options.ts'
import { type Filled, fillBetterAuth, fillOwn, fillScimmy } from './peers/filled.ts'
import { type Outcome, type Server, sliceOf } from './peers/measurement.ts'
import { packagesFolder } from './peers/packages.ts'
import { build, start } from './peers/peer.ts'
import { memberQueries, QUERIES, type Query, QueryTraffic, SPARE } from './peers/queries.ts'
import { comparisonTable, type Row } from './peers/report.ts'
import { readOptions, runSection } from './section.ts'

/** Groups with a number of members, so that concurrent changes go to different ones. */
const GROUPS_OF_A_SIZE = 4

const values = readOptions('peers')
await runSection(main)

async function main(): Promise<number> {
  const users = wholeFrom(3_000, 'users', values.users)
  const members = values.members.split(',').map((text) => wholeFrom(1, 'members', text))
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const seconds = positive('seconds', values.seconds)
  if (Math.max(...members) + SPARE > users)
    throw new Error(`--members must be at most ${users - SPARE} with ${users} users, got "${values.members}"`)
  const servers = await startServers({
    users,
    groups: members.flatMap((one) => Array(GROUPS_OF_A_SIZE).fill(one)),
  })
  const ofMembers = members.flatMap((one, i) =>
    memberQueries(
      one,
      Array.from({ length: GROUPS_OF_A_SIZE }, (_, group) => 1 + i * GROUPS_OF_A_SIZE + group),
    ),
  )
  const rows = await measureAll(servers, [...QUERIES, ...ofMembers], rounds, seconds)
  const lost: string[] = []
  for (const { peer, traffic } of servers)
    lost.push(...(await traffic.readBack(peer.port)).map((text) => `${peer.name}: ${text}`))
  console.log(comparisonTable(rows, rounds, users))
  for (const text of lost) console.log(`\nNot stored: ${text}`)
  if (values.out !== undefined)
    writeFileSync(values.out, JSON.stringify({ users, rounds, rows, lost }, null, 2))
  const ownErrors = rows.flatMap(({ results }) =>
    results.filter(({ isOwn, error }) => isOwn && error !== undefined),
  )
  return ownErrors.length > 0 ? 1 : 0
}

async function startServers(size: Filled['size']): Promise<readonly Server[]> {
  build()
  packagesFolder()
  const own = await fillOwn(size)
  const filled = [
    ['Deno', own],
    ['Node.js', own],
    ['better-auth', await fillBetterAuth(size)],
    ['SCIMMY', fillScimmy(size)],
  ] as const
  const servers: Server[] = []
  for (const [name, directory] of filled)
    servers.push({
      peer: await start(name, { database: directory.file }),
      traffic: new QueryTraffic(directory),
      isOwn: directory === own,
      isDurable: name !== 'SCIMMY',
    })
  return servers
}

async function measureAll(
  servers: readonly Server[],
  queries: readonly Query[],
  rounds: number,
  seconds: number,
): Promise<readonly Row[]> {
  const outcomes = new Map(queries.map((query) => [query, servers.map((): Outcome[] => [])]))
  for (let round = 0; round <= rounds; round++) {
    for (const [query, ofServers] of outcomes) {
      // The order alternates, because the first slice affects the second one.
      const order = [...servers.entries()]
      for (const [i, server] of round % 2 === 0 ? order : order.toReversed()) {
        const all = ofServers[i] ?? []
        // One slice more than rounds: the first one compiles the code.
        if (all[0]?.error === undefined) all.push(await sliceOf(server, query, seconds))
      }
    }
  }
  return Array.from(outcomes, ([query, ofServers]) => rowOf(query.name, servers, ofServers))
}

function rowOf(query: string, servers: readonly Server[], outcomes: readonly (readonly Outcome[])[]): Row {
  const results = servers.map(({ peer: { name }, isOwn, isDurable }, i) => {
    const [warmUp, ...rounds] = outcomes[i] ?? []
    const wrong = rounds.reduce((sum, one) => sum + one.wrong, 0)
    const perSecond = rounds.map((one) => one.perSecond)
    const error = [warmUp, ...rounds].find((one) => one?.error !== undefined)?.error
    return { name, isOwn, isDurable, perSecond, wrong, error }
  })
  return { query, results }
}
