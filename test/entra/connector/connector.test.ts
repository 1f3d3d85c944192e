import { describe, expect, it } from 'vitest'
import { runConnectorCycle, type Send } from '../../../src/entra/connector/connector.ts'
import { writtenObjects } from '../../../src/entra/connector/objects.ts'
import type { Directory } from '../../../src/entra/documents/directory.ts'
import type { ScimRequest } from '../../../src/entra/protocol/requests.ts'

const GUID = '01020304-0506-0708-090a-0b0c0d0e0f10'
const DIRECTORY: Directory = {
  users: [
    {
      id: 'a',
      userPrincipalName: 'a.name.longer.than.allowed@quillfern.example',
      accountEnabled: true,
      assigned: true,
      extension_8f_objectGUID: GUID,
    },
    { id: 'b', userPrincipalName: 'cloud@quillfern.example', accountEnabled: true, assigned: true },
  ],
  groups: [{ id: crypto.randomUUID(), displayName: 'Rangers', assigned: true, members: ['a', 'b'] }],
}
const BASE64 = { attribute: 'nativeObjectId', encoding: 'base64' } as const

/** Answers every query with `found`, and every create with an id. */
function endpoint(found: readonly Record<string, unknown>[]) {
  const sent: ScimRequest[] = []
  const send: Send = async (purpose, request) => {
    if (purpose !== 'match') sent.push(request)
    return {
      ok: true,
      status: 200,
      resource: { id: `id-${sent.length}` },
      resources: purpose === 'match' ? found : [],
    }
  }
  return { sent, send }
}

describe('the objects of the connector', () => {
  it('are the users with an objectGUID, in base64 with little-endian fields, and the groups', () => {
    const [user, group, ...more] = writtenObjects(DIRECTORY, BASE64)
    expect(more).toEqual([])
    expect(user?.resource).toMatchObject({
      userName: 'a.name.longer.than.a',
      'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User': {
        nativeObjectId: 'BAMCAQYFCAcJCgsMDQ4PEA==',
      },
    })
    expect(group).toMatchObject({ type: 'Group', members: ['a', 'b'] })
  })

  it('have the objectGUID as text in externalId if that is wanted', () => {
    const [user] = writtenObjects(DIRECTORY, { attribute: 'externalId', encoding: 'text' })
    expect(user?.resource).toMatchObject({ externalId: GUID })
  })
})

describe('a cycle', () => {
  it('creates what it does not find, and names as members only what it has written', async () => {
    const { sent, send } = endpoint([])
    const result = await runConnectorCycle(DIRECTORY, BASE64, send)
    expect(result).toMatchObject({ created: 2, refused: [] })
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /Users', 'POST /Groups'])
    expect(sent[1]?.body).toMatchObject({ members: [{ value: 'id-1' }] })
  })

  it('sends only what differs, and removes members that others have added', async () => {
    const [user] = writtenObjects(DIRECTORY, BASE64)
    const members = [{ value: 'x' }, { value: 'other' }]
    const { sent, send } = endpoint([{ ...user?.resource, displayName: 'Rangers', id: 'x', members }])
    expect(await runConnectorCycle(DIRECTORY, BASE64, send)).toMatchObject({ updated: 1, unchanged: 1 })
    expect(sent).toMatchObject([
      {
        method: 'PATCH',
        path: '/Groups/x',
        body: { Operations: [{ op: 'remove', value: [{ value: 'other' }] }] },
      },
    ])
  })

  it('deletes everything that it finds if it is to be removed', async () => {
    const { sent, send } = endpoint([{ id: 'x' }])
    expect(await runConnectorCycle(DIRECTORY, BASE64, send, true)).toMatchObject({ deleted: 2 })
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'DELETE /Groups/x',
      'DELETE /Users/x',
    ])
  })
})
