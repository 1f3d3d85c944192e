/** Comparing an export with the directory by the admin API: each key, memberships, refusals, and many users. */
import { beforeAll, describe, expect, it } from 'vitest'
import { addCrowd } from '../support/crowd.ts'
import { type Client, newClient, ORIGIN, send } from '../support/harness.ts'

const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'

let client: Client
// biome-ignore-start lint/suspicious/noExplicitAny: -- tests assert on what they read
let ada: any
let ben: any
let crew: any
// biome-ignore-end lint/suspicious/noExplicitAny: -- as above

beforeAll(async () => {
  client = await newClient()
  ada = await client.createUser({
    userName: 'Ada@quillfern.example',
    externalId: 'ada',
    displayName: 'Ada',
    name: { givenName: 'Ada', familyName: 'Å' },
    [UMBRELLA]: { nativeObjectId: 'OBJECT-1' },
  })
  ben = await client.createUser({ userName: 'ben@quillfern.example', displayName: 'Ben' })
  crew = await client.createGroup({ displayName: 'Crew', members: [{ value: ada.id }, { value: ben.id }] })
})

function compare(file: string | object, query = '', path = 'drift', tenantId = client.tenantId) {
  return send(
    new Request(`${ORIGIN}/admin/api/tenants/${tenantId}/${path}${query}`, {
      method: 'POST',
      headers: { Authorization: 'Bearer test-admin-token' },
      body: typeof file === 'string' ? file : JSON.stringify(file),
    }),
  )
}

const ADA = { id: 'object-1', userPrincipalName: 'ada@quillfern.example', displayName: 'Ada', surname: 'Å' }
const BEN = { id: 'object-2', userPrincipalName: 'ben@quillfern.example', displayName: 'Ben' }
const CREW = { id: 'crew', displayName: 'crew', members: ['object-1', 'object-2'] }

describe('an export that is compared with a directory', () => {
  it('is the same, but for the case of a userName', async () => {
    const { status, body } = await compare({ users: [ADA, BEN], groups: [{ ...CREW, displayName: 'Crew' }] })
    expect([status, body]).toMatchObject([
      200,
      {
        verdict: 'same',
        match: 'userName',
        users: { exported: 2, matched: 2, missing: 0, extra: 0, different: 0 },
        groups: { matched: 1, different: 0 },
        differences: [],
      },
    ])
  })

  it('has what is missing, extra and different, and members, and leaves the directory as it is', async () => {
    const { body } = await compare({
      users: [
        { ...ADA, surname: 'A', accountEnabled: false, jobTitle: 'not mapped' },
        { id: 'object-3', userPrincipalName: 'cleo@quillfern.example' },
      ],
      groups: [
        { ...CREW, members: ['object-1', 'object-3'] },
        { id: 'other', displayName: 'Other' },
      ],
    })
    expect(body.differences).toEqual([
      difference('attribute', ada, { attribute: 'name.familyName', exported: 'A', stored: 'Å' }),
      difference('attribute', ada, { attribute: 'active', exported: false, stored: true }),
      difference('missing', { userName: 'cleo@quillfern.example', id: null }),
      difference('attribute', crew, { attribute: 'displayName', exported: 'crew', stored: 'Crew' }),
      difference('extra member', crew, { attribute: 'members', stored: ben.id }),
      difference('missing member', crew, { attribute: 'members', exported: 'object-3' }),
      difference('missing', { displayName: 'Other', id: null }),
      difference('extra', ben),
    ])
    expect(body).toMatchObject({ members: { missing: 1, extra: 1 }, differenceCount: 8 })
    expect((await client.get(`/Users/${ada.id}`)).body).toMatchObject({ active: true })
  })

  it.for<[string, object]>([
    ['externalId', { ...ADA, mailNickname: 'ada', userPrincipalName: 'other' }],
    ['objectId', { ...ADA, userPrincipalName: 'other' }],
  ])('is matched by %s if the names are others', async ([match, user]) => {
    const { body } = await compare({ value: [user] })
    expect([body.match, body.users.matched]).toEqual([match, 1])
    expect(body.notes).toContain(`users are matched by ${match}`)
    expect((await compare({ value: [user] }, '?match=userName')).body.verdict).toBe('unrelated')
  })

  it('is a list of the members of one group', async () => {
    const file = 'objectId,userPrincipalName\nobject-1,\n,cleo@quillfern.example\n'
    const { body } = await compare(file, '?group=Crew')
    expect(body.differences).toEqual([
      difference('extra member', crew, { attribute: 'members', stored: ben.id }),
      difference('missing member', crew, { attribute: 'members', exported: 'cleo@quillfern.example' }),
    ])
  })

  it('is of another tenant: the answer says so and lists nothing', async () => {
    const file = 'userPrincipalName\nx@other.example\n'
    const { body } = await compare(file)
    expect(body).toMatchObject({ verdict: 'unrelated', differences: [], differenceCount: 0 })
    const csv = await compare(file, '', 'drift.csv')
    expect([csv.status, csv.body.error.message]).toEqual([409, expect.stringContaining('another tenant')])
  })

  it('is compared with an empty directory', async () => {
    const empty = await newClient()
    const { body } = await compare({ users: [ADA] }, '', 'drift', empty.tenantId)
    expect(body).toMatchObject({ verdict: 'different', users: { missing: 1 } })
  })

  it('gives CSV whose cells are not formulas', async () => {
    const { headers, body } = await compare(
      { users: [{ ...ADA, displayName: '=1+1' }, BEN] },
      '?match=userName',
      'drift.csv',
    )
    expect(headers.get('Content-Type')).toBe('text/csv; charset=utf-8')
    expect(body).toBe(
      `kind,resourceType,name,id,attribute,exported,stored\r\nattribute,User,${ada.userName},${ada.id},displayName,'=1+1,Ada\r\n`,
    )
  })

  it('is refused with what is wrong', async () => {
    const answers = [
      await compare(''),
      await compare('name\nx\n'),
      await compare('{"users":[{"id":"1"'),
      await compare({ users: [ADA] }, '?match=mail'),
      await compare({ users: [ADA] }, '', 'drift', 'nobody'),
    ]
    expect(answers.map(({ status, body }) => [status, body.error.message])).toEqual([
      [400, 'the file is empty'],
      [400, expect.stringContaining('must name the column "userPrincipalName"')],
      [400, expect.stringContaining('the file is cut short')],
      [400, expect.stringContaining('"match" must be')],
      [404, expect.stringContaining('there is no tenant')],
    ])
  })

  it('has some thousand users, in chunks', async () => {
    const large = await newClient()
    const ids = await addCrowd(large.tenantId, 3_500)
    const rows = [...ids.slice(1), 'new-1', 'new-2'].map((id) => `${id},true`)
    const file = `userPrincipalName,accountEnabled\n${rows.join('\n')}\n`
    const { body } = await compare(file, '', 'drift', large.tenantId)
    expect(body.users).toEqual({ exported: 3_501, matched: 3_499, missing: 2, extra: 1, different: 0 })
  })
})

function difference(
  kind: string,
  resource: { userName?: string; displayName?: string; id: string | null },
  more: object = {},
) {
  const { userName, displayName, id } = resource
  return {
    ...{ kind, resourceType: userName === undefined ? 'Group' : 'User', name: userName ?? displayName, id },
    ...{ attribute: null, exported: null, stored: null },
    ...more,
  }
}
