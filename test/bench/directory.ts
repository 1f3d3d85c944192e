/**
 * The directory for measurements: a database file that every peer starts with. The server stores one user and one
 * group, so that they have the server's format; SQL then multiplies them. The tenant is "default".
 */
import { DatabaseSync } from 'node:sqlite'
import { ADMIN_TOKEN, databaseFile, newFolder, type Peer, start, stop } from './peers/peer.ts'

export interface DirectorySize {
  readonly users: number
  readonly groups: readonly GroupSize[]
}

export interface GroupSize {
  readonly members: number
  /** The number of the first member, 1 by default; the others follow. */
  readonly from?: number
}

export interface Directory {
  readonly file: string
  readonly size: DirectorySize
  /** A token of the tenant with write access. */
  readonly token: string
}

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
/** High enough for every measurement. */
const GROUP_LIMIT = 1_000_000_000

export function userId(number: number): string {
  return `01900000-0000-7000-8000-1${String(number).padStart(11, '0')}`
}

/** Users are numbered from 1 to the size of the directory. */
export function userName(number: number | string): string {
  return `person-${number}@quillfern.example`
}

export function groupId(number: number): string {
  return `01900000-0000-7000-8000-2${String(number).padStart(11, '0')}`
}

/**
 * @param more attributes of each user, with "person-0" for its number
 * @throws {Error} if the server does not store the two resources
 */
export async function makeDirectory(size: DirectorySize, more: object = {}): Promise<Directory> {
  const folder = newFolder()
  const server = await start('Node.js', { folder })
  const token = await newToken(server)
  await post(server, token, '/Users', {
    schemas: [USER],
    userName: userName(0),
    externalId: 'person-0',
    active: true,
    displayName: 'Given person-0',
    name: { givenName: 'Given', familyName: 'person-0', formatted: 'Given person-0' },
    emails: [{ type: 'work', value: userName(0), primary: true }],
    ...more,
  })
  await post(server, token, '/Groups', { schemas: [GROUP], displayName: 'group-0', externalId: 'group-0' })
  await stop(server)
  const file = databaseFile('Node.js', folder)
  multiply(file, size)
  return { file, size, token }
}

async function newToken({ port }: Peer): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/api/tenants/default/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Benchmark' }),
  })
  if (answer.status !== 201) throw new Error(`no token: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { token: string }).token
}

async function post({ port }: Peer, token: string, path: string, body: object): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/scim/v2${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' },
    body: JSON.stringify(body),
  })
  if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`)
}

/** Replaces the 0 in the two templates, which is a word of its own, too, by numbers and deletes the templates. */
function multiply(file: string, { users, groups }: DirectorySize): void {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF; BEGIN')
  database.exec('CREATE TABLE floor (id INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT')
  database.exec(`UPDATE tenants SET group_limit = ${GROUP_LIMIT} WHERE id = 'default'`)
  const columns = 'tenant_id, id, data, keys, version, created_at, last_modified, created_by, modified_by'
  const copy = (table: string, word: string, prefix: number, count: number) =>
    database.exec(`${numbers(count)} INSERT INTO ${table} (${columns})
      SELECT tenant_id, printf('01900000-0000-7000-8000-${prefix}%011d', i), replace(data, '${word}-0', '${word}-' || i),
        replace(replace(keys, '${word}-0', '${word}-' || i), '"0"', '"' || i || '"'), 1, created_at, last_modified, created_by, modified_by
      FROM n, (SELECT * FROM ${table} WHERE external_id = '${word}-0')`)
  copy('users', 'person', 1, users)
  copy('groups', 'group', 2, groups.length)
  database.exec(`DELETE FROM users WHERE external_id = 'person-0';
    DELETE FROM groups WHERE external_id = 'group-0'`)
  for (const [i, size] of groups.entries()) fill(database, groupId(i + 1), size)
  database.exec('COMMIT')
  database.close()
}

function fill(database: DatabaseSync, group: string, { members, from = 1 }: GroupSize): void {
  database.exec(`${numbers(members)} INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
    SELECT 'default', '${group}', printf('01900000-0000-7000-8000-1%011d', ${from - 1} + i), 'User' FROM n`)
  database.prepare('UPDATE groups SET member_count = ? WHERE id = ?').run(members, group)
}

function numbers(count: number): string {
  return `WITH RECURSIVE n (i) AS (SELECT 1 WHERE ${count} > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`
}
