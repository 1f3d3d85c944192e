/** RFC 7644 §3.14: versions. */
import { describe, expect, it } from 'vitest'
import { type Client, GROUP, newClient, PATCH_OP, USER } from '../support/harness.ts'
import { expectError } from './protocol.ts'

/** A user and a group, with the body that replaces each. */
async function resources(client: Client) {
  const user = await client.createUser({ userName: 'ada' })
  const group = await client.createGroup({ displayName: 'Crew' })
  return [
    { path: `/Users/${user.id}`, resource: user, body: { schemas: [USER], userName: 'bea' } },
    { path: `/Groups/${group.id}`, resource: group, body: { schemas: [GROUP], displayName: 'Guides' } },
  ]
}

const CHANGE = { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'externalId', value: 'x' }] }

describe('RFC 7644 §3.14, versioning', () => {
  it('returns the version of a resource as ETag and as meta.version (§3.14)', async () => {
    const client = await newClient()
    for (const { path, resource, body } of await resources(client)) {
      const read = await client.get(path)
      expect(read.headers.get('ETag')).toBe(resource.meta.version)
      const replaced = await client.request('PUT', path, body)
      expect(replaced.headers.get('ETag')).toBe(replaced.body.meta.version)
      expect(replaced.body.meta.version).not.toBe(resource.meta.version)
    }
  })

  it('returns the ETag of a new resource (§3.14)', async () => {
    const client = await newClient()
    const created = await client.request('POST', '/Users', { schemas: [USER], userName: 'ada' })
    expect(created.headers.get('ETag')).toBe(created.body.meta.version)
  })

  it('returns the ETag even if meta is not requested (§3.14)', async () => {
    const client = await newClient()
    const { id, meta } = await client.createUser()
    const answer = await client.get(`/Users/${id}?attributes=userName`)
    expect(answer.headers.get('ETag')).toBe(meta.version)
  })

  it('answers 304 without a body to If-None-Match with the version (§3.14)', async () => {
    const client = await newClient()
    for (const { path, resource } of await resources(client)) {
      const { version } = resource.meta
      for (const tag of [version, version.replace('W/', ''), `W/"none", ${version}`, '*']) {
        const answer = await client.get(path, { 'If-None-Match': tag })
        expect([answer.status, answer.body], tag).toEqual([304, undefined])
      }
      expect((await client.get(path, { 'If-None-Match': 'W/"none"' })).status).toBe(200)
    }
  })

  it('changes a resource only if If-Match contains its version, otherwise 412 (§3.14)', async () => {
    const client = await newClient()
    for (const { path, resource, body } of await resources(client)) {
      const stale = { 'If-Match': 'W/"none"' }
      expectError(await client.request('PUT', path, body, stale), 412)
      expectError(await client.request('PATCH', path, CHANGE, stale), 412)
      expectError(await client.request('DELETE', path, undefined, stale), 412)
      expect((await client.get(path)).body).toEqual(resource)
      const fresh = { 'If-Match': resource.meta.version }
      expect((await client.request('PATCH', path, CHANGE, fresh)).status).toBeLessThan(300)
      expectError(await client.request('PUT', path, body, fresh), 412)
      const list = { 'If-Match': `"none", ${(await client.get(path)).headers.get('ETag')}` }
      expect((await client.request('PUT', path, body, list)).status).toBe(200)
      expect((await client.request('DELETE', path, undefined, { 'If-Match': '*' })).status).toBe(204)
    }
  })

  it('changes nothing if If-None-Match contains the version, 412 (§3.14)', async () => {
    const client = await newClient()
    for (const { path, resource, body } of await resources(client)) {
      for (const tag of [resource.meta.version, '*']) {
        const headers = { 'If-None-Match': tag }
        expectError(await client.request('PUT', path, body, headers), 412)
        expectError(await client.request('PATCH', path, CHANGE, headers), 412)
        expectError(await client.request('DELETE', path, undefined, headers), 412)
      }
      expect((await client.get(path)).body).toEqual(resource)
      const other = { 'If-None-Match': 'W/"none"' }
      expect((await client.request('PUT', path, body, other)).status).toBe(200)
    }
  })

  it('changes the version with each change of the resource, and only then (§3.14)', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ userName: 'ada' })
    const path = `/Users/${id}`
    const versions = new Set<string>()
    for (const value of ['a', 'b', 'b', 'a']) {
      const answer = await client.patch(path, { op: 'replace', path: 'title', value })
      versions.add(answer.body.meta.version)
    }
    expect(versions.size).toBe(3)
  })
})
