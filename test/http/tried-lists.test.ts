/**
 * Lists that indexes lead to few resources for are read beside other requests, and not in the thread for long reads, where they
 * would wait for scans. If there are more, the thread reads them.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { addCrowd } from '../support/crowd.ts'
import { type Client, newClient } from '../support/harness.ts'

const HAS_THREAD = 'longBatch' in env.DB
/** Those of all connections: `env.DB` is not that of the server. */
const LONG_BATCHES = Object.getPrototypeOf(env.DB) as { longBatch: D1Database['batch'] }

/** The size of a list, and whether the thread read it. */
async function read(client: Client, path: string) {
  const long = vi.spyOn(LONG_BATCHES, 'longBatch')
  try {
    const { body } = await client.get(path)
    const statements = long.mock.calls.flatMap(([batch]) => batch as unknown as { readonly sql: string }[])
    const isLong = statements.some(({ sql }) => sql.includes('AS memberCount'))
    return { total: body.totalResults, shown: body.Resources?.length, isLong }
  } finally {
    long.mockRestore()
  }
}

function filtered(filter: string, more = ''): string {
  return `/Users?filter=${encodeURIComponent(filter)}${more}`
}

async function setDocuments({ tenantId }: Client, attributes: string): Promise<void> {
  await env.DB.prepare(
    `UPDATE users SET data = json_set(data, ${attributes}), keys = json_set(keys, ${attributes}) WHERE tenant_id = ?1`,
  )
    .bind(tenantId)
    .run()
}

describe.runIf(HAS_THREAD)('a list of which indexes find few resources is read beside other requests', () => {
  it.for([
    'externalId eq "e" and active eq true',
    'phoneNumbers[type eq "work" and value eq "+1"]',
    'phoneNumbers[type eq "work"].value eq "+1" and title eq "t"',
    'emails[type eq "work"].value eq "a@x.example"',
    'name.familyName eq "f" and name.givenName eq "g"',
    'userName eq "u" or emails.value eq "a@x.example"',
    'displayName sw "d" and title eq "t"',
    'meta.lastModified gt "2000-01-01T00:00:00Z"',
    'meta.created gt "2000-01-01T00:00:00Z" and title pr',
  ])('%s', async (filter) => {
    const client = await newClient()
    await client.createUser({
      userName: 'u',
      externalId: 'e',
      displayName: 'd',
      title: 't',
      active: true,
      name: { familyName: 'f', givenName: 'g' },
      emails: [{ type: 'work', value: 'a@x.example' }],
      phoneNumbers: [{ type: 'work', value: '+1' }],
    })
    for (let i = 0; i < 3; i++)
      expect(await read(client, filtered(filter))).toEqual({ total: 1, shown: 1, isLong: false })
  })
})

describe.runIf(HAS_THREAD)('a list of which indexes find more is read in the thread', () => {
  it('those with a shared value', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 25)
    await setDocuments(
      client,
      `'$.title', 't', '$.phoneNumbers', json_array(json_object('type', 'work', 'value', '+1'))`,
    )
    for (let i = 0; i < 3; i++)
      expect(await read(client, filtered('phoneNumbers[value eq "+1" and type eq "work"]'))).toEqual({
        total: 25,
        shown: 25,
        isLong: true,
      })
  })

  it('those that have changed since a time', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 1_100)
    await env.DB.prepare('UPDATE users SET last_modified = 1000 + rowid WHERE tenant_id = ?1')
      .bind(client.tenantId)
      .run()
    const filter = 'meta.lastModified gt "1970-01-01T00:00:00Z"'
    for (let i = 0; i < 3; i++) {
      expect(await read(client, filtered(filter, '&count=10'))).toEqual({
        total: 1_100,
        shown: 10,
        isLong: true,
      })
      // So large a page is not read twice.
      expect(await read(client, filtered(filter, '&count=101'))).toEqual({
        total: 1_100,
        shown: 101,
        isLong: true,
      })
    }
  })

  it('those whose documents are large', async () => {
    const client = await newClient()
    for (let i = 0; i < 6; i++) await client.createUser({ externalId: 'e', active: true })
    const list = filtered('externalId eq "e" and active eq true', '&attributes=id')
    expect(await read(client, list)).toEqual({ total: 6, shown: 6, isLong: false })
    // 2.8 MB each.
    await setDocuments(client, `'$.title', hex(zeroblob(700000))`)
    expect((await read(client, list)).isLong).toBe(true)
  })
})
