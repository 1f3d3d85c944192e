/**
 * `npm run bench -- undo`: one client disables 10,000 users, and an administrator undoes that while another client reads and
 * writes; then the history of a group with 100,000 members is read, page by page. On Node.js, where the job and the requests
 * share one process.
 */
import { writeFileSync } from 'node:fs'
import { addMembersRequest, matchRequest } from '../../src/entra/protocol/requests.ts'
import { groupId, makeDirectory, userId, userName } from './directory.ts'
import { type Exchange, exchangeOnce, isRight, type LoadResult, measure } from './load/client.ts'
import { type ScimExchange, scimExchange } from './load/scim.ts'
import { quantile } from './load/statistics.ts'
import { wholeFrom } from './options.ts'
import { ADMIN_TOKEN, type Peer, start, stop } from './peers/peer.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const CONNECTIONS = 4
const ADDED_AT_ONCE = 1_000
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

await runSection(main)

async function main(): Promise<number> {
  const values = readOptions('undo')
  const users = wholeFrom(1, 'users', values.users)
  const members = wholeFrom(ADDED_AT_ONCE, 'members', values.members)
  const seconds = wholeFrom(1, 'seconds', values.seconds)
  const size = { users: Math.max(2 * users, members), groups: [{ members: 0 }] }
  const { file, token } = await makeDirectory(size)
  const peer = await start('Node.js', { database: file })
  const undo = await measureUndo(peer, scimExchange(token), { users, seconds })
  const history = await measureHistory(peer, scimExchange(token), members)
  await stop(peer)
  printUndo(undo)
  printHistory(history)
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify({ undo, history }))
  return undo.left === 0 && undo.wrong === 0 && history.members === members ? 0 : 1
}

// biome-ignore lint/suspicious/noExplicitAny: -- answers of the admin API, whose parts are printed
async function admin({ port }: Peer, method: string, path: string, body?: object): Promise<any> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/api/tenants/default${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return await answer.json()
}

function patch(send: ScimExchange, number: number, path: string, value: unknown): Exchange {
  const body = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path, value }] }
  return send({ method: 'PATCH', path: `/Users/${userId(number)}`, body }, 200)
}

/** Requests of the other client per second, and their durations in ms. */
interface Traffic {
  readonly perSecond: number
  readonly medianMs: number
  readonly slowestMs: number
}

function trafficOf({ times, seconds }: LoadResult): Traffic {
  return {
    perSecond: times.length / seconds,
    medianMs: quantile(times, 0.5),
    slowestMs: quantile(times, 1),
  }
}

interface Undo {
  readonly users: number
  readonly disabling: number
  readonly undoing: number
  readonly before: Traffic
  readonly during: Traffic
  /** Users that are still disabled. */
  readonly left: number
  readonly wrong: number
}

async function measureUndo(
  peer: Peer,
  send: ScimExchange,
  { users, seconds }: { readonly users: number; readonly seconds: number },
): Promise<Undo> {
  const { token, clientId } = await admin(peer, 'POST', '/tokens', { name: 'Mistaken' })
  const from = new Date().toISOString()
  const disabling = await disable(peer, scimExchange(token), users)
  const to = new Date().toISOString()
  let count = 0
  // Every other request is a write. The users are those that nobody has disabled.
  const next = () => {
    const number = users + 1 + (count++ % users)
    return count % 2 === 0
      ? send(matchRequest('User', 'userName', userName(number)), 200)
      : patch(send, number, 'title', `Title ${count}`)
  }
  const load = { port: peer.port, connections: CONNECTIONS, seconds, next }
  const before = await measure(load)
  const started = performance.now()
  const { id } = await admin(peer, 'POST', '/undo', { clientId, from, to })
  const during: LoadResult[] = []
  let ended = started
  for (let state = 'running'; state === 'running'; ended = performance.now()) {
    during.push(await measure({ ...load, seconds: 1 }))
    ;({ state } = await admin(peer, 'GET', `/jobs/${id}`))
  }
  const left = await disabledUsers(peer, send, users)
  const sum = (of: (result: LoadResult) => number) => during.reduce((all, result) => all + of(result), 0)
  return {
    users,
    disabling,
    undoing: (ended - started) / 1_000,
    before: trafficOf(before),
    during: trafficOf({
      ...before,
      times: during.flatMap(({ times }) => times),
      seconds: sum((result) => result.seconds),
    }),
    left,
    wrong: before.wrong + sum(({ wrong }) => wrong),
  }
}

/** @returns the seconds that it took */
async function disable(peer: Peer, send: ScimExchange, users: number): Promise<number> {
  const started = performance.now()
  let number = 0
  while (number < users) {
    const next = () => patch(send, Math.min(++number, users), 'active', false)
    const { wrong, firstWrong } = await measure({
      port: peer.port,
      connections: CONNECTIONS,
      seconds: 1,
      next,
    })
    if (wrong > 0) throw new Error(firstWrong)
  }
  return (performance.now() - started) / 1_000
}

/** The users that are still disabled, read one by one: the filter would look at all users of the directory. */
async function disabledUsers(peer: Peer, send: ScimExchange, users: number): Promise<number> {
  let [number, left] = [0, 0]
  while (number < users) {
    const next = () => {
      const path = `/Users/${userId(Math.min(++number, users))}?attributes=active`
      return send({ method: 'GET', path }, 200, '"active":true')
    }
    left += (await measure({ port: peer.port, connections: CONNECTIONS, seconds: 1, next })).wrong
  }
  return left
}

/** The pages of a list. */
interface Pages {
  readonly count: number
  readonly items: number
  readonly medianMs: number
  readonly slowestMs: number
}

interface History {
  readonly members: number
  readonly changes: Pages
  readonly past: Pages
}

async function measureHistory(peer: Peer, send: ScimExchange, members: number): Promise<History> {
  for (let first = 1; first <= members; first += ADDED_AT_ONCE) {
    const ids = Array.from({ length: Math.min(ADDED_AT_ONCE, members - first + 1) }, (_, i) =>
      userId(first + i),
    )
    const exchange = send(addMembersRequest(groupId(1), ids, 'old'), 204)
    const answer = await exchangeOnce(peer.port, exchange.request)
    if (!isRight(answer, exchange)) throw new Error(answer)
  }
  const at = new Date(Date.now() - 1).toISOString()
  await admin(peer, 'GET', `/history/${groupId(1)}`)
  const changes = await pagesOf(peer, '', (body) => body.entries.length)
  const past = await pagesOf(peer, `at=${at}`, (body) => body.members.length)
  return { members: past.items, changes, past }
}

async function pagesOf(
  peer: Peer,
  query: string,
  // biome-ignore lint/suspicious/noExplicitAny: -- as above
  itemsOf: (body: any) => number,
): Promise<Pages> {
  const times: number[] = []
  let items = 0
  for (let cursor = ''; ; ) {
    const started = performance.now()
    const body = await admin(peer, 'GET', `/history/${groupId(1)}?${query}${cursor && `&cursor=${cursor}`}`)
    times.push(performance.now() - started)
    items += itemsOf(body)
    if (body.nextCursor === null)
      return { count: times.length, items, medianMs: quantile(times, 0.5), slowestMs: quantile(times, 1) }
    cursor = body.nextCursor
  }
}

function printUndo({ users, disabling, undoing, before, during, left, wrong }: Undo): void {
  const row = (name: string, { perSecond, medianMs, slowestMs }: Traffic) => [
    name,
    ...[perSecond, medianMs, slowestMs].map(figure),
  ]
  console.log(
    markdownTable(
      ['requests of another client', 'per second', 'median ms', 'slowest ms'],
      [row('before the undo', before), row('during the undo', during)],
    ),
  )
  console.log(
    `\n${users} users were disabled in ${figure(disabling)} s by ${CONNECTIONS} connections and enabled again in ${figure(undoing)} s: ` +
      `${left} are left, ${wrong} answers were wrong. Ratio of the throughputs: ${figure(during.perSecond / before.perSecond)}, ` +
      `of the medians: ${figure(during.medianMs / before.medianMs)}.\n`,
  )
}

function printHistory({ members, changes, past }: History): void {
  const row = (name: string, { count, items, medianMs, slowestMs }: Pages) => [
    name,
    String(count),
    String(items),
    figure(medianMs),
    figure(slowestMs),
  ]
  console.log(
    markdownTable(
      [`history of a group with ${members} members`, 'pages', 'items', 'median ms', 'slowest ms'],
      [row('changes', changes), row('members at a time', past)],
    ),
  )
}
