/**
 * Filters on values of users that have no column: e-mail addresses, names, phone numbers and others are found by an index,
 * whatever is written, restored or filled in later.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { fillMissingValues } from '../../src/storage/values/missing-values.ts'
import { chance } from '../support/chance.ts'
import { addCrowd } from '../support/crowd.ts'
import { type Client, costOf, newClient } from '../support/harness.ts'
import { ENTERPRISE, USER } from '../support/urns.ts'

const EMPLOYEE = `${ENTERPRISE}:employeeNumber`

/** Users that find out whether an index finds most of them. */
const CROWD = 1_500
/** Rows of indexes that are counted for it, once for each of the two ways, and a few more. */
const MOST_COUNTED = 2 * CROWD + 200

async function found(client: Client, filter: string, more = ''): Promise<readonly string[]> {
  const { status, body } = await client.filter('/Users', filter, more)
  if (status !== 200) throw new Error(`${filter}: ${JSON.stringify(body)}`)
  expect(body.totalResults).toBeGreaterThanOrEqual(body.Resources.length)
  return body.Resources.map(({ id }: { id: string }) => id)
}

async function valuesOf(client: Client): Promise<readonly unknown[][]> {
  const { results } = await env.DB.prepare(
    `SELECT attribute, CAST(value AS TEXT) AS value, user_id AS user FROM user_values WHERE tenant_id = ?1
     ORDER BY attribute, value, user`,
  )
    .bind(client.tenantId)
    .all()
  return results.map(({ attribute, value, user }) => [attribute, value, user])
}

describe('a filter on values of a user', () => {
  it('reads no more rows if the tenant has thousands of other users', async () => {
    const client = await newClient()
    const user = await client.createUser({
      emails: [{ value: 'Ann@Example.com', type: 'work' }],
      phoneNumbers: [{ value: '+1 555', type: 'mobile' }],
      name: { familyName: 'Ångström', givenName: 'Ann' },
      active: false,
      [ENTERPRISE]: { employeeNumber: '007' },
    })
    await addCrowd(client.tenantId, 5_000)
    for (const filter of [
      'emails.value eq "ann@example.COM"',
      'emails eq "ann@example.com"',
      'emails[type eq "work" and value eq "ann@example.com"]',
      'emails.value eq "ann@example.com" or userName eq "nobody"',
      'emails.value eq "ann@example.com" or phoneNumbers.value eq "none"',
      'emails.value eq "none" or emails.value eq "ann@example.com"',
      `${EMPLOYEE} eq "007"`,
      'name.familyName eq "ÅNGSTRÖM"',
      'name.givenName eq "ann"',
      'phoneNumbers.value eq "+1 555"',
      'active eq false',
    ]) {
      const answer = await client.filter('/Users', filter)
      expect([filter, answer.body.totalResults, answer.body.Resources?.[0]?.id]).toEqual([filter, 1, user.id])
      expect(costOf(answer).roundTrips).toBe(1)
      expect([filter, costOf(answer).rowsRead < 60 || costOf(answer).rowsRead]).toEqual([filter, true])
    }
    // Candidates are counted before other tests.
    for (const filter of [
      'emails.value sw "ann@"',
      'emails[type eq "work" and value sw "ANN@"]',
      `${EMPLOYEE} sw "00"`,
      'name.familyName sw "ång" and name.givenName eq "ann"',
      'emails.value sw "ann" or externalId eq "none"',
    ]) {
      const answer = await client.filter('/Users', filter)
      expect([filter, answer.body.totalResults]).toEqual([filter, 1])
      expect([filter, costOf(answer).rowsRead < 60 || costOf(answer).rowsRead]).toEqual([filter, true])
    }
  })

  it('of which many users have one leaves the look-up to another test, in any order', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 3_000)
    await env.DB.prepare(
      `UPDATE users SET keys = json_set(keys, '$.active', json('false'), '$.emails', json('[{"value":"x"}]'))
       WHERE tenant_id = ?1`,
    )
      .bind(client.tenantId)
      .run()
    const inactive = { userName: 'needle', active: false, emails: [{ value: 'x' }] }
    const { id, meta } = await client.createUser(inactive)
    const group = await client.createGroup({ members: [{ value: id }] })
    const shared = ['active eq false', 'meta.created gt "1960-01-01T00:00:00Z"', 'emails.value sw "x"']
    const rare = [
      'userName sw "need"',
      `meta.lastModified ge "${meta.lastModified}"`,
      `groups.value eq "${group.id}"`,
    ]
    for (const filter of shared.flatMap((one) =>
      rare.flatMap((other) => [`${one} and ${other}`, `${other} and ${one}`]),
    )) {
      const answer = await client.filter('/Users', filter)
      expect([filter, answer.body.totalResults]).toEqual([filter, 1])
      expect([filter, costOf(answer).rowsRead < 100 || costOf(answer).rowsRead]).toEqual([filter, true])
    }
  })

  it('reads no more than a scan if it finds most users, and stops at the end of a later page', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, CROWD)
    await env.DB.prepare(
      `UPDATE users SET keys = json_set(keys, '$.active', json('false'), '$.emails', json('[{"value":"x"}]'))
       WHERE tenant_id = ?1`,
    )
      .bind(client.tenantId)
      .run()
    const list = async (filter: string, more = '') => {
      const answer = await client.filter('/Users', filter, `&count=5&excludedAttributes=groups${more}`)
      expect([filter, answer.status]).toEqual([filter, 200])
      return { ...answer.body, rowsRead: costOf(answer).rowsRead }
    }
    const created = 'meta.created ge "1960-01-01T00:00:00Z"'
    for (const filter of [
      created,
      'emails.value sw "x"',
      'active eq false and not (title pr)',
      `active eq false or ${created} or emails.value sw "x"`,
      `(active eq false and ${created}) and (emails.value sw "x" and userName sw "c")`,
      `active eq false or groups.value eq "none"`,
      'userName sw "c" and not (title pr)',
    ]) {
      // No index finds the second alternative.
      const scanned = (await list(`(${filter}) or userType eq "x"`)).rowsRead
      const first = await list(filter, '&cursor')
      expect([filter, first.totalResults]).toEqual([filter, CROWD])
      expect([filter, first.rowsRead - scanned < MOST_COUNTED || first.rowsRead - scanned]).toEqual([
        filter,
        true,
      ])
      const second = await list(filter, `&cursor=${first.nextCursor}`)
      expect(second.Resources).toHaveLength(5)
      expect([filter, second.rowsRead < 120 || second.rowsRead]).toEqual([filter, true])
    }
  })

  it('finds users by the time of their creation', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 2_000)
    const { id, meta } = await client.createUser()
    // Of an import: its id does not tell when it was created.
    await env.DB.prepare(
      `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
       VALUES (?1, '00000000-0000-4000-8000-000000000000', json_object('userName', 'imported'),
         json_object('userName', 'imported'), 1, ?2, 0)`,
    )
      .bind(client.tenantId, Date.parse(meta.created))
      .run()
    const imported = '00000000-0000-4000-8000-000000000000'
    expect(await found(client, `meta.created eq "${meta.created}"`)).toEqual([imported, id])
    expect(await found(client, `meta.created ge "${meta.created}"`)).toEqual([imported, id])
    expect(await found(client, `meta.created gt "${meta.created}"`)).toEqual([])
    expect(await found(client, `meta.created lt "${meta.created}"`, '&count=0')).toEqual([])
    const before = await client.filter('/Users', `meta.created lt "${meta.created}"`, '&count=1')
    expect(before.body.totalResults).toBe(2_000)
  })

  it('tells apart values that are equal in their first 256 bytes', async () => {
    const client = await newClient()
    const long = 'é'.repeat(200)
    const values = [`${long}a`, `${long}b`, 'é'.repeat(127), 'é'.repeat(128), 'n', '']
    const ids = await Promise.all(
      values.map(async (value) => (await client.createUser({ name: { familyName: value } })).id as string),
    )
    for (const [i, value] of values.entries()) {
      expect(await found(client, `name.familyName eq ${JSON.stringify(value)}`)).toEqual([ids[i]])
      const longer = values.flatMap((one, at) => (one.startsWith(value) ? [String(ids[at])] : []))
      expect(await found(client, `name.familyName sw ${JSON.stringify(value)}`)).toEqual(longer.sort())
    }
  })

  it('pages through many users that share a value, forwards and backwards', async () => {
    const client = await newClient()
    const ids: string[] = []
    for (let i = 0; i < 12; i++)
      ids.push((await client.createUser({ name: { familyName: i % 4 === 3 ? 'Other' : 'Smith' } })).id)
    const smiths = ids.filter((_, i) => i % 4 !== 3)
    const filter = 'name.familyName eq "smith"'
    expect(await found(client, filter, '&startIndex=4&count=3')).toEqual(smiths.slice(3, 6))
    expect(await found(client, filter, '&startIndex=9&count=3')).toEqual(smiths.slice(8))
    const first = (await client.filter('/Users', filter, '&cursor&count=4')).body
    expect(first.totalResults).toBe(9)
    const second = (await client.filter('/Users', filter, `&cursor=${first.nextCursor}&count=4`)).body
    const third = (await client.filter('/Users', filter, `&cursor=${second.nextCursor}&count=4`)).body
    const back = (await client.filter('/Users', filter, `&cursor=${third.previousCursor}&count=4`)).body
    const shown = [first, second, third, back].map(({ Resources }) =>
      Resources.map(({ id }: { id: string }) => id),
    )
    expect(shown).toEqual([smiths.slice(0, 4), smiths.slice(4, 8), smiths.slice(8), smiths.slice(4, 8)])
  })
})

describe('the values of a user', () => {
  it('are written with those that change, and with no other change', async () => {
    const client = await newClient()
    const plain = { emails: [{ value: 'a@x.example' }, { value: 'b@x.example' }], name: { familyName: 'A' } }
    const { id } = await client.createUser(plain)
    const title = () =>
      client.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: crypto.randomUUID() })
    const without = costOf(await title()).rowsWritten
    expect(costOf(await title()).rowsWritten).toBe(without)
    const renamed = await client.patch(`/Users/${id}`, { op: 'replace', path: 'name.familyName', value: 'B' })
    expect(costOf(renamed).rowsWritten).toBe(without + 2)
    const more = [{ value: 'c@x.example' }, { value: 'b@x.example', type: 'work' }]
    const moved = await client.patch(`/Users/${id}`, { op: 'replace', path: 'emails', value: more })
    expect(costOf(moved).rowsWritten).toBe(without + 2)
    expect(await valuesOf(client)).toEqual([
      [1, 'b@x.example', id],
      [1, 'c@x.example', id],
      [3, 'b', id],
    ])
  })

  it('are those of the documents after random writes', async () => {
    const client = await newClient()
    const random = chance(17)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
    const texts = ['A', 'a', 'ß', 'SS', 'x'.repeat(300), 'é', '', 'o\'"\\']
    const list = () =>
      Array.from({ length: Math.floor(random() * 4) }, () => ({
        ...(random() < 0.9 && { value: pick(texts) }),
        type: pick(['work', 'home']),
      }))
    const attributes = () => ({
      ...(random() < 0.8 && { emails: list() }),
      ...(random() < 0.5 && { phoneNumbers: list() }),
      ...(random() < 0.7 && { name: { familyName: pick(texts), givenName: pick(texts) } }),
      ...(random() < 0.5 && { [ENTERPRISE]: { employeeNumber: pick(texts) } }),
      active: random() < 0.7,
    })
    const ids: string[] = []
    for (let i = 0; i < 30; i++) {
      const id = pick(ids)
      const what = ids.length < 5 ? 0 : random()
      const body = { schemas: [USER, ENTERPRISE], userName: `u${i}`, ...attributes() }
      if (what < 0.3) ids.push((await client.createUser(body)).id)
      else if (what < 0.6) await client.request('PUT', `/Users/${id}`, body)
      else if (what < 0.9) await client.patch(`/Users/${id}`, { op: 'replace', value: attributes() })
      else {
        await client.request('DELETE', `/Users/${id}`)
        ids.splice(ids.indexOf(id), 1)
      }
    }
    expect(await valuesOf(client)).toEqual(await expectedValues(client))
  })
})

/** The values by a scan of the stored documents. */
async function expectedValues(client: Client): Promise<readonly unknown[][]> {
  const { results } = await env.DB.prepare('SELECT id, keys FROM users WHERE tenant_id = ?1')
    .bind(client.tenantId)
    .all<{ id: string; keys: string }>()
  const rows = results.flatMap(({ id, keys }) => {
    const { emails = [], phoneNumbers = [], name = {}, active, ...more } = JSON.parse(keys)
    const of = (list: readonly { value?: string }[]) => list.map(({ value }) => value)
    const values = [
      of(emails),
      of(phoneNumbers),
      [name.familyName],
      [name.givenName],
      [more[ENTERPRISE]?.employeeNumber],
      active === false ? ['0'] : [],
    ]
    return values.flatMap((some, i) =>
      [...new Set(some)].flatMap((value) => (value === undefined ? [] : [[i + 1, cut(value), id]])),
    )
  })
  return rows.sort(
    ([a, v = '', u = ''], [b, w = '', x = '']) =>
      Number(a) - Number(b) ||
      Buffer.compare(Buffer.from(String(v)), Buffer.from(String(w))) ||
      (u < x ? -1 : 1),
  )
}

function cut(value: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(value).slice(0, 256))
}

describe('the values of users that were there before', () => {
  it('are filled in chunk by chunk, while filters look through the users', async () => {
    const fill = (statements: number) => fillMissingValues(openDatabase(env.DB, noFigures()), statements)
    // Other tests may have left tenants whose values are missing.
    await fill(10_000)
    const client = await newClient()
    await addCrowd(client.tenantId, 2_500)
    const { id } = await client.createUser({ emails: [{ value: 'ann@example.com' }] })
    const complete = await valuesOf(client)
    await env.DB.batch([
      env.DB.prepare('DELETE FROM user_values WHERE tenant_id = ?1').bind(client.tenantId),
      env.DB.prepare(
        `UPDATE tenants SET configuration = json_object('valuesMissing', json('true')) WHERE id = ?1`,
      ).bind(client.tenantId),
    ])
    const read = async () => {
      const answer = await client.filter('/Users', 'emails.value eq "ann@example.com"')
      expect(answer.body.Resources.map((user: { id: string }) => user.id)).toEqual([id])
      return costOf(answer).rowsRead
    }
    // The table has no values yet, so a look-up would find nobody.
    await read()
    // One chunk.
    expect(await fill(3)).toEqual([])
    expect((await valuesOf(client)).length).toBeGreaterThan(0)
    await read()
    expect(await fill(10)).toEqual([client.tenantId])
    expect(await valuesOf(client)).toEqual(complete)
    await read()
    expect(await read()).toBeLessThan(40)
    expect(await fill(10)).toEqual([])
  })
})
