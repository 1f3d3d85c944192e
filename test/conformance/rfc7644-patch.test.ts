/** RFC 7644 §3.5.2: modifying resources with PATCH. */
import { describe, expect, it } from 'vitest'
import { type Answer, type Client, newClient, PATCH_OP, USER } from '../support/harness.ts'
import { anotherMillisecond, CISCO, ENTERPRISE, expectError } from './protocol.ts'

const WORK = { value: 'ada@work.example', type: 'work', primary: true }
const HOME = { value: 'ada@home.example', type: 'home' }

/** Creates a user with the attributes. @returns the user, and a function that sends a PATCH for it */
async function patchable(attributes: Record<string, unknown> = {}) {
  const client = await newClient()
  const user = await client.createUser(attributes)
  const path = `/Users/${user.id}`
  const patch = (...operations: readonly unknown[]) => client.patch(path, ...operations)
  return { client, user, path, patch }
}

/** Checks that a rejected PATCH has not changed the user. */
async function expectUnchanged(client: Client, user: { id: string }): Promise<void> {
  expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
}

function expectDone(answer: Answer): void {
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
}

describe('RFC 7644 §3.5.2, the message', () => {
  it('accepts a PatchOp message and answers 200 with the whole resource (§3.5.2)', async () => {
    const { client, path } = await patchable({ title: 'Pilot' })
    const body = { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'nickName', value: 'Ada' }] }
    const answer = await client.request('PATCH', path, body)
    expectDone(answer)
    expect(answer.body).toMatchObject({ title: 'Pilot', nickName: 'Ada' })
    expect(answer.headers.get('ETag')).toBe(answer.body.meta.version)
  })

  it.for([
    ['another message', { schemas: [USER], Operations: [] }],
    ['no Operations', { schemas: [PATCH_OP] }],
    ['Operations that are not an array', { schemas: [PATCH_OP], Operations: { op: 'add' } }],
    ['an operation without op', { schemas: [PATCH_OP], Operations: [{ path: 'title', value: 'x' }] }],
    ['an unknown op', { schemas: [PATCH_OP], Operations: [{ op: 'move', path: 'title', value: 'x' }] }],
  ] as const)('rejects %s with invalidSyntax (§3.5.2, §3.12)', async ([, body]) => {
    const { client, user, path } = await patchable()
    expectError(await client.request('PATCH', path, body), 400, 'invalidSyntax')
    await expectUnchanged(client, user)
  })

  it('answers 200 if attributes are requested, for both users and groups (§3.5.2, §3.9)', async () => {
    const { client, path } = await patchable({ title: 'Pilot' })
    const operation = { op: 'replace', path: 'displayName', value: 'Ada' }
    const body = { schemas: [PATCH_OP], Operations: [operation] }
    const answer = await client.request('PATCH', `${path}?attributes=displayName`, body)
    expectDone(answer)
    expect(Object.keys(answer.body).sort()).toEqual(['displayName', 'id', 'schemas'])
    const group = await client.createGroup()
    const changed = await client.request('PATCH', `/Groups/${group.id}?attributes=displayName`, body)
    expectDone(changed)
    expect(changed.body).toMatchObject({ id: group.id, displayName: 'Ada' })
  })

  it('answers 200 with the resource or 204 without a body (§3.5.2)', async () => {
    const { client } = await patchable()
    const group = await client.createGroup()
    const answer = await client.patch(`/Groups/${group.id}`, { op: 'add', path: 'externalId', value: 'x' })
    if (answer.status === 204) expect(answer.body).toBeUndefined()
    else expectDone(answer)
    expect((await client.get(`/Groups/${group.id}`)).body.externalId).toBe('x')
  })

  it('applies the operations in order (§3.5.2)', async () => {
    const { patch } = await patchable()
    const answer = await patch(
      { op: 'add', path: 'title', value: 'Pilot' },
      { op: 'replace', path: 'title', value: 'Surveyor' },
      { op: 'remove', path: 'title' },
      { op: 'add', path: 'title', value: 'Diver' },
    )
    expect(answer.body.title).toBe('Diver')
  })

  it('applies all operations or none (§3.5.2)', async () => {
    const { client, user, patch } = await patchable({ title: 'Pilot', emails: [WORK] })
    const answer = await patch(
      { op: 'replace', path: 'title', value: 'Surveyor' },
      { op: 'remove', path: 'emails' },
      { op: 'replace', path: 'userName', value: null },
    )
    expectError(answer, 400, 'mutability')
    await expectUnchanged(client, user)
  })

  it.for(['replace', 'add'])('rejects %s of a read-only attribute with mutability (§3.5.2)', async (op) => {
    const { client, user, patch } = await patchable()
    for (const path of ['id', 'meta.created', 'groups']) {
      expectError(await patch({ op, path, value: 'x' }), 400, 'mutability')
    }
    await expectUnchanged(client, user)
  })

  it('does not change the immutable sub-attributes of a member: mutability (§3.5.2)', async () => {
    const { client, user } = await patchable()
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const path = `members[value eq "${user.id}"].value`
    expectError(
      await client.patch(`/Groups/${group.id}`, { op: 'replace', path, value: 'x' }),
      400,
      'mutability',
    )
  })

  it('rejects a value that does not match the schema with invalidValue (§3.5.2)', async () => {
    const { client, user, patch } = await patchable()
    for (const [path, value] of [
      ['active', 'perhaps'],
      ['title', 5],
      ['name', 'Ada'],
      ['emails', [5]],
    ] as const) {
      expectError(await patch({ op: 'replace', path, value }), 400, 'invalidValue')
    }
    await expectUnchanged(client, user)
  })

  it.for(['shoeSize', 'name.shoeSize', 'emails[', 'emails[type eq "work"', 'name.givenName.x'])(
    'rejects the path %j with an error (§3.12)',
    async (path) => {
      const { client, user, patch } = await patchable({ emails: [WORK] })
      const answer = await patch({ op: 'remove', path })
      expectError(answer, 400, 'invalidPath')
      await expectUnchanged(client, user)
    },
  )

  it('accepts paths with the URN of the schema, in any case (§3.5.2, §3.10)', async () => {
    const { patch } = await patchable()
    const answer = await patch(
      { op: 'add', path: `${USER}:name.familyName`, value: 'Byron' },
      { op: 'add', path: 'NAME.givenname', value: 'Ada' },
      { op: 'add', path: `${ENTERPRISE.toLowerCase()}:department`, value: 'Survey' },
      { op: 'add', path: CISCO, value: { nativeObjectId: '8f14' } },
    )
    expectDone(answer)
    expect(answer.body).toMatchObject({
      schemas: expect.arrayContaining([USER, ENTERPRISE, CISCO]),
      name: { givenName: 'Ada', familyName: 'Byron' },
      [ENTERPRISE]: { department: 'Survey' },
      [CISCO]: { nativeObjectId: '8f14' },
    })
  })

  it('sets primary of the other values to false when one becomes primary (§3.5.2)', async () => {
    const { patch } = await patchable({ emails: [WORK, HOME] })
    const isPrimary = ({ body }: Answer) =>
      body.emails.filter(({ primary }: { primary?: boolean }) => primary).map(({ type }: typeof HOME) => type)
    const other = { value: 'ada@other.example', type: 'other', primary: true }
    expect(isPrimary(await patch({ op: 'add', path: 'emails', value: [other] }))).toEqual(['other'])
    const home = { op: 'replace', path: 'emails[type eq "home"].primary', value: true }
    expect(isPrimary(await patch(home))).toEqual(['home'])
  })

  it('updates schemas when an operation adds attributes of an extension (§3.5.2)', async () => {
    const { patch } = await patchable()
    const value = { schemas: [USER, ENTERPRISE], [ENTERPRISE]: { department: 'Survey' } }
    const answer = await patch(
      { op: 'add', value },
      { op: 'add', path: `${ENTERPRISE}:division`, value: 'D' },
    )
    expect(answer.body.schemas).toContain(ENTERPRISE)
    expect(answer.body[ENTERPRISE]).toEqual({ department: 'Survey', division: 'D' })
  })
})

describe('RFC 7644 §3.5.2.1, add', () => {
  it('requires a value (§3.5.2.1)', async () => {
    const { patch } = await patchable()
    expectError(await patch({ op: 'add', path: 'title' }), 400, 'invalidValue')
  })

  it('adds the attributes of its value without a path (§3.5.2.1)', async () => {
    const { patch } = await patchable({ emails: [WORK] })
    const answer = await patch({ op: 'add', value: { nickName: 'Ada', emails: [HOME] } })
    expect(answer.body).toMatchObject({ nickName: 'Ada', emails: [WORK, HOME] })
  })

  it('adds a missing attribute, and replaces an existing single value (§3.5.2.1)', async () => {
    const { patch } = await patchable()
    expect((await patch({ op: 'add', path: 'title', value: 'Pilot' })).body.title).toBe('Pilot')
    expect((await patch({ op: 'add', path: 'title', value: 'Diver' })).body.title).toBe('Diver')
  })

  it('adds the sub-attributes of a complex value and keeps the others (§3.5.2.1)', async () => {
    const { patch } = await patchable({ name: { familyName: 'Byron' } })
    const answer = await patch({ op: 'add', path: 'name', value: { givenName: 'Ada' } })
    expect(answer.body.name).toEqual({ familyName: 'Byron', givenName: 'Ada' })
  })

  it('adds values to a multi-valued attribute (§3.5.2.1)', async () => {
    const { patch } = await patchable({ emails: [WORK] })
    expect((await patch({ op: 'add', path: 'emails', value: [HOME] })).body.emails).toEqual([WORK, HOME])
  })

  it('changes neither the resource nor lastModified if the value already exists (§3.5.2.1)', async () => {
    const { client, user, patch } = await patchable({ title: 'Pilot', emails: [WORK] })
    await anotherMillisecond()
    for (const operation of [
      { op: 'add', path: 'title', value: 'Pilot' },
      { op: 'add', path: 'emails', value: [WORK] },
      { op: 'add', value: { title: 'Pilot' } },
    ]) {
      expectDone(await patch(operation))
    }
    await expectUnchanged(client, user)
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const again = { op: 'add', path: 'members', value: [{ value: user.id }] }
    expect((await client.patch(`/Groups/${group.id}`, again)).status).toBeLessThan(300)
    expect((await client.get(`/Groups/${group.id}`)).body.meta).toEqual(group.meta)
  })

  it('adds members to a group (§3.5.2.1)', async () => {
    const { client, user } = await patchable()
    const other = await client.createUser()
    const { id } = await client.createGroup({ members: [{ value: user.id }] })
    await client.patch(`/Groups/${id}`, {
      op: 'add',
      path: 'members',
      value: [{ value: other.id, display: 'Other' }],
    })
    const { members } = (await client.get(`/Groups/${id}`)).body
    expect(members.map(({ value }: typeof HOME) => value).toSorted()).toEqual([user.id, other.id].toSorted())
  })
})

describe('RFC 7644 §3.5.2.2, remove', () => {
  it('fails with noTarget without a path (§3.5.2.2)', async () => {
    const { client, user, patch } = await patchable({ title: 'Pilot' })
    expectError(await patch({ op: 'remove' }), 400, 'noTarget')
    await expectUnchanged(client, user)
  })

  it('removes a single value, which is then unassigned (§3.5.2.2)', async () => {
    const { client, patch } = await patchable({ title: 'Pilot', name: { givenName: 'A', familyName: 'B' } })
    const answer = await patch({ op: 'remove', path: 'title' }, { op: 'remove', path: 'name.familyName' })
    expect(answer.body).not.toHaveProperty('title')
    expect(answer.body.name).toEqual({ givenName: 'A' })
    expect((await client.filter('/Users', 'title pr')).body.totalResults).toBe(0)
  })

  it('removes all values of a multi-valued attribute without a filter (§3.5.2.2)', async () => {
    const { client, user, patch } = await patchable({ emails: [WORK, HOME] })
    expect((await patch({ op: 'remove', path: 'emails' })).body).not.toHaveProperty('emails')
    const { id } = await client.createGroup({ members: [{ value: user.id }] })
    await client.patch(`/Groups/${id}`, { op: 'remove', path: 'members' })
    expect((await client.get(`/Groups/${id}`)).body.members ?? []).toEqual([])
  })

  it('removes the values that a filter selects, and the attribute if none remains (§3.5.2.2)', async () => {
    const { patch } = await patchable({ emails: [WORK, HOME] })
    const first = await patch({ op: 'remove', path: 'emails[type eq "work" and value ew ".example"]' })
    expect(first.body.emails).toEqual([HOME])
    const last = await patch({ op: 'remove', path: 'emails[type eq "home"]' })
    expect(last.body).not.toHaveProperty('emails')
  })

  it('removes one sub-attribute of the values that a filter selects (§3.5.2.2)', async () => {
    const { patch } = await patchable({ emails: [{ ...WORK, display: 'Ada' }, HOME] })
    const answer = await patch({ op: 'remove', path: 'emails[type eq "work"].display' })
    expect(answer.body.emails).toEqual([WORK, HOME])
  })

  it('removes only the member that a filter selects (§3.5.2.2)', async () => {
    const { client, user } = await patchable()
    const other = await client.createUser()
    const { id } = await client.createGroup({ members: [{ value: user.id }, { value: other.id }] })
    await client.patch(`/Groups/${id}`, { op: 'remove', path: `members[value eq "${user.id}"]` })
    expect((await client.get(`/Groups/${id}`)).body.members).toMatchObject([{ value: other.id }])
  })

  it.for(['userName', 'id', 'meta', 'schemas'])(
    'rejects the removal of %s, which is required or read-only, with mutability (§3.5.2.2)',
    async (path) => {
      const { client, user, patch } = await patchable()
      expectError(await patch({ op: 'remove', path }), 400, 'mutability')
      await expectUnchanged(client, user)
    },
  )

  it('rejects unassigning a required attribute with mutability (§3.5.2.2)', async () => {
    const { client, user, patch } = await patchable()
    expectError(await patch({ op: 'replace', path: 'userName', value: null }), 400, 'mutability')
    await expectUnchanged(client, user)
  })
})

describe('RFC 7644 §3.5.2.3, replace', () => {
  it('replaces the attributes of its value without a path (§3.5.2.3)', async () => {
    const { patch } = await patchable({ title: 'Pilot', nickName: 'Ada', emails: [WORK] })
    const answer = await patch({ op: 'replace', value: { title: 'Diver', emails: [HOME] } })
    expect(answer.body).toMatchObject({ title: 'Diver', nickName: 'Ada', emails: [HOME] })
  })

  it('replaces a single value (§3.5.2.3)', async () => {
    const { patch } = await patchable({ title: 'Pilot' })
    expect((await patch({ op: 'replace', path: 'title', value: 'Diver' })).body.title).toBe('Diver')
  })

  it('replaces all values of a multi-valued attribute (§3.5.2.3)', async () => {
    const { client, user, patch } = await patchable({ emails: [WORK] })
    expect((await patch({ op: 'replace', path: 'emails', value: [HOME] })).body.emails).toEqual([HOME])
    const other = await client.createUser()
    const { id } = await client.createGroup({ members: [{ value: user.id }] })
    await client.patch(`/Groups/${id}`, { op: 'replace', path: 'members', value: [{ value: other.id }] })
    expect((await client.get(`/Groups/${id}`)).body.members).toMatchObject([{ value: other.id }])
  })

  it('adds a missing attribute (§3.5.2.3)', async () => {
    const { patch } = await patchable()
    const answer = await patch(
      { op: 'replace', path: 'title', value: 'Pilot' },
      { op: 'replace', path: 'name.givenName', value: 'Ada' },
    )
    expect(answer.body).toMatchObject({ title: 'Pilot', name: { givenName: 'Ada' } })
  })

  it('replaces the sub-attributes of a complex value that were sent and keeps the others (§3.5.2.3)', async () => {
    const { patch } = await patchable({ name: { givenName: 'Ada', familyName: 'Byron' } })
    const value = { familyName: 'King', middleName: 'Augusta' }
    const answer = await patch({ op: 'replace', path: 'name', value })
    expect(answer.body.name).toEqual({ givenName: 'Ada', familyName: 'King', middleName: 'Augusta' })
  })

  it('replaces every value that a filter selects (§3.5.2.3)', async () => {
    const { patch } = await patchable({ emails: [WORK, { value: 'ada@old.example', type: 'work' }, HOME] })
    const value = { value: 'ada@new.example', type: 'other' }
    const answer = await patch({ op: 'replace', path: 'emails[type eq "work"]', value })
    const { emails } = answer.body
    expect(emails.filter(({ type }: typeof HOME) => type === 'work')).toEqual([])
    expect(emails).toEqual(expect.arrayContaining([expect.objectContaining(value), HOME]))
  })

  it('replaces one sub-attribute of every value that a filter selects (§3.5.2.3)', async () => {
    const { patch } = await patchable({
      addresses: [{ type: 'work', locality: 'A', country: 'SE' }, { type: 'home' }],
    })
    const answer = await patch({ op: 'replace', path: 'addresses[type eq "work"].locality', value: 'B' })
    expect(answer.body.addresses).toEqual([{ type: 'work', locality: 'B', country: 'SE' }, { type: 'home' }])
  })

  it('fails with noTarget if a filter selects nothing (§3.5.2.3)', async () => {
    const { client, user, patch } = await patchable({ emails: [WORK] })
    for (const path of ['emails[value eq "nobody@x"]', 'emails[value eq "nobody@x"].display']) {
      const value = path.endsWith(']') ? HOME : 'x'
      expectError(await patch({ op: 'replace', path, value }), 400, 'noTarget')
    }
    await expectUnchanged(client, user)
  })
})
