/**
 * What the model, the races and the faults brought to light, each as the smallest case that shows it.
 */
import { describe, expect, it } from 'vitest'
import { newClient } from '../support/harness.ts'
import { soundState } from '../support/tenant-state.ts'

describe('DELETE of a group that is its own member', () => {
  // It was answered 204 and the group stayed: its version had risen in the same batch, before the deletion.
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
