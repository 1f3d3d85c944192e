/**
 * Memory and speed of the server on Deno and on Node.js with a large directory: resident memory after
 * reads, lists and member changes, and what adding a member costs in an empty and in a full group.
 *
 *   node test/bench/memory.ts [--users 100000] [--groups 200] [--memberships 1000000] [--out FILE]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import { httpRequest, measure } from './runtimes/load.ts'
import { type BenchServer, build, cleanUp, isAvailable, start, stop } from './runtimes/servers.ts'

const SECONDS = 3
const CONNECTIONS = 10

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000' },
    groups: { type: 'string', default: '200' },
    memberships: { type: 'string', default: '1000000' },
    out: { type: 'string' },
  },
})
const users = Number(values.users)
const groups = Number(values.groups)
const membersOfGroup = Math.floor(Number(values.memberships) / groups)

const results: Record<string, Record<string, number>> = {}
try {
  build()
  for (const name of ['Deno', 'Node.js'] as const) {
    if (!isAvailable(name)) continue
    const empty = await start(name)
    const folder = join(empty.folder, 'data')
    const requests = await makeTemplates(empty)
    const addToSmall = await addMembers(empty, requests)
    await stop(empty)
    const seedMs = seed(join(folder, 'directory.sqlite'))
    const server = await start(name, empty.folder)
    const atStartMb = residentMb(server)
    const filterMs = await p50(server, () =>
      requests(
        `GET`,
        `/Users?filter=${encodeURIComponent(`userName eq "person-${random(users)}@quillfern.example"`)}`,
      ),
    )
    const listMs = await p50(server, () => requests('GET', `/Users?startIndex=${random(1000)}&count=100`))
    const addToLarge = await addMembers(server, requests)
    results[name] = {
      seedMs,
      atStartMb,
      afterMb: residentMb(server),
      peakMb: peakMb(server),
      filterMs,
      listMs,
      addToSmall,
      addToLarge,
    }
    await stop(server)
  }
  console.log(
    `${users} users, ${groups} groups, ${membersOfGroup * groups} memberships; times are p50 in ms at ${CONNECTIONS} connections`,
  )
  console.table(results)
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(results, null, 2))
} finally {
  cleanUp()
}

type Requests = (method: string, path: string, body?: unknown) => string

/** One user and one group as the server stores them, which seed() then multiplies. */
async function makeTemplates({ port, adminToken }: BenchServer): Promise<Requests> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/api/tenants/default/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Benchmark' }),
  })
  const { token } = (await answer.json()) as { token: string }
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' }
  const post = (path: string, body: unknown) =>
    fetch(`http://127.0.0.1:${port}/scim/v2${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
  const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
  await post('/Users', {
    schemas: [USER],
    userName: 'person-0@quillfern.example',
    externalId: 'person-0',
    displayName: 'Template person-0',
    active: true,
    name: { givenName: 'Template', familyName: 'person-0' },
    emails: [{ type: 'work', value: 'person-0@quillfern.example', primary: true }],
  })
  await post('/Groups', { schemas: [GROUP], displayName: 'group-0', externalId: 'group-0' })
  return (method, path, body) =>
    httpRequest(method, `/scim/v2${path}`, headers, body === undefined ? undefined : JSON.stringify(body))
}

function userId(number: number): string {
  return `01900000-0000-7000-8000-1${String(number).padStart(11, '0')}`
}

function groupId(number: number): string {
  return `01900000-0000-7000-8000-2${String(number).padStart(11, '0')}`
}

/** @returns how long it took */
function seed(file: string): number {
  const started = performance.now()
  const database = new DatabaseSync(file)
  database.exec('PRAGMA synchronous=OFF; BEGIN')
  const columns = 'tenant_id, id, data, keys, version, created_at, last_modified'
  const numbers = (count: number) =>
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`
  database.exec(`${numbers(users - 1)} INSERT INTO users (${columns})
    SELECT tenant_id, printf('01900000-0000-7000-8000-1%011d', i), replace(data, 'person-0', 'person-' || i),
      replace(keys, 'person-0', 'person-' || i), 1, created_at, last_modified
    FROM n, (SELECT * FROM users WHERE user_name_key = 'person-0@quillfern.example')`)
  database.exec("UPDATE tenants SET group_limit = 100000 WHERE id = 'default'")
  database.exec(`${numbers(groups - 1)} INSERT INTO groups (${columns})
    SELECT tenant_id, printf('01900000-0000-7000-8000-2%011d', i), replace(data, 'group-0', 'group-' || i),
      replace(keys, 'group-0', 'group-' || i), 1, created_at, last_modified
    FROM n, (SELECT * FROM groups WHERE display_name_key = 'group-0')`)
  const insert = database.prepare("INSERT INTO memberships VALUES ('default', ?, ?, 'User')")
  for (let group = 1; group < groups; group++) {
    for (let i = 0; i < membersOfGroup; i++)
      insert.run(groupId(group), userId(1 + ((group * 499 + i) % (users - 1))))
    database.prepare('UPDATE groups SET member_count = ? WHERE id = ?').run(membersOfGroup, groupId(group))
  }
  database.exec('COMMIT')
  database.close()
  return performance.now() - started
}

/** Adds members to a group and takes them out again. @returns the median time */
async function addMembers(server: BenchServer, requests: Requests): Promise<number> {
  const database = new DatabaseSync(join(server.folder, 'data', 'directory.sqlite'), { readOnly: true })
  const [group] = database.prepare('SELECT id FROM groups ORDER BY id LIMIT 1').all()
  const people = database.prepare('SELECT id FROM users ORDER BY id DESC LIMIT 100').all()
  database.close()
  let number = 0
  return await p50(server, () => {
    const op = Math.floor(number / people.length) % 2 === 0 ? 'Add' : 'Remove'
    const value = [{ value: people[number++ % people.length]?.id }]
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp']
    return requests('PATCH', `/Groups/${group?.id}`, {
      schemas,
      Operations: [{ op, path: 'members', value }],
    })
  })
}

async function p50({ port }: BenchServer, next: () => string): Promise<number> {
  const { p50Ms, failed, failure } = await measure({ port, connections: CONNECTIONS, seconds: SECONDS, next })
  if (failed > 0) console.error(`${failed} failed, first: ${failure?.slice(0, 300)}`)
  return p50Ms
}

function residentMb({ child }: BenchServer): number {
  return status(child.pid, 'VmRSS')
}

function peakMb({ child }: BenchServer): number {
  return status(child.pid, 'VmHWM')
}

/** Linux alone tells. */
function status(pid: number | undefined, field: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024)
  } catch {
    return Number.NaN
  }
}

function random(below: number): number {
  return 1 + Math.floor(Math.random() * (below - 1))
}
