/** Changes of extension schemas that are broken off, in directories that take more than one chunk. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { parseExtension } from '../../src/scim/schema/extension.ts'
import {
  type Database,
  DatabaseUnavailable,
  noFigures,
  openDatabase,
} from '../../src/storage/database/database.ts'
import { putSchemas, removeSchema } from '../../src/storage/extensions/extensions.ts'
import { continueTasks } from '../../src/storage/extensions/task-runner.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { exported } from '../support/directory-file.ts'
import { admin, type Client, newClient } from '../support/harness.ts'
import { USER } from '../support/urns.ts'

const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
/** Three chunks. */
const USERS = 1_800

const db = () => openDatabase(env.DB, noFigures())
const schema = (indexed: boolean) => ({
  id: ACME,
  attributes: [{ name: 'badge', ...(indexed && { indexed }) }],
})

const tenantIn = (at: Database, tenantId: string) => ({ db: at, types: RESOURCE_TYPES, tenantId })

/** Answers so many batches, and then none. */
function failingAfter(batches: number): Database {
  let left = batches
  return {
    async batch(statements) {
      if (left-- <= 0) throw new DatabaseUnavailable('broken off')
      return await db().batch(statements)
    },
  }
}

async function directory({
  users = USERS,
  title = '',
  body = schema(false) as unknown,
} = {}): Promise<Client> {
  const client = await newClient()
  await admin('PUT', `/tenants/${client.tenantId}/schemas/${ACME}`, body)
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
     INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
     SELECT ?1, printf('%08d', i),
       json_object('schemas', json_array('${USER}', '${ACME}'), 'userName', 'u' || i, 'active', json('true'),
         'title', ?3, '${ACME}', json_object('badge', 'B' || i)),
       json_object('schemas', json_array(lower('${USER}'), lower('${ACME}')), 'userName', 'u' || i,
         '${ACME}', json_object('badge', 'b' || i)), 1, 0, 0 FROM n`,
  )
    .bind(client.tenantId, users, title)
    .run()
  return client
}

const stateOf = async ({ tenantId }: Client) =>
  (await admin('GET', `/tenants/${tenantId}/schemas`)).body.schemas[0]
const count = async ({ tenantId }: Client, condition: string) =>
  await env.DB.prepare(`SELECT count(*) AS n FROM users WHERE tenant_id = ?1 AND (${condition})`)
    .bind(tenantId)
    .first('n')

describe('an index that is being built', () => {
  it('is not used, is filled by every write, and is finished by the timer', async () => {
    const client = await directory()
    const put = putSchemas(tenantIn(failingAfter(4), client.tenantId), [
      parseExtension(schema(true), RESOURCE_TYPES),
    ])
    await expect(put).rejects.toThrow(DatabaseUnavailable)
    expect((await stateOf(client)).indexes).toEqual([{ attribute: 'badge', state: 'building' }])
    expect(await count(client, 'x1 IS NOT NULL')).toBe(600)
    const total = async (badge: string) =>
      (await client.filter('/Users', `${ACME}:badge eq "${badge}"`)).body.totalResults
    expect([await total('b1'), await total('b1799')]).toEqual([1, 1])
    await client.patch('/Users/00000001', { op: 'replace', path: `${ACME}:badge`, value: 'b1799' })
    await client.createUser({ [ACME]: { badge: 'B1799' } })
    expect([await total('b1'), await total('b1799')]).toEqual([0, 3])
    expect(await continueTasks({ db: db(), types: RESOURCE_TYPES, tenantId: client.tenantId }, 40)).toEqual([
      client.tenantId,
    ])
    expect((await stateOf(client)).indexes).toEqual([{ attribute: 'badge', state: 'ready' }])
    expect([await total('b1'), await total('b1799')]).toEqual([0, 3])
    expect(await count(client, `x1 IS NOT json_extract(keys, '$."${ACME}".badge')`)).toBe(0)
  })

  it('is given up when it is no longer wanted', async () => {
    const client = await directory()
    const put = putSchemas(tenantIn(failingAfter(4), client.tenantId), [
      parseExtension(schema(true), RESOURCE_TYPES),
    ])
    await expect(put).rejects.toThrow(DatabaseUnavailable)
    const answer = await admin('PUT', `/tenants/${client.tenantId}/schemas/${ACME}`, schema(false))
    expect(answer.body.indexes).toEqual([])
    expect(await continueTasks({ db: db(), types: RESOURCE_TYPES, tenantId: client.tenantId }, 40)).toEqual(
      [],
    )
  })
})

describe('a chunk', () => {
  it('ends early where documents are large', async () => {
    const client = await directory({ users: 9, title: 'x'.repeat(500_000) })
    await expect(removeSchema(tenantIn(failingAfter(4), client.tenantId), ACME, true)).rejects.toThrow(
      DatabaseUnavailable,
    )
    expect(await count(client, `data LIKE '%acme%'`)).toBe(6)
    expect(await continueTasks({ db: db(), types: RESOURCE_TYPES, tenantId: client.tenantId }, 40)).toEqual([
      client.tenantId,
    ])
    expect(await count(client, `data LIKE '%acme%'`)).toBe(0)
  })

  it('that cannot be done now keeps no other tenant waiting', async () => {
    const clients = [await directory({ users: 1 }), await directory({ users: 1 })].sort((a, b) =>
      a.tenantId < b.tenantId ? -1 : 1,
    )
    for (const { tenantId } of clients)
      await expect(removeSchema(tenantIn(failingAfter(2), tenantId), ACME, true)).rejects.toThrow(
        DatabaseUnavailable,
      )
    const [stuck, other] = clients.map(({ tenantId }) => tenantId)
    const setState = env.DB.prepare('UPDATE tenants SET state = ?2 WHERE id = ?1')
    await setState.bind(stuck, 'moving').run()
    const done = await continueTasks({ db: db(), types: RESOURCE_TYPES, tenantId: undefined }, 1_000)
    expect([done.includes(String(other)), done.includes(String(stuck))]).toEqual([true, false])
    await setState.bind(stuck, 'ready').run()
    expect(await continueTasks({ db: db(), types: RESOURCE_TYPES, tenantId: stuck }, 40)).toEqual([stuck])
  })
})

describe('a change that depends on stored values', () => {
  it('is refused where too many resources would have to be looked through, and says what to do', async () => {
    const attributes = Array.from({ length: 50 }, (_, i) => ({ name: i === 0 ? 'badge' : `a${i}` }))
    const client = await directory({ users: 7_000, body: { id: ACME, attributes } })
    const path = `/tenants/${client.tenantId}/schemas/${ACME}`
    const { status, body } = await admin('PUT', path, { id: ACME, attributes: attributes.slice(0, 49) })
    expect([status, body.error.code]).toEqual([409, 'conflict'])
    expect(body.error.message).toMatch(/"a49", left out.*purge=true/)
    expect((await stateOf(client)).attributes).toHaveLength(50)
    const more = attributes.map((one) => ({ ...one, description: 'changed' }))
    expect((await admin('PUT', path, { id: ACME, attributes: more })).status).toBe(200)
  })
})

describe('a purge', () => {
  it('hides the values when it is interrupted, accepts none, and is finished by the timer', async () => {
    const client = await directory()
    await expect(removeSchema(tenantIn(failingAfter(4), client.tenantId), ACME, true)).rejects.toThrow(
      DatabaseUnavailable,
    )
    expect((await stateOf(client)).state).toBe('purging')
    expect(await count(client, `data LIKE '%acme%'`)).toBe(1_200)
    expect((await client.get('/Users/00001800')).body).toMatchObject({ schemas: [USER], userName: 'u1800' })
    expect((await client.get('/Users/00001800')).body).not.toHaveProperty([ACME])
    const again = await admin('PUT', `/tenants/${client.tenantId}/schemas/${ACME}`, schema(false))
    expect([again.status, again.body.error.code]).toEqual([409, 'conflict'])
    expect(await exported(client.tenantId)).not.toContain('acme')
    expect(await continueTasks({ db: db(), types: RESOURCE_TYPES, tenantId: client.tenantId }, 40)).toEqual([
      client.tenantId,
    ])
    expect(await stateOf(client)).toBeUndefined()
    expect(await count(client, `data LIKE '%acme%' OR keys LIKE '%acme%'`)).toBe(0)
  })

  it('goes with its tenant', async () => {
    const client = await directory()
    await expect(removeSchema(tenantIn(failingAfter(4), client.tenantId), ACME, true)).rejects.toThrow(
      DatabaseUnavailable,
    )
    await admin('DELETE', `/tenants/${client.tenantId}`)
    const left = env.DB.prepare('SELECT count(*) AS n FROM extension_tasks WHERE tenant_id = ?1')
    expect(await left.bind(client.tenantId).first('n')).toBe(0)
  })
})

describe('a schema that comes and goes while clients write', () => {
  it('loses no value, and no write', async () => {
    const client = await newClient()
    const path = `/tenants/${client.tenantId}/schemas/${ACME}`
    await admin('PUT', path, schema(true))
    const users = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        client.createUser({ userName: `u${i}`, [ACME]: { badge: `b${i}` } }),
      ),
    )
    const write = async (id: string, round: number) => {
      const title = `t${round}`
      const { userName } = (await client.get(`/Users/${id}`)).body
      const answer =
        round % 2 === 0
          ? await client.request('PATCH', `/Users/${id}`, {
              schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
              Operations: [{ op: 'replace', path: 'title', value: title }],
            })
          : await client.request('PUT', `/Users/${id}`, {
              userName,
              title,
              [ACME]: { badge: userName.replace('u', 'b') },
            })
      return answer.status
    }
    for (let round = 0; round < 4; round++) {
      const [, ...statuses] = await Promise.all([
        round % 2 === 0 ? admin('DELETE', path) : admin('PUT', path, schema(true)),
        ...users.map(({ id }) => write(id, round)),
      ])
      // A round changes the configuration twice: when the schema comes or goes, and when its task is done.
      expect(new Set(statuses)).toEqual(new Set([200]))
    }
    const { Resources } = (await client.get('/Users')).body
    for (const { userName, title, [ACME]: extension } of Resources) {
      expect([userName, title, extension]).toEqual([userName, 't3', { badge: userName.replace('u', 'b') }])
      const found = await client.filter('/Users', `${ACME}:badge eq "${userName.replace('u', 'b')}"`)
      expect(found.body.totalResults).toBe(1)
    }
  })
})
