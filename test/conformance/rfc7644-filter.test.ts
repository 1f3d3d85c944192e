/** RFC 7644 §3.4.2.2: all filter operators, on a small directory. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Client, newClient, USER } from '../support/harness.ts'
import { CISCO, ENTERPRISE, expectError, found } from './protocol.ts'

let client: Client

beforeAll(async () => {
  client = await newClient()
  await client.createUser({
    userName: 'ada@quillfern.example',
    externalId: 'Ext-1',
    title: 'Pilot',
    name: { givenName: 'Ada', familyName: 'Byron' },
    emails: [
      { value: 'ada@work.example', type: 'work', primary: true },
      { value: 'ada@home.example', type: 'home' },
    ],
    [ENTERPRISE]: { department: 'Survey' },
    [CISCO]: { nativeObjectId: '8f14e45f' },
  })
  await client.createUser({
    userName: 'Bea@quillfern.example',
    externalId: 'ext-1',
    title: 'Surveyor "North"',
    active: false,
    name: { givenName: 'Béatrice' },
    emails: [
      { value: 'bea@home.example', type: 'work' },
      { value: 'bea@work.example', type: 'home' },
    ],
  })
  await client.createUser({ userName: 'cyd@quillfern.example', active: true })
})

const ADA = 'ada@quillfern.example'
const BEA = 'Bea@quillfern.example'
const CYD = 'cyd@quillfern.example'

describe('RFC 7644 §3.4.2.2, filters', () => {
  it.for([
    ['userName eq "ada@quillfern.example"', [ADA]],
    ['title ne "Pilot"', [BEA, CYD]],
    ['userName co "QUILLFERN"', [ADA, BEA, CYD]],
    ['userName co "bea"', [BEA]],
    ['userName sw "cy"', [CYD]],
    ['userName ew ".example"', [ADA, BEA, CYD]],
    ['userName sw "ada@quillfern.example"', [ADA]],
    ['userName ew "ada@quillfern.example"', [ADA]],
    ['title pr', [ADA, BEA]],
    ['name pr', [ADA, BEA]],
    ['emails pr', [ADA, BEA]],
    ['userName gt "bea@quillfern.example"', [CYD]],
    ['userName ge "bea@quillfern.example"', [BEA, CYD]],
    ['userName lt "bea@quillfern.example"', [ADA]],
    ['userName le "bea@quillfern.example"', [ADA, BEA]],
    ['active eq true', [ADA, CYD]],
    ['active ne true', [BEA]],
  ] as const)('%s: operators of table 3 (§3.4.2.2)', async ([filter, expected]) => {
    expect(await found(client, filter)).toEqual(expected.toSorted())
  })

  it.for([
    ['title pr and active eq true', [ADA]],
    ['title pr or active eq true', [ADA, BEA, CYD]],
    ['not (title pr)', [CYD]],
    // The precedence is: parentheses, "not", "and", "or".
    ['userName sw "cyd" or userName sw "ada" and active eq false', [CYD]],
    ['(userName sw "cyd" or userName sw "ada") and active eq true', [ADA, CYD]],
    ['not (title pr) and active eq true', [CYD]],
    ['not (title pr and active eq true)', [BEA, CYD]],
    ['title pr AND active EQ true', [ADA]],
  ] as const)('%s: logical operators and precedence (§3.4.2.2)', async ([filter, expected]) => {
    expect(await found(client, filter)).toEqual(expected.toSorted())
  })

  it.for([
    ['emails.value eq "bea@home.example"', [BEA]],
    ['emails.type eq "home"', [ADA, BEA]],
    ['emails co "@home.example"', [ADA, BEA]],
    ['emails[type eq "work" and value ew "@work.example"]', [ADA]],
    ['emails[type eq "work" and value ew "@home.example"]', [BEA]],
    ['emails[type eq "work"] and title sw "Sur"', [BEA]],
    ['emails[not (type eq "work") and value sw "ada"]', [ADA]],
    ['emails[primary eq true]', [ADA]],
  ] as const)('%s: multi-valued attributes (§3.4.2.2)', async ([filter, expected]) => {
    expect(await found(client, filter)).toEqual(expected.toSorted())
  })

  it.for([
    ['USERNAME eq "ADA@QUILLFERN.EXAMPLE"', [ADA]],
    ['name.givenName eq "bÉATRICE"', [BEA]],
    ['externalId eq "Ext-1"', [ADA]],
    ['externalId eq "EXT-1"', []],
    ['externalId sw "Ext"', [ADA]],
    [`${USER}:userName eq "${ADA}"`, [ADA]],
    [`${USER.toUpperCase()}:NAME.GIVENNAME eq "ada"`, [ADA]],
    [`${ENTERPRISE}:department eq "survey"`, [ADA]],
    [`${CISCO}:nativeObjectId eq "8F14E45F"`, [ADA]],
    [`${CISCO}:nativeObjectId pr`, [ADA]],
    ['title eq "Surveyor \\"North\\""', [BEA]],
    ['title eq "\\u0050ilot"', [ADA]],
    ['title eq null', [CYD]],
    [`schemas eq "${ENTERPRISE}"`, [ADA]],
  ] as const)('%s: names, case and literals (§3.4.2.2, §3.10)', async ([filter, expected]) => {
    expect(await found(client, filter)).toEqual(expected.toSorted())
  })

  it('compares dateTimes as instants, regardless of the offset (§3.4.2.2)', async () => {
    const own = await newClient()
    const { userName, meta } = await own.createUser()
    const shifted = new Date(Date.parse(meta.created) + 3_600_000).toISOString().replace('Z', '+01:00')
    expect(await found(own, `meta.created eq "${shifted}"`)).toEqual([userName])
    expect(await found(own, `meta.lastModified ge "${shifted}"`)).toEqual([userName])
    expect(await found(own, `meta.lastModified lt "${shifted}"`)).toEqual([])
    expect(await found(own, 'meta.created gt "2011-05-13T04:42:34Z"')).toEqual([userName])
  })

  it('filters a defaulted attribute by the returned value (§3.4.2.2)', async () => {
    const own = await newClient()
    const user = await own.createUser()
    expect(user.active).toBe(true)
    expect(await found(own, 'active eq true')).toEqual([user.userName])
    expect(await found(own, 'active pr')).toEqual([user.userName])
  })

  it('filters groups by member and users by group (§3.4.2.2)', async () => {
    const own = await newClient()
    const user = await own.createUser()
    const group = await own.createGroup({ members: [{ value: user.id }] })
    await own.createGroup()
    for (const filter of [`members.value eq "${user.id}"`, `members[value eq "${user.id}"]`]) {
      const { body } = await own.filter('/Groups', filter)
      expect(body.Resources.map(({ id }: { id: string }) => id)).toEqual([group.id])
    }
    expect(await found(own, `groups.value eq "${group.id}"`)).toEqual([user.userName])
  })

  it.for(['gt', 'ge', 'lt', 'le'])(
    'rejects %s on boolean and binary attributes with invalidFilter (§3.4.2.2)',
    async (operator) => {
      expectError(await client.filter('/Users', `active ${operator} true`), 400, 'invalidFilter')
      const binary = `x509Certificates.value ${operator} "MIIB"`
      expectError(await client.filter('/Users', binary), 400, 'invalidFilter')
    },
  )

  it('rejects an unknown operator with invalidFilter, and names it (§3.4.2.2)', async () => {
    const answer = await client.filter('/Users', 'userName regex ".*"')
    expectError(answer, 400, 'invalidFilter')
    expect(answer.body.detail).toContain('regex')
  })

  it.for([
    'userName',
    'userName eq',
    'eq "ada"',
    'userName eq "ada',
    "userName eq 'ada'",
    '(userName eq "ada"',
    'userName eq "ada")',
    'userName eq "ada" and',
    'userName eq "ada" title eq "x"',
    'emails[type eq "work"',
    'emails[]',
    'title pr pr',
    'and',
    '()',
  ])('rejects the invalid filter %s with invalidFilter (§3.4.2.2)', async (filter) => {
    expectError(await client.filter('/Users', filter), 400, 'invalidFilter')
  })
})
