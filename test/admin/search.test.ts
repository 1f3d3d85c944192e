/**
 * The dashboard's search: what it finds in a directory that is too large to be scanned, at what cost, and what it says about
 * what it has not looked at.
 */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Database, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { fillMissingWords } from '../../src/storage/search/missing-words.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { MAX_RESOURCE_WORDS } from '../../src/storage/tables/words.ts'
import { addToGroup } from '../support/crowd.ts'
import { Browser, type Page, textOf } from '../support/dashboard.ts'
import { type Client, costOf, newClient } from '../support/harness.ts'
import { differingWords } from '../support/search-words.ts'

const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'
const CROWD = 2_400

/** A tenant with more users than a search scans. A tenth is called Maria, a twentieth Smith. */
async function newCrowd() {
  const client = await newClient({ groupLimit: 5_000 })
  const numbers = JSON.stringify(Array.from({ length: CROWD }, (_, i) => i))
  const user = `json_object('userName', printf('u%05d.person@quillfern.example', value), 'displayName',
    CASE WHEN value % 10 = 0 THEN 'maria ' ELSE 'someone ' END || CASE WHEN value % 20 = 1 THEN 'smith' ELSE 'number' || value END)`
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
       SELECT ?1, printf('01a2097c-0000-7000-8000-%012d', value), ${user}, ${user}, 1, value, value FROM json_each(?2)`,
    ).bind(client.tenantId, numbers),
    env.DB.prepare(
      `INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified)
       SELECT ?1, printf('01a2097c-0000-7000-9000-%012d', value), json_object('displayName', 'Team ' || value),
         json_object('displayName', 'team ' || value), 1, value, value FROM json_each(?2)`,
    ).bind(client.tenantId, numbers),
  ])
  await fillMissingWords(openDatabase(env.DB, noFigures()), RESOURCE_TYPES, Number.POSITIVE_INFINITY)
  const browser = await new Browser().signIn()
  return { client, browser, path: `/admin/tenants/${client.tenantId}` }
}

function cost({ status, headers }: Page) {
  return costOf({ status, headers, body: undefined })
}

function namesOn(html: string): readonly string[] {
  return [...html.matchAll(/scope="row"[^>]*><a [^>]*>([^<]+)</g)].map(([, name]) => name ?? '')
}

let scene: Awaited<ReturnType<typeof newCrowd>>
beforeAll(async () => {
  scene = await newCrowd()
})

/** A page of a search. It must be cheap, whatever was searched. */
async function searched(q: string, more = '', list = 'users'): Promise<Page> {
  const { browser, path } = scene
  const page = await browser.get(`${path}/${list}?q=${encodeURIComponent(q)}${more}`)
  const { roundTrips, rowsRead } = cost(page)
  expect([q, page.status, roundTrips, rowsRead <= 200 || rowsRead]).toEqual([q, 200, 1, true])
  return page
}

const USER = {
  userName: 'Jo.Achterberg-Zürn@contoso.example',
  displayName: "Prof. Johanna (Hanni) d'Achterberg",
  name: {
    givenName: 'Johanna',
    familyName: "d'Achterberg",
    middleName: 'Ludovica',
    formatted: 'Frau Achterberg',
  },
  emails: [{ value: 'first@fabrikam.example' }, { value: 'Second.Address@mail.tailspin.example' }],
  externalId: 'EXT-0042/b',
  [UMBRELLA]: { nativeObjectId: 'S-1-5-21-77' },
}

describe('the search among many users', () => {
  let id: string
  beforeAll(async () => {
    id = (await scene.client.createUser(USER)).id
  })

  it.for([
    'achterberg',
    'ACHTER',
    "d'achterberg",
    'zürn',
    'ZÜRN@contoso.example',
    'hanni',
    '(hanni)',
    'ludovica',
    'frau',
    'contoso.example',
    '@contoso.ex',
    'first@fabrikam',
    'fabrikam.example',
    'address',
    'second.addr',
    'mail.tailspin.example',
    'Jo.Achterberg-Zürn@contoso.example',
    'EXT-0042',
    'S-1-5-21-77',
    'achterberg johanna',
    'johanna achterberg',
    'hanni prof',
    'achterberg contoso.example',
    '  achterberg  ',
  ])('finds %s', async (q) => {
    expect(namesOn((await searched(q)).html)).toEqual([USER.userName])
  })

  it('finds the beginning of an id', async () => {
    const { html } = await searched(id.slice(0, 20))
    expect(namesOn(html)).toEqual([USER.userName])
  })

  it('follows changes and deletions', async () => {
    const { client } = scene
    const other = await client.createUser({
      displayName: 'Anna Wagenknecht',
      userName: 'anna.w@contoso.example',
    })
    expect(namesOn((await searched('wagenknecht')).html)).toEqual(['anna.w@contoso.example'])
    await client.patch(`/Users/${other.id}`, { op: 'replace', path: 'displayName', value: 'Anna Neubauer' })
    expect(namesOn((await searched('wagenknecht')).html)).toEqual([])
    expect(namesOn((await searched('neubauer')).html)).toEqual(['anna.w@contoso.example'])
    await client.request('DELETE', `/Users/${other.id}`)
    expect(namesOn((await searched('neubauer')).html)).toEqual([])
    expect(await differingWords(client.tenantId)).toEqual([])
  })

  it('shows the first of many, and leads to all that begin with the text in one field', async () => {
    const { html } = await searched('maria')
    expect(namesOn(html)).toHaveLength(20)
    expect(textOf(html)).toContain('The first 20 are shown. There are more: type more of the name')
    const href = /href="([^"]+)">display name</.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const page = await scene.browser.get(href)
    expect(namesOn(page.html)).toHaveLength(50)
    expect(cost(page).rowsRead).toBeLessThan(200)
  })

  it('says that it has not looked at all, if each word has many matches', async () => {
    await scene.client.createUser({ displayName: 'Zoe Maria Smith', userName: 'zoe@other.example' })
    const found = await searched('smith maria')
    expect(textOf(found.html)).toMatch(/No match for “smith maria” so far|There may be more/)
    expect(textOf(found.html)).not.toContain('No match for “smith maria” among')
    expect(namesOn((await searched('smith zoe')).html)).toEqual(['zoe@other.example'])
  })

  it('says what was compared if nothing was found', async () => {
    const { html } = await searched('erik')
    expect(textOf(html)).toMatch(/No match for “erik” among 2,4\d\d users\./)
    expect(textOf(html)).toContain('Finds the beginning of words in names, user names and e-mail addresses')
    expect(textOf(html)).toContain('Not compared: the middle of words')
    expect(textOf(html)).not.toContain('so small')
  })

  it('says that there are more only if it has found them', async () => {
    // 36 of 60 users are looked at, and 20 of these are members.
    const { client } = scene
    const group = await client.createGroup({ displayName: 'Qarls' })
    const user = `json_object('userName', printf('qarl%02d', value))`
    await env.DB.prepare(
      `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
       SELECT ?1, printf('01a2097d-0000-7000-8000-%012d', value), ${user}, ${user}, 1, 0, 0 FROM json_each(?2)`,
    )
      .bind(client.tenantId, JSON.stringify(Array.from({ length: 60 }, (_, i) => i)))
      .run()
    const members = Array.from({ length: 20 }, (_, i) => `01a2097d-0000-7000-8000-0000000000${10 + i}`)
    await addToGroup(client.tenantId, group.id, members)
    const { html } = await searched('qarl', `&group=${group.id}`)
    expect(namesOn(html)).toHaveLength(20)
    expect(textOf(html)).toContain('20 found. There may be more')
  })

  it.for([
    '%',
    '_',
    '%%%%%%%%%',
    "' OR 1=1 --",
    '"',
    '""""',
    '*',
    'a* OR b NEAR(c d)',
    'x AND NOT y',
    '{a b}:c^',
    '\\',
    '\u0000',
    'maria\u0000',
    '\u202eairam',
    '\u{10ffff}',
    '@',
    '@@@',
    '...',
    '💥',
    'ß',
    'a b c d e f g h i j k l m n o p q r s t u v w x y z',
    'maria smith someone number person u00',
    '?1 ?2 $a :b',
    '<script>alert(1)</script>',
  ])('is safe and cheap for %j', async (q) => {
    const { html } = await searched(q)
    expect(html).not.toContain('<script>')
    expect(textOf(html)).toMatch(/No match for|found\.|There (are|may be) more|2,4\d\d users/)
  })

  it('refuses a text that is too long, without reading', async () => {
    const page = await searched('ä'.repeat(129))
    expect(textOf(page.html)).toContain('The text is too long.')
    expect(cost(page).rowsRead).toBeLessThan(10)
    expect(textOf((await searched('é '.repeat(85))).html)).toContain('No match')
  })

  it('reads no more rows if all matches match in every field', async () => {
    const { client } = scene
    for (let i = 0; i < 20; i++) {
      await client.createUser({
        userName: `quisling.${i}@quisling.example`,
        displayName: `Quisling ${i}`,
        name: { givenName: 'Quisling', familyName: 'Quisling', middleName: 'x quisling' },
        emails: [{ value: `quisling.${i}@a.example` }, { value: `quisling.b.${i}@a.example` }],
        externalId: `quisling-${i}`,
        [UMBRELLA]: { nativeObjectId: `quisling-${i}` },
      })
    }
    expect(namesOn((await searched('quisling')).html)).toHaveLength(20)
    expect(namesOn((await searched('quisling quisling')).html).length).toBeGreaterThan(0)
  })
})

describe('the search among many groups', () => {
  it('finds any word of the display name', async () => {
    await scene.client.createGroup({ displayName: 'Röntgen – Field Crew (South)', externalId: 'g-ext-1' })
    for (const q of ['crew', 'SOUTH', 'röntgen', 'south field', 'field crew', 'g-ext-1']) {
      expect([q, namesOn((await searched(q, '', 'groups')).html)]).toEqual([
        q,
        ['Röntgen – Field Crew (South)'],
      ])
    }
    expect(namesOn((await searched('team', '', 'groups')).html)).toHaveLength(20)
    expect(await differingWords(scene.client.tenantId)).toEqual([])
  })
})

describe('the search among the members of a group', () => {
  let group: { id: string }
  beforeAll(async () => {
    group = await scene.client.createGroup({ displayName: 'Some of them' })
    const ids = Array.from(
      { length: CROWD / 2 },
      (_, i) => `01a2097c-0000-7000-8000-${String(2 * i).padStart(12, '0')}`,
    )
    await addToGroup(scene.client.tenantId, group.id, ids)
  })

  it('finds members only', async () => {
    expect(namesOn((await searched('number2222', `&group=${group.id}`)).html)).toEqual([
      'u02222.person@quillfern.example',
    ])
    const { html } = await searched('number2221', `&group=${group.id}`)
    expect(namesOn(html)).toEqual([])
    expect(textOf(html)).toContain('Members of Some of them')
  })

  it('says that there may be more if it has not looked at all', async () => {
    const text = textOf((await searched('u00', `&group=${group.id}`)).html)
    expect(text).toMatch(/There (are|may be) more/)
    expect(textOf((await searched('smith', `&group=${group.id}`)).html)).toContain('so far')
  })
})

describe('the search while words are filled in', () => {
  const db = openDatabase(env.DB, noFigures())
  const run = async (tenantId: string, ...texts: readonly string[]) =>
    await env.DB.batch(texts.map((text) => env.DB.prepare(text).bind(tenantId)))
  /** What a version without words leaves of a user that it changes. */
  const writtenByEarlierVersion = (where: string) =>
    `UPDATE users SET keys = json_remove(keys, '$.words'), version = version + 1 WHERE tenant_id = ?1 AND ${where}`

  /** As it was before the first version with words. */
  async function forget({ tenantId }: Client) {
    await run(
      tenantId,
      writtenByEarlierVersion('1'),
      `UPDATE groups SET keys = json_remove(keys, '$.words') WHERE tenant_id = ?1`,
      'DELETE FROM search_words WHERE tenant_id = ?1',
      `UPDATE tenants SET words_position = 'groups:' WHERE id = ?1`,
    )
  }

  it('says so until the words of all users are there, and changes none that is', async () => {
    const { client, browser, path } = await newCrowd()
    const search = async (list: string, q: string) => (await browser.get(`${path}/${list}?q=${q}`)).html
    await client.createUser({ displayName: 'Zoe Xylander' })
    await forget(client)
    expect(textOf(await search('users', 'xylander'))).toContain('The search is being prepared.')
    expect(textOf(await search('groups', 'crew'))).toContain('The search is being prepared.')
    const filled: string[] = []
    for (let chunk = 0; !filled.includes(client.tenantId); chunk++) {
      expect(chunk).toBeLessThan(20)
      filled.push(...(await fillMissingWords(db, RESOURCE_TYPES, 5)))
      if (chunk < 10) await client.createUser({ displayName: `Adam Newcomer${chunk}` })
      // Some before the position, some after it.
      const number = String(chunk * 200).padStart(12, '0')
      if (chunk < 10)
        await run(client.tenantId, writtenByEarlierVersion(`id = '01a2097c-0000-7000-8000-${number}'`))
    }
    expect(await differingWords(client.tenantId)).toEqual([])
    for (const list of ['users', 'groups']) {
      expect(textOf(await search(list, 'xylander'))).not.toContain('The search is being prepared.')
    }
    expect(await search('users', 'xylander')).toContain('Zoe Xylander')
    expect(await missing(client)).toBe(0)
    expect(await fillMissingWords(db, RESOURCE_TYPES, 5)).toEqual([])
  })

  async function missing({ tenantId }: Client) {
    const count = `SELECT count(*) AS n FROM users WHERE tenant_id = ?1 AND json_type(keys, '$.words') IS NULL`
    return await env.DB.prepare(count).bind(tenantId).first('n')
  }

  it('finds what an earlier version has written, at any time', async () => {
    const client = await newClient()
    const browser = await new Browser().signIn()
    const find = async (q: string) =>
      textOf((await browser.get(`/admin/tenants/${client.tenantId}/users?q=${q}`)).html)
    const user = await client.createUser({ displayName: 'Ann Oldenburg', userName: 'ann' })
    await run(client.tenantId, writtenByEarlierVersion('1'))
    expect(await differingWords(client.tenantId)).toEqual([])
    expect(await find('oldenburg')).toContain('The search is being prepared.')
    expect(await fillMissingWords(db, RESOURCE_TYPES, 100)).toContain(client.tenantId)
    expect(await missing(client)).toBe(0)
    expect(await find('oldenburg')).not.toContain('The search is being prepared.')
    // A change, a deletion and a new user, before the words are there.
    await run(client.tenantId, writtenByEarlierVersion('1'))
    await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'displayName', value: 'Ann Newhouse' })
    expect(await find('newhouse')).not.toContain('The search is being prepared.')
    expect(await differingWords(client.tenantId)).toEqual([])
    await run(client.tenantId, writtenByEarlierVersion('1'))
    expect((await client.request('DELETE', `/Users/${user.id}`)).status).toBe(204)
    expect(await find('newhouse')).not.toContain('The search is being prepared.')
    expect(await differingWords(client.tenantId)).toEqual([])
  })

  it('loses no user that changes between the reading and the writing of a chunk', async () => {
    const client = await newClient()
    const names = ['Eve Firstham', 'Eve Secondham', 'Eve Thirdham', 'Eve Fourthham']
    const users: { readonly id: string }[] = []
    for (const displayName of names) users.push(await client.createUser({ displayName }))
    await forget(client)
    const [first, second, third] = users.map(({ id }) => `id = '${id}'`)
    let batches = 0
    const meddling: Database = {
      ...db,
      batch: async (statements) => {
        const results = await db.batch(statements)
        const isTexts = statements.length === 1 && results[0]?.rows[0]?.texts !== undefined
        if (isTexts && batches++ === 0) {
          await run(
            client.tenantId,
            writtenByEarlierVersion(String(first)),
            `DELETE FROM users WHERE tenant_id = ?1 AND ${third}`,
          )
          await client.patch(`/Users/${users[1]?.id}`, {
            op: 'replace',
            path: 'displayName',
            value: 'Eve Otherham',
          })
        }
        return results
      },
    }
    expect(await fillMissingWords(meddling, RESOURCE_TYPES, 100)).toContain(client.tenantId)
    expect(batches).toBeGreaterThan(1)
    expect([second, await missing(client)]).toEqual([second, 0])
    expect(await differingWords(client.tenantId)).toEqual([])
  })

  it('writes nothing into a tenant whose writes are stopped', async () => {
    const client = await newClient()
    await client.createUser({ displayName: 'Ian Resting' })
    await forget(client)
    const stopping: Database = {
      ...db,
      batch: async (statements) => {
        const results = await db.batch(statements)
        if (results[0]?.rows[0]?.texts !== undefined)
          await run(client.tenantId, `UPDATE tenants SET state = 'moving' WHERE id = ?1`)
        return results
      },
    }
    await fillMissingWords(stopping, RESOURCE_TYPES, 100)
    expect(await missing(client)).toBe(1)
    await run(client.tenantId, `UPDATE tenants SET state = 'ready' WHERE id = ?1`)
    expect(await fillMissingWords(db, RESOURCE_TYPES, 100)).toContain(client.tenantId)
    expect(await missing(client)).toBe(0)
    expect(await differingWords(client.tenantId)).toEqual([])
  })
})

describe('the words of users', () => {
  it('cost an ordinary user one written row, and a change of other values none', async () => {
    const client = await newClient()
    const user = await client.createUser({
      userName: 'maria.achterberg@contoso.example',
      displayName: 'Maria Achterberg',
      name: { givenName: 'Maria', familyName: 'Achterberg' },
      emails: [{ value: 'maria.achterberg@contoso.example' }],
    })
    const words = async () =>
      (
        await env.DB.prepare('SELECT word FROM search_words WHERE tenant_id = ?1').bind(client.tenantId).all()
      ).results.map(({ word }) => word)
    expect(await words()).toEqual(['contoso.example'])
    const costs = []
    for (const [path, value] of [
      ['title', 'Engineer'],
      ['displayName', 'Maria Achterberg-Zwo'],
    ]) {
      const answer = await client.patch(`/Users/${user.id}`, { op: 'replace', path, value })
      costs.push(costOf(answer))
    }
    expect(await words()).toEqual(['contoso.example', 'zwo'])
    const [title, name] = costs
    expect(Number(name?.rowsWritten) - Number(title?.rowsWritten)).toBe(1)
    expect(name?.rowsRead).toBeLessThan(25)
  })

  it('are out of reach of a client', async () => {
    const client = await newClient()
    const user = await client.createUser({ displayName: 'Zoe Hidden', words: ['shown'] })
    expect(user).not.toHaveProperty('words')
    for (const filter of ['words pr', 'words eq "hidden"', 'words[value eq "hidden"]', 'x1 pr']) {
      const { status, body } = await client.request('GET', `/Users?filter=${encodeURIComponent(filter)}`)
      expect([filter, status, body.scimType]).toEqual([filter, 400, 'invalidFilter'])
    }
    const patched = await client.patch(`/Users/${user.id}`, {
      op: 'replace',
      path: 'words',
      value: ['shown'],
    })
    expect([patched.status, patched.body.scimType]).toEqual([400, 'invalidPath'])
    const { body } = await client.request('GET', `/Users/${user.id}?attributes=words,displayName`)
    expect(Object.keys(body).sort()).toEqual(['displayName', 'id', 'schemas'])
    expect(await differingWords(client.tenantId)).toEqual([])
  })

  it('are bounded, whatever a client sends', async () => {
    const client = await newClient()
    const long = Array.from({ length: 190 }, (_, i) => `w${i}`).join(' ')
    const hostile = [
      long,
      'x'.repeat(1_000),
      '@'.repeat(900),
      '" \\ \u0001 \t',
      ' '.repeat(900),
      `\u202e${long}`,
      '💥'.repeat(99),
    ]
    for (const text of hostile) {
      await client.createUser({
        displayName: text,
        name: { formatted: `${text}1`, middleName: `${text}2` },
        emails: Array.from({ length: 50 }, (_, i) => ({ value: `${text}${i}@${i}.example` })),
      })
    }
    const words = (text: number) => Array.from({ length: 120 }, (_, i) => `w${text}x${i}`).join('.')
    await client.createUser({
      displayName: words(1),
      userName: words(2),
      name: { givenName: words(3), familyName: words(4), middleName: words(5), formatted: words(6) },
      emails: Array.from({ length: 50 }, (_, i) => ({ value: words(7 + i) })),
    })
    const count = env.DB.prepare(
      'SELECT max(n) AS most FROM (SELECT count(*) AS n FROM search_words WHERE tenant_id = ?1 GROUP BY resource_id)',
    )
    expect(await count.bind(client.tenantId).first('most')).toBe(MAX_RESOURCE_WORDS)
    expect(await differingWords(client.tenantId)).toEqual([])
  })
})
