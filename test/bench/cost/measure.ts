/**
 * Measures the input of the model: the bytes of a user, a membership and a log entry with their indexes, and the rows
 * of each request. The server stores the directory request by request, so every row has its real size.
 */
import { DatabaseSync } from 'node:sqlite'
import { generateDirectory } from '../../../src/entra/documents/generate.ts'
import {
  addMembersRequest,
  createRequest,
  deleteRequest,
  matchRequest,
  pageRequest,
  probeRequest,
  readRequest,
  removeMembersRequest,
  updateRequest,
} from '../../../src/entra/protocol/requests.ts'
import { makeDirectory, USER } from '../directory.ts'
import { Connection } from '../load/client.ts'
import { type Request, scimExchange } from '../load/scim.ts'
import { quantile } from '../load/statistics.ts'
import { build, databaseFile, type Peer, processorMs, start, stop } from '../peers/peer.ts'
import { MEMBERSHIPS_OF_A_USER, type Measured, type Step, type StepCost } from './model.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'
const MEMBERS_IN_A_REQUEST = 100
/**
 * Repetitions of each request. Their median is used, because once a minute a request also updates the token's last use.
 */
const REPETITIONS = 50
const PAGE = 100

type Person = Readonly<Record<string, unknown>>

/** @param users the number of users; each of them is in MEMBERSHIPS_OF_A_USER groups */
export async function measureMonth(users: number): Promise<Measured> {
  build()
  const people = generateDirectory({
    users: users + REPETITIONS,
    groups: 0,
    memberships: 0,
    seed: 1,
    domain: 'quillfern.example',
  }).users as Person[]
  const { file: empty, token } = await makeDirectory({ users: 0, groups: [] })
  const server = await start('Node.js', { database: empty })
  const ids = await fill(server, token, people.slice(0, users))
  await stop(server)
  const file = databaseFile('Node.js', server.folder)
  const before = weigh(empty)
  const full = weigh(file)
  const life = await onWorker(file, token, (send, worker) => liveOn(send, worker, ids, people))
  const after = weigh(life.file)
  const many = await onWorker(file, token, (send) => takeMany(send, ids))
  return {
    at: new Date().toISOString().slice(0, 10),
    bytes: {
      user: Math.round((full.users.bytes - before.users.bytes) / users),
      membership: Math.round((full.memberships.bytes - before.memberships.bytes) / full.memberships.rows),
      logOfInitialCycle: Math.round((full.log.bytes - before.log.bytes) / users),
      logEntry: Math.round((after.log.bytes - full.log.bytes) / (after.log.rows - full.log.rows)),
      eventsOfInitialCycle: Math.round((full.events.bytes - before.events.bytes) / users),
      event: Math.round((after.events.bytes - full.events.bytes) / (after.events.rows - full.events.rows)),
      tombstone: Math.round((after.tombstones.bytes - full.tombstones.bytes) / after.tombstones.rows),
    },
    cpuMsOfRequest: life.result.cpuMsOfRequest,
    steps: { ...life.result.steps, ...many.result },
  }
}

/** @returns the measurement and the database file */
async function onWorker<Result>(
  database: string,
  token: string,
  run: (send: Send, worker: Peer) => Promise<Result>,
): Promise<{ result: Result; file: string }> {
  const worker = await start('workerd', { database, serverTiming: true })
  const result = await run(await sender(worker, token), worker)
  await stop(worker)
  return { result, file: databaseFile('workerd', worker.folder) }
}

/** A user as written by the default mapping of an application in Entra, plus this application's attribute. */
function userValues(person: Person): Map<string, string | boolean> {
  const text = (name: string) => String(person[name] ?? '')
  return new Map<string, string | boolean>([
    ['userName', nameOf(person)],
    ['externalId', text('mailNickname')],
    ['active', true],
    ['displayName', text('displayName')],
    ['title', `${text('department')} Specialist`],
    ['preferredLanguage', 'en-GB'],
    ['name.givenName', text('givenName')],
    ['name.familyName', text('surname')],
    ['name.formatted', `${text('givenName')} ${text('surname')}`],
    ['emails[type eq "work"].value', text('mail')],
    ['phoneNumbers[type eq "work"].value', '+44 20 7946 0000'],
    ['phoneNumbers[type eq "mobile"].value', '+44 7700 900000'],
    ['addresses[type eq "work"].streetAddress', '1 Orchard Lane'],
    ['addresses[type eq "work"].locality', 'Quillfern'],
    ['addresses[type eq "work"].postalCode', 'QF1 2AB'],
    ['addresses[type eq "work"].country', 'GB'],
    [`${ENTERPRISE}:employeeNumber`, text('id').slice(0, 8)],
    [`${ENTERPRISE}:department`, text('department')],
    [`${UMBRELLA}:nativeObjectId`, text('id')],
  ])
}

function nameOf({ userPrincipalName }: Person): string {
  return String(userPrincipalName)
}

/** The ids that the server assigned. */
interface Ids {
  readonly users: readonly string[]
  readonly groups: readonly string[]
}

/** The initial cycle: users, groups, members. */
async function fill(server: Peer, token: string, people: readonly Person[]): Promise<Ids> {
  const send = await sender(server, token)
  const users: string[] = []
  for (const person of people) users.push(await create(send, createUser(person)))
  const groups: string[] = []
  // As many groups as give each a hundred members, whatever the number of users.
  const count = (people.length * MEMBERSHIPS_OF_A_USER) / MEMBERS_IN_A_REQUEST
  for (let i = 0; i < count; i++) {
    const values = new Map([
      ['displayName', `Field Crew North ${i}`],
      ['externalId', crypto.randomUUID()],
    ])
    groups.push(await create(send, createRequest('Group', values)))
  }
  for (const [i, group] of groups.entries()) {
    const members = Array.from(
      { length: MEMBERS_IN_A_REQUEST },
      // The step is coprime to round numbers, so the groups differ.
      (_, j) => users[(i * MEMBERS_IN_A_REQUEST + j * 997) % users.length] as string,
    )
    await send(addMembersRequest(group, members, 'old'), 204)
  }
  return { users, groups }
}

function createUser(person: Person): Request {
  const request = createRequest('User', userValues(person))
  return { ...request, body: { ...request.body, schemas: [USER, ENTERPRISE] } }
}

type Send = (request: Request, status: number) => Promise<string>

async function create(send: Send, request: Request): Promise<string> {
  return idOf(await send(request, 201))
}

function idOf(answer: string): string {
  return /"id":"([^"]+)"/.exec(answer)?.[1] ?? ''
}

/** @throws {Error} if a response does not have the expected status */
async function sender({ port }: Peer, token: string): Promise<Send> {
  const connection = await Connection.open(port)
  const exchange = scimExchange(token)
  return async (request, status) => {
    const answer = await connection.exchange(exchange(request, status).request)
    if (answer.startsWith(`HTTP/1.1 ${status}`)) return answer
    throw new Error(`${request.method} ${request.path} -> ${answer.slice(0, 500)}`)
  }
}

type BatchStep = 'add 100 members' | 'list 100 users'
type StepCosts<Name extends Step> = Record<Name, StepCost>

/** The single changes, each repeated REPETITIONS times. */
async function liveOn(
  send: Send,
  worker: Peer,
  { users, groups }: Ids,
  people: readonly Person[],
): Promise<{ steps: StepCosts<Exclude<Step, BatchStep>>; cpuMsOfRequest: number }> {
  const spentBefore = processorMs(worker)
  const { take, medians, count } = recorder<Exclude<Step, BatchStep>>(send)
  for (let i = 0; i < REPETITIONS; i++) {
    const newcomer = people[users.length + i] ?? {}
    const [someone = '', leaver = '', group = ''] = [users[i], users[REPETITIONS + i], groups[i]]
    const rename = [{ op: 'replace', path: 'displayName', value: `New name ${i}` }] as const
    const disable = [{ op: 'replace', path: 'active', value: false }] as const
    await take('test the connection', probeRequest('User', 'userName', crypto.randomUUID()), 200)
    await take('match a user', matchRequest('User', 'userName', nameOf(newcomer)), 200)
    const id = idOf(await take('create a user', createUser(newcomer), 201))
    await take('get a group', readRequest('Group', group), 200)
    await take('add a member', addMembersRequest(group, [id], 'old'), 204)
    await take('remove a member', removeMembersRequest(group, [id], 'old'), 204)
    await take('get a user', readRequest('User', someone), 200)
    await take('change a user', updateRequest('User', someone, rename, 'old'), 200)
    await take('disable a user', updateRequest('User', leaver, disable, 'old'), 200)
    await take('find a user', matchRequest('User', 'userName', nameOf(people[i] ?? {})), 200)
    await take('delete a user', deleteRequest('User', leaver), 204)
  }
  const cpuMs = (processorMs(worker) - spentBefore) / count()
  return { steps: medians(), cpuMsOfRequest: Number(cpuMs.toFixed(1)) }
}

async function takeMany(send: Send, { users }: Ids): Promise<StepCosts<BatchStep>> {
  const { take, medians } = recorder<BatchStep>(send)
  // Users beyond the first page.
  const hundred = users.slice(-MEMBERS_IN_A_REQUEST)
  for (let i = 0; i < 5; i++) {
    const group = await create(send, createRequest('Group', new Map([['displayName', `New ${i}`]])))
    await take('add 100 members', addMembersRequest(group, hundred, 'old'), 204)
    await take('list 100 users', pageRequest('User', 1, PAGE), 200)
  }
  return medians()
}

/** Sends requests and records the cost of each. */
function recorder<Name extends Step>(send: Send) {
  const samples = new Map<Name, StepCost[]>()
  return {
    take: async (step: Name, request: Request, status: number) => {
      const answer = await send(request, status)
      samples.set(step, [...(samples.get(step) ?? []), figuresOf(answer)])
      return answer
    },
    count: () => [...samples.values()].flat().length,
    medians: () =>
      Object.fromEntries(Array.from(samples, ([step, costs]) => [step, medianOf(costs)])) as StepCosts<Name>,
  }
}

/** @see src/storage/database/database.ts serverTimingOf */
function figuresOf(answer: string): StepCost {
  const match = /desc="\d+ round trips, (\d+) rows read, (\d+) rows written"/.exec(answer)
  const [rowsRead = Number.NaN, rowsWritten = Number.NaN] = match?.slice(1).map(Number) ?? []
  return { rowsRead, rowsWritten }
}

function medianOf(costs: readonly StepCost[]): StepCost {
  const median = (of: (cost: StepCost) => number) => quantile(costs.map(of), 0.5)
  return { rowsRead: median((cost) => cost.rowsRead), rowsWritten: median((cost) => cost.rowsWritten) }
}

/** A table with its indexes. */
interface Weight {
  readonly bytes: number
  readonly rows: number
}

/** All pages of the table and its indexes, including partly filled ones. https://www.sqlite.org/dbstat.html */
function weigh(file: string): Record<'users' | 'memberships' | 'log' | 'events' | 'tombstones', Weight> {
  const database = new DatabaseSync(file, { readOnly: true })
  const bytesOf = (table: string) =>
    Number(
      database
        .prepare(
          `SELECT sum(pgsize) AS n FROM dbstat WHERE aggregate = TRUE
            AND name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?)`,
        )
        .get(table)?.n ?? 0,
    )
  const weightOf = (table: string, ...more: readonly string[]): Weight => ({
    bytes: [table, ...more].reduce((sum, one) => sum + bytesOf(one), 0),
    rows: Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n),
  })
  const weights = {
    users: weightOf('users', 'user_values', 'search_words', 'resource_sources'),
    memberships: weightOf('memberships'),
    log: weightOf('provisioning_log'),
    events: weightOf('events'),
    tombstones: weightOf('tombstones', 'tombstone_memberships'),
  }
  database.close()
  return weights
}
