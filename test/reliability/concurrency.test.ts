/**
 * Concurrent requests: no change is lost, and no name or slot is assigned twice. Tested with one group coordinator, as
 * in production, and with two on one tenant, which the platform may run for a moment.
 */
import { describe, expect, it } from 'vitest'
import { type Answer, type Client, GROUP, newClient, PATCH_OP, TENANT_URL, USER } from '../support/harness.ts'
import { coordinatorNamed, labRuntime, sendTo } from '../support/lab.ts'
import { soundState } from '../support/tenant-state.ts'

const times = <T>(count: number, what: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => what(i)))

/** The number of responses with each status. */
function statuses(answers: readonly { readonly status: number }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Sends group writes alternately through two coordinators. */
function twoCoordinators(client: Client): Client['request'] {
  let turn = 0
  return async (method, path, body, headers): Promise<Answer> => {
    const name = `${client.tenantId}-${turn++ % 2}`
    const runtime = labRuntime({ groupWriter: () => coordinatorNamed(name) })
    const request = new Request(`${TENANT_URL}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${client.token}`,
        'Content-Type': 'application/scim+json',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const response = await sendTo(runtime, request)
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
}

const add = (...ids: readonly string[]) => memberChange('add', ids)
const remove = (...ids: readonly string[]) => memberChange('remove', ids)

function memberChange(op: string, ids: readonly string[]) {
  return {
    schemas: [PATCH_OP],
    Operations: [{ op, path: 'members', value: ids.map((value) => ({ value })) }],
  }
}

describe('concurrent changes of one user', () => {
  it('are all stored when each changes a different attribute', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const attributes = ['title', 'nickName', 'userType', 'locale', 'timezone', 'displayName', 'externalId']
    const answers = await Promise.all(
      attributes.map((path) => client.patch(`/Users/${id}`, { op: 'replace', path, value: `new ${path}` })),
    )
    expect(statuses(answers)).toEqual({ 200: attributes.length })
    const user = (await client.get(`/Users/${id}`)).body
    for (const path of attributes) expect(user[path], path).toBe(`new ${path}`)
    expect(user.meta.version).toBe(`W/"${attributes.length + 1}"`)
  })

  it.for(['PATCH', 'PUT'] as const)(
    'let exactly one %s succeed when all have the same If-Match',
    async (method) => {
      const client = await newClient()
      const { id, userName, meta } = await client.createUser()
      const answers = await times(20, (i) => {
        const title = `title ${i}`
        const body =
          method === 'PUT'
            ? { schemas: [USER], userName, title }
            : { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'title', value: title }] }
        return client.request(method, `/Users/${id}`, body, { 'If-Match': meta.version })
      })
      expect(statuses(answers)).toEqual({ 200: 1, 412: 19 })
      const winner = answers.find(({ status }) => status === 200)
      const user = (await client.get(`/Users/${id}`)).body
      expect([user.title, user.meta.version]).toEqual([winner?.body.title, 'W/"2"'])
      await soundState(client.tenantId)
    },
  )

  it('apply a PUT and a PATCH atomically', async () => {
    const client = await newClient()
    const { id, userName } = await client.createUser({ title: 'old' })
    const [put, patch] = await Promise.all([
      client.request('PUT', `/Users/${id}`, { schemas: [USER], userName, nickName: 'put' }),
      client.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'patched' }),
    ])
    expect([put.status, patch.status]).toEqual([200, 200])
    const user = (await client.get(`/Users/${id}`)).body
    const putLast = { nickName: 'put', title: undefined }
    const patchLast = { nickName: 'put', title: 'patched' }
    const found = { nickName: user.nickName, title: user.title }
    expect([putLast, patchLast]).toContainEqual(found)
    const last = put.headers.get('ETag') === 'W/"3"' ? putLast : patchLast
    expect([found, user.meta.version]).toEqual([last, 'W/"3"'])
  })
})

describe('concurrent creations', () => {
  it('create one user for a userName in different notations', async () => {
    const client = await newClient()
    const answers = await times(50, (i) =>
      client.request('POST', '/Users', { schemas: [USER], userName: i % 2 ? 'STRASSE@x' : 'straße@X' }),
    )
    expect(statuses(answers)).toEqual({ 201: 1, 409: 49 })
    const { users, log } = await soundState(client.tenantId)
    expect([users.length, log.length]).toEqual([1, 50])
  })

  it.for([
    ['one coordinator', false],
    ['two coordinators', true],
  ] as const)('use the last free group slot once, with %s', async ([, isTwo]) => {
    const client = await newClient({ groupLimit: 3 })
    await times(2, () => client.createGroup())
    const send = isTwo ? twoCoordinators(client) : client.request.bind(client)
    const answers = await times(50, (i) =>
      send('POST', '/Groups', { schemas: [GROUP], displayName: `Racer ${i}` }),
    )
    expect(statuses(answers)).toEqual({ 201: 1, 400: 49 })
    const { groups, log } = await soundState(client.tenantId)
    expect([groups.length, log.length]).toEqual([3, 52])
  })

  it.for([
    ['one coordinator', false],
    ['two coordinators', true],
  ] as const)('create one group for a displayName, with %s', async ([, isTwo]) => {
    const client = await newClient()
    const send = isTwo ? twoCoordinators(client) : client.request.bind(client)
    const answers = await times(30, () => send('POST', '/Groups', { schemas: [GROUP], displayName: 'One' }))
    expect(statuses(answers)).toEqual({ 201: 1, 409: 29 })
    await soundState(client.tenantId)
  })
})

describe.for([
  ['one coordinator', false],
  ['two coordinators', true],
] as const)('concurrent changes of one group, with %s', ([, isTwo]) => {
  const sender = (client: Client) => (isTwo ? twoCoordinators(client) : client.request.bind(client))

  it('do not lose a member while 20 are added, 20 are removed and the group is renamed', async () => {
    const client = await newClient()
    const users = await times(40, () => client.createUser())
    const ids: readonly string[] = users.map(({ id }) => id)
    const [old, fresh] = [ids.slice(0, 20), ids.slice(20)]
    const group = await client.createGroup({ members: old.map((value) => ({ value })) })
    const send = sender(client)
    const path = `/Groups/${group.id}`
    const rename = {
      schemas: [PATCH_OP],
      Operations: [{ op: 'replace', path: 'displayName', value: 'New name' }],
    }
    const answers = await Promise.all([
      ...fresh.map((id) => send('PATCH', path, add(id))),
      ...old.map((id) => send('PATCH', path, remove(id))),
      send('PATCH', path, rename),
    ])
    expect(statuses(answers)).toEqual({ 204: 41 })
    const { groups, memberships } = await soundState(client.tenantId)
    expect(memberships.map(({ member_id }) => member_id).sort()).toEqual([...fresh].sort())
    expect([groups[0]?.version, groups[0]?.display_name_key]).toEqual([42, 'new name'])
  })

  it('are all stored when each changes a different attribute', async () => {
    const client = await newClient()
    const group = await client.createGroup()
    const send = sender(client)
    for (let round = 1; round <= 10; round++) {
      const value = { displayName: `Name ${round}`, externalId: `external ${round}` }
      const changes = Object.entries(value).map(([path, text]) => ({ op: 'replace', path, value: text }))
      const answers = await Promise.all(
        changes.map((change) =>
          send('PATCH', `/Groups/${group.id}`, { schemas: [PATCH_OP], Operations: [change] }),
        ),
      )
      expect(statuses(answers)).toEqual({ 204: 2 })
      const { body } = await client.get(`/Groups/${group.id}`)
      expect(body).toMatchObject({ ...value, meta: { version: `W/"${1 + 2 * round}"` } })
    }
  })

  it('let exactly one succeed when all have the same If-Match', async () => {
    const client = await newClient()
    const group = await client.createGroup()
    const send = sender(client)
    const answers = await times(20, (i) =>
      send(
        'PATCH',
        `/Groups/${group.id}`,
        { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'displayName', value: `Name ${i}` }] },
        { 'If-Match': group.meta.version },
      ),
    )
    expect(statuses(answers)).toEqual({ 204: 1, 412: 19 })
    const { groups } = await soundState(client.tenantId)
    expect(groups[0]?.version).toBe(2)
  })

  it('are rejected with 404 after its deletion and leave no rows behind', async () => {
    const client = await newClient()
    const users = await times(10, () => client.createUser())
    const group = await client.createGroup()
    const send = sender(client)
    const answers = await Promise.all([
      ...users.slice(0, 5).map(({ id }) => send('PATCH', `/Groups/${group.id}`, add(id))),
      send('DELETE', `/Groups/${group.id}`),
      ...users.slice(5).map(({ id }) => send('PATCH', `/Groups/${group.id}`, add(id))),
    ])
    const counts = statuses(answers)
    expect((counts[204] ?? 0) + (counts[404] ?? 0)).toBe(11)
    const { groups, memberships } = await soundState(client.tenantId)
    expect([groups.length, memberships.length]).toEqual([0, 0])
  })

  it('leave no membership of a user that is deleted while it is added', async () => {
    const client = await newClient()
    const group = await client.createGroup()
    const send = sender(client)
    for (let round = 0; round < 10; round++) {
      const users = await times(4, () => client.createUser())
      const answers = await Promise.all(
        users.flatMap(({ id }) => [
          send('PATCH', `/Groups/${group.id}`, add(id)),
          client.request('DELETE', `/Users/${id}`),
        ]),
      )
      const counts = statuses(answers)
      expect((counts[204] ?? 0) + (counts[400] ?? 0), JSON.stringify(counts)).toBe(8)
      const { users: left, memberships } = await soundState(client.tenantId)
      expect([left.length, memberships.length]).toEqual([0, 0])
    }
  })
})
