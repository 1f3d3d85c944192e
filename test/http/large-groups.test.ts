/** Groups and members with large documents, which hold their names: few of them are read to show a name. */
import { expect, it } from 'vitest'
import { MAX_GROUP_NAME_BYTES, MAX_MEMBER_DOCUMENT_BYTES, MAX_PAGE_BYTES } from '../../src/scim/limits.ts'
import { addCrowd } from '../support/crowd.ts'
import { newClient } from '../support/harness.ts'
import { addLargeGroups, addLargeUsers } from '../support/large.ts'

const LARGE_BYTES = 1_000_000
/** So many that the documents of all groups exceed the limit: it counts two documents of each. */
const TOO_MANY = Math.ceil((2 * MAX_MEMBER_DOCUMENT_BYTES) / LARGE_BYTES) + 1

interface ShownGroup {
  readonly value: string
  readonly display?: string
}

/** The names of groups in an answer, by their ids. */
const namesOf = ({ groups }: { groups: readonly ShownGroup[] }) =>
  Object.fromEntries(groups.map(({ value, display }) => [value, display]))

it('a user is shown without the names of very large groups if the tenant has many of them', async () => {
  const client = await newClient()
  const { id } = await client.createUser()
  await addLargeGroups(client.tenantId, 2, LARGE_BYTES)
  const { id: small } = await client.createGroup({ displayName: 'Small', members: [{ value: id }] })
  const named = namesOf((await client.get(`/Users/${id}`)).body)
  expect(named).toEqual({ 'large-000': 'large-000', 'large-001': 'large-001', [small]: 'Small' })

  await client.request('DELETE', '/Groups/large-000')
  await client.request('DELETE', '/Groups/large-001')
  await addLargeGroups(client.tenantId, TOO_MANY, LARGE_BYTES)
  const answers = [
    (await client.get(`/Users/${id}`)).body,
    (await client.get('/Users')).body.Resources[0],
    (await client.get('/Users?sortBy=userName&filter=title+pr+or+userName+pr')).body.Resources[0],
  ]
  // In a tenant with nested groups, their names are read for each page.
  const { id: outer } = await client.createGroup({
    displayName: 'Outer',
    members: [{ value: 'large-000', type: 'Group' }],
  })
  answers.push((await client.get(`/Users/${id}`)).body, (await client.get('/Users')).body.Resources[0])
  for (const answer of answers) {
    const { [small]: smallName, [outer]: outerName = 'Outer', ...large } = namesOf(answer)
    expect([smallName, outerName]).toEqual(['Small', 'Outer'])
    expect(Object.keys(large)).toHaveLength(TOO_MANY)
    expect(new Set(Object.values(large))).toEqual(new Set([undefined]))
    expect(answer.groups.every((group: ShownGroup) => group.display !== null)).toBe(true)
  }
})

it('a page of users ends where the documents of their groups exceed its size', async () => {
  const client = await newClient()
  await addCrowd(client.tenantId, 20)
  await addLargeGroups(client.tenantId, 1, LARGE_BYTES)
  const { itemsPerPage, totalResults } = (await client.get('/Users')).body
  expect(totalResults).toBe(20)
  expect(itemsPerPage).toBe(Math.floor(MAX_PAGE_BYTES / LARGE_BYTES))
  expect((await client.get('/Users?excludedAttributes=groups')).body.itemsPerPage).toBe(20)
  // A name that is read whatever the size of other groups is.
  const other = await newClient()
  await addCrowd(other.tenantId, 20)
  await addLargeGroups(other.tenantId, 1, MAX_GROUP_NAME_BYTES / 2)
  expect((await other.get('/Users')).body.itemsPerPage).toBe(20)
})

it('a new group is shown with the names of as many members as their documents allow', async () => {
  const client = await newClient()
  const users = Array.from({ length: 20 }, (_, i) => ({ id: `u-${i + 10}`, characters: LARGE_BYTES }))
  await addLargeUsers(client.tenantId, users)
  const { members } = await client.createGroup({ members: users.map(({ id }) => ({ value: id })) })
  const named = members.filter((member: ShownGroup) => member.display !== undefined)
  expect(members).toHaveLength(20)
  expect(named).toHaveLength(Math.floor(MAX_MEMBER_DOCUMENT_BYTES / LARGE_BYTES))
})
