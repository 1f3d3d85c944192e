import { describe, expect, it } from 'vitest'
import { costOf, newClient } from '../support/harness.ts'

describe('/Users', () => {
  it('creates a user and finds it by userName in another case', async () => {
    const client = await newClient()
    const user = await client.createUser({ userName: 'Mirela.Osterholt@quillfern.example' })
    const found = await client.filter('/Users', 'userName eq "mirela.osterholt@QUILLFERN.example"')
    expect(found.body.totalResults).toBe(1)
    expect(found.body.Resources[0].id).toBe(user.id)
    expect(costOf(found).roundTrips).toBe(1)
  })
})
