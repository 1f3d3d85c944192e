/** What sources cost: round trips and rows of writes, on D1. */
import { describe, expect, it } from 'vitest'
import { type Client, costOf, newClient } from '../support/harness.ts'
import { secondSource } from '../support/sources.ts'

const create = async (client: Client, userName: string, externalId: string) =>
  costOf(await client.request('POST', '/Users', { userName, externalId }))

const setTitle = async (client: Client, id: string, value: string) =>
  costOf(await client.patch(`/Users/${id}`, { op: 'replace', path: 'title', value }))

describe('the sources of a write', () => {
  it('cost no round trip, and four rows when a conflict opens: itself and its index, the event and its index', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    // The first write of a client also stores when its token was used.
    await create(first, 'a', 'a')
    await create(second, 'b', 'b')
    const alone = await create(second, 'c', 'c')
    const meeting = await create(second, 'd', 'a')
    expect(meeting.roundTrips).toBe(alone.roundTrips)
    expect(meeting.rowsWritten - alone.rowsWritten).toBe(4)
    expect((await create(second, 'e', 'a')).rowsWritten - alone.rowsWritten).toBe(2)
  })

  it('cost three rows when a value is turned again: the conflict, its index, and the row of the other client', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const { id } = await first.createUser({ title: 'a' })
    await second.createUser()
    await setTitle(second, id, 'b')
    await setTitle(first, id, 'a')
    const other = await setTitle(first, id, 'c')
    await setTitle(first, id, 'a')
    const again = await setTitle(second, id, 'b')
    expect(again.rowsWritten - other.rowsWritten).toBe(3)
    expect(again.roundTrips).toBeLessThanOrEqual(2)
  })

  it('read no more rows for a client that writes alone, however long the log of a user is', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ title: 'a' })
    await client.get(`/Users/${id}`)
    const early = await setTitle(client, id, 'b')
    for (let i = 0; i < 10; i++) await setTitle(client, id, `${i}`)
    const late = await setTitle(client, id, 'a')
    expect(late).toEqual(early)
  })
})
