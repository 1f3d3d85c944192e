/** Which lists run in the thread for long reads: those that find many resources, or that read much of few. */
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startService } from '../../src/self-hosted/service.ts'
import { DatabaseThreads } from '../../src/sqlite/database-threads.ts'
import { serverSettings } from '../support/server-settings.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

const settings = serverSettings(temporaryFolder())
const service = startService(settings, MIGRATIONS)
afterAll(() => service.stop())

const tenant = 'long-lists'
async function send(path: string, token: string, body?: unknown) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
  const request = new Request(`http://127.0.0.1${path}`, init)
  const answer = await service.fetch({ request, address: '192.0.2.1' })
  return { status: answer.status, body: await answer.json() }
}

await send('/admin/api/tenants', 'test-admin-token', { id: tenant, name: 'Test' })
const { token } = (await send(`/admin/api/tenants/${tenant}/tokens`, 'test-admin-token', { name: 'Test' }))
  .body as { token: string }

/** Adds users whose ids have the opposite order of their numbers. @param user a JSON object in SQL, of the number `i` */
function addUsers(prefix: string, count: number, user: string) {
  const database = new DatabaseSync(settings.databaseFile, { timeout: 1_000 })
  database
    .prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2),
        users_to_add AS (SELECT i, json_set(${user}, '$.userName', ?3 || i) AS document FROM n)
      INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
      SELECT ?1, ?3 || printf('%06d', ?2 - i), document, document, 1, 0, 0 FROM users_to_add`)
    .run(tenant, count, prefix)
  database.close()
}

const longReads = vi.spyOn(DatabaseThreads.prototype, 'read')
const longWrites = vi.spyOn(DatabaseThreads.prototype, 'write')
beforeEach(() => void longReads.mockClear())

/** The number of lists among the long reads. The work of timers has others. */
function longLists(): number {
  return longReads.mock.calls.filter(([statements]) =>
    statements.some(({ sql }) => sql.includes(`'User' AS type`)),
  ).length
}

async function list(filter: string, more = '&attributes=id&count=2') {
  const { status, body } = await send(`/scim/v2/Users?filter=${encodeURIComponent(filter)}${more}`, token)
  const { totalResults, Resources, scimType, nextCursor } = body as Record<string, unknown>
  const ids = ((Resources ?? []) as { id: string }[]).map(({ id }) => id)
  return { status, totalResults, ids, scimType, nextCursor, longReads: longLists() }
}

describe('resources that share a value', () => {
  it('are listed beside other requests if they are few, and in the thread if they are many', async () => {
    addUsers('few-', 1_000, `json_object('externalId', 'few')`)
    addUsers('many-', 1_001, `json_object('externalId', 'many')`)
    const few = await list('externalId eq "few"')
    expect(few).toMatchObject({ totalResults: 1_000, ids: ['few-000000', 'few-000001'], longReads: 0 })
    const many = await list('externalId eq "many"')
    expect(many).toMatchObject({ totalResults: 1_001, ids: ['many-000000', 'many-000001'], longReads: 1 })
    const first = await list('externalId eq "many"', '&attributes=id&count=2&cursor=')
    const next = await list('externalId eq "many"', `&attributes=id&count=2&cursor=${first.nextCursor}`)
    expect(next).toMatchObject({ totalResults: 1_001, ids: ['many-000002', 'many-000003'], longReads: 3 })
  })

  it('have an estimate if they are few but large, and make work for the filter', async () => {
    addUsers(
      'same-',
      20,
      `json_object('emails', json('[{"value":"same@x.example"}]'), 'title', hex(zeroblob(200000)))`,
    )
    const one = 'emails.value eq "same@x.example"'
    expect(await list(one)).toMatchObject({ totalResults: 20, longReads: 0 })
    const tests = Array.from({ length: 50 }, (_, i) => `emails[value eq "same@x.example" and type ne "${i}"]`)
    expect(await list(tests.join(' and '))).toMatchObject({ status: 400, scimType: 'tooMany', longReads: 1 })
    expect(await list(`${tests[0]} or ${tests[1]}`)).toMatchObject({ status: 200, totalResults: 20 })
    addUsers('own-', 20, `json_object('emails', json('[{"value":"own@x.example"}]'))`)
    longReads.mockClear()
    const own = tests.map((test) => test.replace('same@', 'own@'))
    expect(await list(own.join(' and '))).toMatchObject({ totalResults: 20, longReads: 0 })
    expect(longWrites).not.toHaveBeenCalled()
  })
})

describe('the users of a group', () => {
  it('are listed in the thread if the group, or those within it, have many members', async () => {
    addUsers('member-', 2, 'json_object()')
    const database = new DatabaseSync(settings.databaseFile, { timeout: 1_000 })
    for (const id of ['small', 'large', 'outer'])
      database
        .prepare(`INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified)
          VALUES (?1, ?2, json_object('displayName', ?2), json_object('displayName', ?2), 1, 0, 0)`)
        .run(tenant, id)
    for (const [group, member, type] of [
      ['small', 'member-000000', 'User'],
      ['large', 'member-000001', 'User'],
      ['outer', 'large', 'Group'],
    ] as const)
      database
        .prepare('INSERT INTO memberships (tenant_id, group_id, member_id, member_type) VALUES (?, ?, ?, ?)')
        .run(tenant, group, member, type)
    database
      .prepare(`UPDATE groups SET member_count = 10001 WHERE tenant_id = ? AND id = 'large'`)
      .run(tenant)
    database.close()
    expect(await list('groups.value eq "small"')).toMatchObject({ ids: ['member-000000'], longReads: 0 })
    expect(await list('groups.value eq "large"')).toMatchObject({ ids: ['member-000001'], longReads: 1 })
    expect(await list('groups.value eq "outer"')).toMatchObject({ ids: ['member-000001'], longReads: 2 })
  })
})
