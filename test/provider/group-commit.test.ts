/**
 * Group commit: writes that wait while the database is busy are committed together. The outcome of each is the same as if
 * they were committed one by one in the order of arrival.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { GroupWriteAnswer, GroupWriteRequest } from '../../src/provider/groups/group-writer.ts'
import {
  type Coordinator,
  change,
  create,
  newCoordinator,
  patch,
  rename,
  requestOf,
  statusOf,
  type Write,
} from '../support/coordinator.ts'
import { addCrowd } from '../support/crowd.ts'
import { FAULTS, failing, faultyBinding } from '../support/faults.ts'
import { admin, Client, GROUP, newClient, newToken } from '../support/harness.ts'
import { soundState } from '../support/tenant-state.ts'

const times = <T>(count: number, what: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => what(i)))

const versionOf = ({ rendered }: GroupWriteAnswer) => rendered?.version

const resourceOf = (answer: GroupWriteAnswer | undefined): unknown => {
  const json = answer?.rendered?.json
  return json === undefined ? undefined : JSON.parse(json)
}

/** Sends writes of one client together. */
async function together(coordinator: Coordinator, client: Client, ...writes: readonly Write[]) {
  return await coordinator.together(await times(writes.length, (i) => requestOf(client, writes[i] as Write)))
}

/** A tenant with users and one group, and a coordinator that belongs to the test. */
async function newScene(users: number, options: Parameters<typeof newClient>[0] = {}) {
  const client = await newClient(options)
  const ids = (await times(users, () => client.createUser())).map(({ id }) => String(id))
  const group = await client.createGroup({ displayName: 'First' })
  return { client, ids, id: String(group.id), coordinator: await newCoordinator(client) }
}

/** The version and the members of a group, as they are stored. */
async function stored({ tenantId }: Client, id: string) {
  const { groups, memberships } = await soundState(tenantId)
  const members = memberships.filter(({ group_id }) => group_id === id)
  return {
    version: groups.find((group) => group.id === id)?.version,
    members: members.map(({ member_id }) => String(member_id)).sort(),
  }
}

describe('writes that are committed together', () => {
  it('take two round trips, and change and log the same as one by one', async () => {
    const { client, ids, id, coordinator } = await newScene(20)
    const { id: other } = await client.createGroup()
    const writes = ids.map((user, i) => change(i % 4 === 3 ? other : id, 'add', user))
    const answers = await together(coordinator, client, ...writes)
    expect(coordinator.batches).toHaveLength(2)
    const expected = ids.map((_, i) =>
      i % 4 === 3 ? 2 + Math.floor(i / 4) : 2 + i - Math.floor((i + 1) / 4),
    )
    expect(answers.map(versionOf)).toEqual(expected)
    const names = (of: string) => ids.filter((_, i) => (i % 4 === 3 ? other : id) === of).sort()
    expect(await stored(client, id)).toEqual({ version: 16, members: names(id) })
    expect(await stored(client, other)).toEqual({ version: 6, members: names(other) })
    const log = (await client.log('?resourceType=Group')).filter(({ action }) => action === 'add member')
    const logged = log.toReversed().map(({ resourceId, changes }) => [resourceId, changes])
    expect(logged).toEqual(
      ids.map((user, i) => [i % 4 === 3 ? other : id, [{ attribute: 'members', new: [user] }]]),
    )
  })

  it('fail independently of each other', async () => {
    const { client, ids, id, coordinator } = await newScene(3, { groupLimit: 4 })
    const { id: taken } = await client.createGroup({ displayName: 'Taken' })
    const reader = new Client(client.tenantId, (await newToken(client.tenantId, { scope: 'read' })).token)
    const gone = await newToken(client.tenantId)
    const revoked = new Client(client.tenantId, gone.token)
    // Both tokens have been seen valid, so their writes are queued.
    await Promise.all([reader.get('/Groups'), revoked.get('/Groups')])
    await times(2, async (i) =>
      coordinator.writer.write(await requestOf([reader, revoked][i] as Client, rename('none', 'x'))),
    )
    await admin('DELETE', `/tenants/${client.tenantId}/tokens/${gone.id}`)
    const [a = '', b = '', c = ''] = ids
    const asked: readonly (readonly [number, Write, Client?])[] = [
      [200, change(id, 'add', a)],
      [400, change(id, 'add', a, 'nobody')],
      [404, change('none', 'add', a)],
      [412, { ...change(id, 'add', b), preconditions: { ifMatch: 'W/"1"' } }],
      [200, { ...change(id, 'add', b), preconditions: { ifMatch: 'W/"2"' } }],
      [409, rename(id, 'TAKEN')],
      [403, change(id, 'remove', a), reader],
      [401, change(id, 'remove', a), revoked],
      [200, rename(id, 'Other')],
      [200, create('First')],
      [409, create('first')],
      [400, create('Nested', 'nobody')],
      [200, create('Fourth', c, taken)],
      [400, create('Fifth')],
      [400, patch(id, { op: 'replace', path: 'displayName', value: '' })],
      [200, change(id, 'add', c)],
    ]
    const requests = await times(asked.length, (i) => {
      const [, write, by = client] = asked[i] ?? [0, create('')]
      return requestOf(by, write)
    })
    const answers = await coordinator.together(requests)
    expect(answers.map(statusOf)).toEqual(asked.map(([status]) => status))
    expect(coordinator.batches).toHaveLength(2)
    expect(answers[13]?.refusal?.detail).toContain('holds 4 groups and its limit is 4')
    expect(answers[1]?.refusal?.detail).toContain('"nobody"')
    expect(await stored(client, id)).toEqual({ version: 5, members: [...ids].sort() })
    expect((await client.get('/Groups?count=0')).body.totalResults).toBe(4)
  })

  it('may share a name in a tenant that allows it', async () => {
    const { client, id, coordinator } = await newScene(0, { uniqueGroupNames: false })
    const answers = await together(coordinator, client, create('Same'), rename(id, 'same'), create('SAME'))
    expect([answers.map(statusOf), coordinator.batches.length]).toEqual([[200, 200, 200], 2])
    expect((await client.filter('/Groups', 'displayName eq "same"')).body.totalResults).toBe(3)
  })

  it('are refused by the database if names became unique after they were decided', async () => {
    const { client, id, coordinator } = await newScene(0, { uniqueGroupNames: false })
    coordinator.before = async (batch) => {
      if (batch !== 1) return
      await admin('PATCH', `/tenants/${client.tenantId}`, { uniqueGroupNames: true })
    }
    const answers = await together(coordinator, client, create('Same'), create('same'), rename(id, 'Other'))
    expect(answers.map(statusOf)).toEqual([200, 409, 200])
    expect(answers[1]?.refusal?.detail).toContain('"same" is already in use')
  })

  it('change nothing if repeated, and are logged all the same', async () => {
    const { client, ids, id, coordinator } = await newScene(1)
    const [user = ''] = ids
    const twice = await together(coordinator, client, change(id, 'add', user), change(id, 'add', user))
    expect(twice.map(versionOf)).toEqual([2, 2])
    const again = await together(coordinator, client, change(id, 'add', user), change(id, 'remove', 'none'))
    expect(again.map(versionOf)).toEqual([2, 2])
    expect(await stored(client, id)).toEqual({ version: 2, members: ids })
    const log = (await client.log()).slice(0, 4).map(({ changes }) => (changes as unknown[]).length)
    expect(log).toEqual([0, 0, 0, 1])
  })

  it.for([
    ['add', 'remove', 'add', 'remove'],
    ['remove', 'add', 'remove', 'add'],
    ['add', 'remove', 'remove', 'add'],
  ] as const)('apply to one member in their order: %s, %s, %s, %s', async (ops) => {
    const { client, ids, id, coordinator } = await newScene(2)
    const [absent = '', present = ''] = ids
    await client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: [{ value: present }] })
    const writes = ops.flatMap((op) => [change(id, op, absent), change(id, op, present)])
    const answers = await together(coordinator, client, ...writes)
    const members = new Set([present])
    let version = 2
    const expected = ops.flatMap((op) =>
      [absent, present].map((user) => {
        if (members.has(user) === (op === 'add')) return version
        if (op === 'add') members.add(user)
        else members.delete(user)
        return ++version
      }),
    )
    expect(answers.map(versionOf)).toEqual(expected)
    expect(await stored(client, id)).toEqual({ version, members: [...members].sort() })
  })

  it('may move a name from one group to another and back', async () => {
    const { client, id, coordinator } = await newScene(0)
    const { id: other } = await client.createGroup({ displayName: 'Second' })
    const handed = [rename(id, 'Third'), rename(other, 'first'), rename(id, 'SECOND'), create('Third')]
    expect((await together(coordinator, client, ...handed)).map(statusOf)).toEqual([200, 200, 200, 200])
    const { groups } = await soundState(client.tenantId)
    expect(groups.map(({ display_name_key }) => display_name_key).sort()).toEqual([
      'first',
      'second',
      'third',
    ])
  })

  it('see a member by its new name', async () => {
    const { client, id, coordinator } = await newScene(0)
    const [, created] = await together(coordinator, client, rename(id, 'Renamed'), create('Parent', id))
    expect(resourceOf(created)).toMatchObject({ members: [{ value: id, display: 'Renamed' }] })
  })

  it('keep their order around a deletion and a whole list of members, which are committed alone', async () => {
    const { client, ids, id, coordinator } = await newScene(2)
    const [a = '', b = ''] = ids
    const whole = {
      kind: 'replace',
      id,
      body: { schemas: [GROUP], displayName: 'Put', members: [{ value: b }] },
    } as const
    const answers = await together(
      coordinator,
      client,
      change(id, 'add', a),
      whole,
      { ...change(id, 'remove', b), attributes: ['members'] },
      { kind: 'delete', id },
      change(id, 'add', b),
      create('put'),
    )
    expect(answers.map(statusOf)).toEqual([200, 200, 200, 200, 404, 200])
    expect(answers.slice(0, 3).map(versionOf)).toEqual([2, 3, 4])
    expect(resourceOf(answers[2])).toMatchObject({ id, members: [] })
    // Two for each write that is committed alone, one for the deletion, two for the others together.
    expect(coordinator.batches).toHaveLength(9)
    await soundState(client.tenantId)
  })

  it('are limited by the size of a batch: many form several chunks, and a large one a chunk of its own', async () => {
    const { client, ids, id, coordinator } = await newScene(120)
    const many = await together(coordinator, client, ...ids.map((user) => change(id, 'add', user)))
    expect(many.map(versionOf)).toEqual(ids.map((_, i) => i + 2))
    expect(coordinator.batches).toHaveLength(6)
    // The length of a value is limited, so a long request has many operations.
    const long = (name: string) => {
      const operation = { op: 'replace', path: 'externalId', value: name.repeat(1_000) }
      return patch(id, ...Array.from({ length: 600 }, () => operation))
    }
    const sized = await together(coordinator, client, rename(id, 'a'), long('b'), long('c'), rename(id, 'd'))
    expect(sized.map(versionOf)).toEqual([122, 123, 124, 125])
    expect(coordinator.batches).toHaveLength(4)
  })

  it('have fewer statements than the free plan allows in an invocation, and a log entry each', async () => {
    const { client, coordinator } = await newScene(0)
    const creates = Array.from({ length: 20 }, (_, i) => create(`Crew ${i}`))
    const answers = await together(coordinator, client, ...creates)
    expect(new Set(answers.map(statusOf))).toEqual(new Set([200]))
    expect(Math.max(...coordinator.batches.map((batch) => batch.length))).toBeLessThan(50)
    const groups = (await client.get('/Groups')).body.Resources as readonly { id: string }[]
    // Each log entry names 5,000 members: together they exceed one statement.
    const crowd = await addCrowd(client.tenantId, 5_000, (number) => String(number).padStart(45, '€'))
    const long = groups.slice(0, 4).map(({ id }) => patch(id, { op: 'add', path: 'members', value: crowd }))
    await together(coordinator, client, ...long)
    const { log } = await soundState(client.tenantId)
    expect(log.filter(({ action }) => action === 'create')).toHaveLength(21)
    expect(log.filter(({ action }) => action === 'add member')).toHaveLength(4)
  })

  it('report their costs: the round trips of each, and rows whose sum is that of the database', async () => {
    const { client, ids, id } = await newScene(7)
    const meta = { read: 0, written: 0 }
    const coordinator = await newCoordinator(client, {
      binding: {
        prepare: (text) => env.DB.prepare(text),
        async batch<T>(statements: D1PreparedStatement[]) {
          const results = await env.DB.batch<T>(statements)
          for (const { meta: cost } of results) {
            meta.read += cost.rows_read
            meta.written += cost.rows_written
          }
          return results
        },
      },
    })
    coordinator.before = () => {
      if (coordinator.batches.length === 1) Object.assign(meta, { read: 0, written: 0 })
    }
    const writes = [...ids.map((user) => change(id, 'add', user)), change('none', 'add', 'x')]
    const figures = (await together(coordinator, client, ...writes)).map((answer) => answer.figures)
    expect(figures.map(({ roundTrips }) => roundTrips)).toEqual([2, 2, 2, 2, 2, 2, 2, 1])
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
    expect(sum(figures.map(({ rowsRead }) => rowsRead))).toBe(meta.read)
    expect(sum(figures.map(({ rowsWritten }) => rowsWritten))).toBe(meta.written)
    const { figures: alone } = await coordinator.writer.write(
      await requestOf(client, change(id, 'remove', ...ids.slice(0, 1))),
    )
    expect(figures[0]?.rowsWritten).toBeLessThan(alone.rowsWritten)
  })
})

describe('writes that are committed together while another writer is active', () => {
  /** Sends writes together. @param what happens right before they are stored for the first time */
  async function raced(
    coordinator: Coordinator,
    requests: readonly GroupWriteRequest[],
    what: () => unknown,
  ) {
    let isDone = false
    coordinator.before = async (batch) => {
      if (batch !== 1 || isDone) return
      isDone = true
      await what()
    }
    return await coordinator.together(requests)
  }

  const requestsOf = (client: Client, ...writes: readonly Write[]) =>
    times(writes.length, (i) => requestOf(client, writes[i] as Write))

  it('are decided again if a group has changed', async () => {
    const { client, ids, id, coordinator } = await newScene(6)
    const requests = await requestsOf(client, ...ids.map((user) => change(id, 'add', user)))
    const answers = await raced(coordinator, requests, () =>
      client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: [{ value: ids[2] }] }),
    )
    expect(answers.map(versionOf)).toEqual([3, 4, 4, 5, 6, 7])
    expect(coordinator.batches).toHaveLength(4)
    expect(await stored(client, id)).toEqual({ version: 7, members: [...ids].sort() })
  })

  // After a restore or SQL by hand, the same version may have another content.
  it.for([
    ['content', `data = json_set(data, '$.displayName', 'Restored')`, 'Restored'],
    ['time of change', 'last_modified = last_modified - 1', 'First'],
  ] as const)('are decided again if a group has another %s at the same version', async ([, edit, name]) => {
    const { client, id, coordinator } = await newScene(0)
    const write = patch(id, { op: 'replace', path: 'externalId', value: 'x' })
    const answers = await raced(coordinator, await requestsOf(client, write), () =>
      env.DB.prepare(`UPDATE groups SET ${edit} WHERE id = ?1`).bind(id).run(),
    )
    expect(answers.map(statusOf)).toEqual([200])
    expect(coordinator.batches).toHaveLength(4)
    expect((await client.get(`/Groups/${id}`)).body).toMatchObject({ displayName: name, externalId: 'x' })
  })

  it('fail only where the member was deleted', async () => {
    const { client, ids, id, coordinator } = await newScene(9)
    const requests = await requestsOf(client, ...ids.map((user) => change(id, 'add', user)))
    const answers = await raced(coordinator, requests, () => client.request('DELETE', `/Users/${ids[4]}`))
    expect(answers.map(statusOf)).toEqual([200, 200, 200, 200, 400, 200, 200, 200, 200])
    expect(answers.map(versionOf)).toEqual([2, 3, 4, 5, undefined, 6, 7, 8, 9])
    expect((await stored(client, id)).members).toEqual(ids.filter((_, i) => i !== 4).sort())
  })

  it('fail only where the token was revoked', async () => {
    const { client, ids, id, coordinator } = await newScene(6)
    const second = await newToken(client.tenantId)
    const other = new Client(client.tenantId, second.token)
    await coordinator.writer.write(await requestOf(other, rename('none', 'x')))
    const requests = await times(6, (i) =>
      requestOf(i % 2 ? other : client, change(id, 'add', ids[i] as string)),
    )
    const answers = await raced(coordinator, requests, () =>
      admin('DELETE', `/tenants/${client.tenantId}/tokens/${second.id}`),
    )
    expect(answers.map(statusOf)).toEqual([200, 401, 200, 401, 200, 401])
    expect((await stored(client, id)).members).toEqual(ids.filter((_, i) => i % 2 === 0).sort())
  })

  it('fail only where the name or the last place was taken', async () => {
    const { client, ids, id, coordinator } = await newScene(2, { groupLimit: 3 })
    const [a = '', b = ''] = ids
    const writes = [change(id, 'add', a), create('Second'), create('Third'), change(id, 'add', b)]
    const answers = await raced(coordinator, await requestsOf(client, ...writes), () =>
      client.createGroup({ displayName: 'Second' }),
    )
    expect(answers.map(statusOf)).toEqual([200, 409, 200, 200])
    const late = [create('Fourth'), change(id, 'remove', a)]
    const third = await client.filter('/Groups', 'displayName eq "Third"')
    await client.request('DELETE', `/Groups/${third.body.Resources[0].id}`)
    const more = await raced(coordinator, await requestsOf(client, ...late), () => client.createGroup())
    expect(more.map(statusOf)).toEqual([400, 200])
    expect(await stored(client, id)).toEqual({ version: 4, members: [b] })
  })
})

describe('writes that are committed together to a failing database', () => {
  it.for(FAULTS.flatMap((fault) => [0, 1].map((batch) => [fault, batch] as const)))(
    'have an unknown outcome after "%s" in batch %i, and none is done twice',
    async ([fault, number]) => {
      const { client, ids, id } = await newScene(5)
      let plan = failing(fault)
      const coordinator = await newCoordinator(client, {
        binding: faultyBinding(env.DB, (statements) => plan(statements)),
        timeoutMs: 60,
      })
      const writes = [
        ...ids.map((user) => change(id, 'add', user)),
        create('Second'),
        change('none', 'add', 'x'),
      ]
      coordinator.before = (batch) => {
        if (batch === 0) plan = failing(fault, number)
      }
      const answers = await together(coordinator, client, ...writes)
      const after = await stored(client, id)
      const done = { version: 6, members: [...ids].sort() }
      if (fault === 'slow') {
        expect(answers.map(statusOf)).toEqual([...Array(6).fill(200), 404])
        expect(after).toEqual(done)
        return
      }
      expect(answers.map(statusOf)).toEqual(Array(7).fill(503))
      expect(coordinator.batches).toHaveLength(number + 1)
      const isDone = number === 1 && fault.endsWith('after')
      expect(after).toEqual(isDone ? done : { version: 1, members: [] })
      coordinator.before = () => undefined
      const again = await together(coordinator, client, ...writes)
      expect(again.map(statusOf)).toEqual([...Array(5).fill(200), isDone ? 409 : 200, 404])
      expect(await stored(client, id)).toEqual(done)
    },
  )
})
