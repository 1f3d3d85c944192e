/** Reads of a user by id and by userName, and of the token: each shows every earlier write, whoever makes it. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { admin, Client, newClient, newToken } from '../support/harness.ts'

async function directory() {
  const client = await newClient()
  const user = await client.createUser({ displayName: 'First' })
  const name = String(user.userName)
  /** What a read and a match show, each read twice, so that it may be remembered. */
  const seen = async (userName = name, id = String(user.id)) => {
    const once = async () => {
      const { status, body } = await client.get(`/Users/${id}`)
      const { body: list } = await client.filter('/Users', `userName eq "${userName}"`)
      const { body: short } = await client.get(
        `/Users?excludedAttributes=groups&filter=${encodeURIComponent(`userName eq "${userName}"`)}`,
      )
      expect(short.Resources?.[0]?.displayName).toBe(list.Resources?.[0]?.displayName)
      return [status, body.displayName, body.meta?.version, list.totalResults, list.Resources?.[0]?.id]
    }
    const first = await once()
    expect(await once()).toEqual(first)
    return first
  }
  const run = async (sql: string, ...values: readonly string[]) =>
    await env.DB.prepare(sql)
      .bind(client.tenantId, ...values)
      .run()
  return { client, user, name, seen, run }
}

describe('a read of a user', () => {
  it('follows changes, also by another program', async () => {
    const { client, user, seen, run } = await directory()
    expect(await seen()).toEqual([200, 'First', 'W/"1"', 1, user.id])
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'displayName', value: 'Second' })
    expect(await seen()).toEqual([200, 'Second', 'W/"2"', 1, user.id])
    await client.request('PUT', `/Users/${user.id}`, { userName: user.userName, displayName: 'Third' })
    expect(await seen()).toEqual([200, 'Third', 'W/"3"', 1, user.id])
    await run(
      `UPDATE users SET data = json_set(data, '$.displayName', 'Fourth'), version = 4 WHERE tenant_id = ?1 AND id = ?2`,
      user.id,
    )
    expect(await seen()).toEqual([200, 'Fourth', 'W/"4"', 1, user.id])
  })

  it('follows a name that goes to another user', async () => {
    const { client, user, name, seen } = await directory()
    await seen()
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'userName', value: `${name}.before` })
    expect(await seen()).toEqual([200, 'First', 'W/"2"', 0, undefined])
    const other = await client.createUser({ userName: name, displayName: 'Other' })
    expect(await seen()).toEqual([200, 'First', 'W/"2"', 1, other.id])
    expect(await seen(name, other.id)).toEqual([200, 'Other', 'W/"1"', 1, other.id])
  })

  it('follows deletion and restore', async () => {
    const { client, user, seen } = await directory()
    await seen()
    await client.request('DELETE', `/Users/${user.id}`)
    expect(await seen()).toEqual([404, undefined, undefined, 0, undefined])
    expect((await admin('POST', `/tenants/${client.tenantId}/tombstones/${user.id}/restore`)).status).toBe(
      200,
    )
    expect(await seen()).toEqual([200, 'First', 'W/"2"', 1, user.id])
  })
})

describe('a token', () => {
  /** Another token of the tenant, whose check may be remembered. @returns the status of its reads */
  async function token() {
    const { client, user, run } = await directory()
    const other = await newToken(client.tenantId)
    const read = async () => (await new Client(client.tenantId, other.token).get(`/Users/${user.id}`)).status
    expect([await read(), await read(), await read()]).toEqual([200, 200, 200])
    return { tenantId: client.tenantId, id: other.id, read, run }
  }

  it('is refused at once when it is revoked', async () => {
    const { tenantId, id, read } = await token()
    expect((await admin('DELETE', `/tenants/${tenantId}/tokens/${id}`)).status).toBe(204)
    expect([await read(), await read()]).toEqual([401, 401])
  })

  it('is refused at once when another program revokes it', async () => {
    const { id, read, run } = await token()
    await run('UPDATE tokens SET revoked_at = 1 WHERE tenant_id = ?1 AND id = ?2', id)
    expect([await read(), await read()]).toEqual([401, 401])
  })

  it('is refused at once when it expires', async () => {
    const { id, read, run } = await token()
    const soon = Date.now() + 1_000
    await run(`UPDATE tokens SET expires_at = ${soon} WHERE tenant_id = ?1 AND id = ?2`, id)
    expect([await read(), await read()]).toEqual([200, 200])
    await new Promise((wait) => setTimeout(wait, soon + 1 - Date.now()))
    expect([await read(), await read()]).toEqual([401, 401])
  })

  it('is refused at once when its tenant is deleted', async () => {
    const { tenantId, read } = await token()
    expect((await admin('DELETE', `/tenants/${tenantId}`)).status).toBe(204)
    expect([await read(), await read()]).toEqual([401, 401])
  })
})
