/** The same users and groups in each of the compared servers, before the measurement. */
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { GROUP, groupId, makeDirectory, USER, userId, userName } from '../directory.ts'
import { Connection, exchangeOnce, isRight } from '../load/client.ts'
import { type ScimExchange, scimExchange } from '../load/scim.ts'
import { packagesFolder } from './packages.ts'
import { databaseFile, newFolder, PEER_TOKEN, type Peer, start, stop } from './peer.ts'
import { addMembers, detailOf, PATCHED } from './requests.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const CONNECTIONS = 10
const ADDED_AT_ONCE = 100

export interface Size {
  readonly users: number
  /** The members of each group: the first users. */
  readonly groups: readonly number[]
}

/** A database file for a server, with the ids that it has given. Users and groups are numbered from 1. */
export interface Filled {
  readonly size: Size
  readonly file: string
  readonly token: string
  readonly userId: (number: number) => string
  /** Undefined if the server refused the group's members. */
  readonly groupId: (number: number) => string | undefined
}

export function userAttributes(number: number | string): object {
  const name = `person-${number}`
  return {
    schemas: [USER, ENTERPRISE],
    userName: userName(number),
    externalId: name,
    active: true,
    displayName: `Given ${name}`,
    name: { givenName: 'Given', familyName: name, formatted: `Given ${name}` },
    emails: [{ type: 'work', value: userName(number), primary: true }],
    [ENTERPRISE]: { employeeNumber: name },
  }
}

/** This project's server, on Deno and Node.js. */
export async function fillOwn(size: Size): Promise<Filled> {
  const groups = size.groups.map((members) => ({ members }))
  const more = { schemas: [USER, ENTERPRISE], [ENTERPRISE]: { employeeNumber: 'person-0' } }
  const { file, token } = await makeDirectory({ users: size.users, groups }, more)
  return { size, file, token, userId, groupId }
}

export function fillScimmy(size: Size): Filled {
  const users = numbers(size.users).map((number) => ({ id: userId(number), ...userAttributes(number) }))
  const groups = size.groups.map((members, i) => ({
    schemas: [GROUP],
    id: groupId(i + 1),
    displayName: `group-${i + 1}`,
    members: numbers(members).map((number) => ({ value: userId(number) })),
  }))
  const file = join(newFolder(), 'scimmy.json')
  writeFileSync(file, JSON.stringify({ users, groups }))
  return { size, file, token: PEER_TOKEN, userId, groupId }
}

/** Through its own requests, because its rows contain hashes. The file is kept for the next run. */
export async function fillBetterAuth(size: Size): Promise<Filled> {
  const name = `better-auth-${size.users}-${size.groups.join('-')}.sqlite`
  const kept = join(packagesFolder(), name)
  if (!existsSync(kept)) {
    console.log(`Filling ${kept}, once\n`)
    const server = await start('better-auth')
    await sendAll(server, size)
    await stop(server)
    const file = databaseFile('better-auth', server.folder)
    withDatabase(file, (database) =>
      database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE'),
    )
    copyFileSync(file, kept)
  }
  const [users, groups] = withDatabase(kept, (database) =>
    ['scimUser', 'scimGroup'].map(
      (table) =>
        new Map(
          database
            .prepare(`SELECT externalId, id FROM ${table}`)
            .all()
            .map((row) => [String(row.externalId), String(row.id)]),
        ),
    ),
  ) as [Map<string, string>, Map<string, string>]
  return {
    size,
    file: kept,
    token: PEER_TOKEN,
    userId: (number) => users.get(`person-${number}`) ?? '',
    groupId: (number) => groups.get(`group-${number}`),
  }
}

function withDatabase<Result>(file: string, use: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(file)
  try {
    return use(database)
  } finally {
    database.close()
  }
}

/** @throws {Error} if a user or an empty group is refused */
async function sendAll({ port }: Peer, { users, groups }: Size): Promise<void> {
  const send = scimExchange(PEER_TOKEN)
  const ids: string[] = []
  let last = 0
  const sendUsers = async (connection: Connection) => {
    while (last < users) {
      const number = ++last
      const body = userAttributes(number)
      const answer = await connection.exchange(send({ method: 'POST', path: '/Users', body }, 201).request)
      ids[number - 1] = idOf(answer)
    }
  }
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(port)))
  await Promise.all(connections.map(sendUsers))
  for (const connection of connections) connection.close()
  for (const [i, members] of groups.entries()) await sendGroup(port, send, i + 1, ids.slice(0, members))
}

/** A group whose members are refused is deleted. */
async function sendGroup(
  port: number,
  send: ScimExchange,
  number: number,
  members: readonly string[],
): Promise<void> {
  const name = `group-${number}`
  const body = { schemas: [GROUP], displayName: name, externalId: name }
  const id = idOf(await exchangeOnce(port, send({ method: 'POST', path: '/Groups', body }, 201).request))
  for (let first = 0; first < members.length; first += ADDED_AT_ONCE) {
    const exchange = send(addMembers(id, members.slice(first, first + ADDED_AT_ONCE)), PATCHED)
    const answer = await exchangeOnce(port, exchange.request)
    if (isRight(answer, exchange)) continue
    console.log(
      `better-auth refuses member ${first + 1} to ${first + ADDED_AT_ONCE} of a group: ${detailOf(answer)}\n`,
    )
    await exchangeOnce(port, send({ method: 'DELETE', path: `/Groups/${id}` }, 204).request)
    return
  }
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

/** @throws {Error} if the answer has no id */
function idOf(answer: string): string {
  const id = /"id":"([^"]+)"/.exec(answer)?.[1]
  if (id === undefined) throw new Error(`not created: ${answer.slice(0, 1_000)}`)
  return id
}
