/**
 * Regression tests for errors that the model, concurrency and fault tests found, each as a minimal case.
 */
import { describe, expect, it } from 'vitest'
import { newClient } from '../support/harness.ts'
import { soundState } from '../support/tenant-state.ts'

describe('DELETE of a group that is its own member', () => {
  // The response was 204 but the group stayed: its version had increased in the same batch, before the deletion.
  it('deletes it at the version that If-Match names', async () => {
    const client = await newClient()
    const { id } = await client.createGroup()
    const path = `/Groups/${id}`
    const joined = await client.patch(path, { op: 'add', path: 'members', value: [{ value: id }] })
    const ifMatch = { 'If-Match': joined.headers.get('ETag') ?? '' }
    expect((await client.request('DELETE', path, undefined, ifMatch)).status).toBe(204)
    expect((await client.get(path)).status).toBe(404)
    const { groups, memberships } = await soundState(client.tenantId)
    expect([groups, memberships]).toEqual([[], []])
  })
})
