/** RFC 7644 §3.4.1, §3.4.2, §3.4.2.5, §3.9 and §3.10: reading resources, lists, and selected attributes. */
import { describe, expect, it } from 'vitest'
import { type Client, newClient, USER } from '../support/harness.ts'
import { ENTERPRISE, expectError, LIST_RESPONSE, namesIn } from './protocol.ts'

async function createAda(client: Client) {
  return await client.createUser({
    userName: 'ada',
    title: 'Pilot',
    name: { givenName: 'Ada', familyName: 'Byron' },
    emails: [{ value: 'ada@quillfern.example', type: 'work', primary: true }],
    [ENTERPRISE]: { department: 'Survey', costCenter: '4130' },
  })
}

describe('RFC 7644 §3.4.1, a known resource', () => {
  it('answers 200 with the resource, its ETag and Location (§3.4.1)', async () => {
    const client = await newClient()
    const user = await createAda(client)
    const answer = await client.get(`/Users/${user.id}`)
    expect([answer.status, answer.body]).toEqual([200, user])
    expect(answer.headers.get('ETag')).toBe(user.meta.version)
    expect(answer.headers.get('Location')).toBe(user.meta.location)
  })

  it('answers 404 to an unknown id and to the id of another resource type (§3.12)', async () => {
    const client = await newClient()
    const user = await client.createUser()
    expectError(await client.get('/Users/2819c223-7f76-453a-919d-413861904646'), 404)
    expectError(await client.get(`/Groups/${user.id}`), 404)
  })
})

describe('RFC 7644 §3.4.2, lists', () => {
  it('returns a ListResponse (§3.4.2)', async () => {
    const client = await newClient()
    const user = await createAda(client)
    expect((await client.get('/Users')).body).toMatchObject({
      schemas: [LIST_RESPONSE],
      totalResults: 1,
      startIndex: 1,
      itemsPerPage: 1,
      Resources: [user],
    })
  })

  it('answers 200 and a total of 0 if nothing matches (§3.4.2)', async () => {
    const client = await newClient()
    const answer = await client.filter('/Users', 'userName eq "nobody"')
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ schemas: [LIST_RESPONSE], totalResults: 0 })
  })

  it('ignores unknown query parameters (§3.4.2)', async () => {
    const client = await newClient()
    const user = await createAda(client)
    expect((await client.get('/Users?colour=green&aadOptscim062020')).body.totalResults).toBe(1)
    expect((await client.get(`/Users/${user.id}?colour=green`)).status).toBe(200)
  })

  it('returns resources of all types at the root (§3.4.2.1)', async () => {
    const client = await newClient()
    await createAda(client)
    await client.createGroup({ displayName: 'Field Crew' })
    const all = await client.get('')
    expect(all.body).toMatchObject({ schemas: [LIST_RESPONSE], totalResults: 2 })
    expect(namesIn(all).toSorted()).toEqual(['Field Crew', 'ada'])
  })

  it('restricts a query at the root by meta.resourceType (§3.4.2.1)', async () => {
    const client = await newClient()
    await createAda(client)
    await client.createGroup({ displayName: 'Field Crew' })
    const query = (filter: string) => client.get(`?filter=${encodeURIComponent(filter)}`)
    expect(namesIn(await query('meta.resourceType eq "Group"'))).toEqual(['Field Crew'])
    const both = await query('(meta.resourceType eq "User") or (meta.resourceType eq "Group")')
    expect(both.body.totalResults).toBe(2)
  })

  it('treats an undefined attribute as an attribute without a value, across types (§3.4.2.1)', async () => {
    const client = await newClient()
    await createAda(client)
    await client.createGroup({ displayName: 'Field Crew' })
    const query = async (filter: string) => namesIn(await client.get(`?filter=${encodeURIComponent(filter)}`))
    expect(await query('userName pr')).toEqual(['ada'])
    expect(await query('userName eq "ada"')).toEqual(['ada'])
    expect(await query('not (userName pr)')).toEqual(['Field Crew'])
    expect(await query('userName eq "ada" or displayName eq "Field Crew"')).toHaveLength(2)
  })
})

describe('RFC 7644 §3.4.2.5 and §3.9, attributes', () => {
  it('returns only the minimum set and the attributes in "attributes" (§3.4.2.5, §3.9)', async () => {
    const client = await newClient()
    const { id, schemas } = await createAda(client)
    const answer = await client.get(`/Users/${id}?attributes=userName,emails`)
    expect(answer.body).toEqual({
      schemas,
      id,
      userName: 'ada',
      emails: [{ value: 'ada@quillfern.example', type: 'work', primary: true }],
    })
    expect((await client.get('/Users?attributes=userName,emails')).body.Resources).toEqual([answer.body])
  })

  it.for([
    ['name.givenName', { name: { givenName: 'Ada' } }],
    ['NAME.GIVENNAME', { name: { givenName: 'Ada' } }],
    [`${USER}:name.givenName`, { name: { givenName: 'Ada' } }],
    [USER.toLowerCase().concat(':username'), { userName: 'ada' }],
    ['emails.value', { emails: [{ value: 'ada@quillfern.example' }] }],
    [`${ENTERPRISE}:department`, { [ENTERPRISE]: { department: 'Survey' } }],
    [ENTERPRISE, { [ENTERPRISE]: { department: 'Survey', costCenter: '4130' } }],
  ] as const)('accepts the name %s (§3.10)', async ([name, expected]) => {
    const client = await newClient()
    const { id, schemas } = await createAda(client)
    const answer = await client.get(`/Users/${id}?attributes=${encodeURIComponent(name)}`)
    expect(answer.body).toEqual({ id, schemas, ...expected })
  })

  it('returns the default set without the attributes in "excludedAttributes" (§3.4.2.5, §3.9)', async () => {
    const client = await newClient()
    const { name: _, emails: __, ...rest } = await createAda(client)
    const { body } = await client.get(`/Users/${rest.id}?excludedAttributes=name,emails`)
    expect(body).toEqual(rest)
    const part = await client.get(`/Users/${rest.id}?excludedAttributes=name.familyName`)
    expect(part.body.name).toEqual({ givenName: 'Ada' })
  })

  it('returns id and schemas regardless of excludedAttributes (§3.4.2.5)', async () => {
    const client = await newClient()
    const { id, schemas } = await createAda(client)
    const { body } = await client.get(`/Users/${id}?excludedAttributes=id,schemas,userName`)
    expect(body).toMatchObject({ id, schemas })
    expect(body).not.toHaveProperty('userName')
  })
})
