/** The setting LOG_BODIES. */
import { expect, it } from 'vitest'
import { newClient, USER } from '../support/harness.ts'
import { labRuntime, sendTo } from '../support/lab.ts'

it('LOG_BODIES=0 keeps no request of a refused write', async () => {
  const client = await newClient()
  const refuse = async (logBodies: boolean) => {
    const headers = { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' }
    const body = JSON.stringify({ schemas: [USER], displayName: 'without a name' })
    const runtime = labRuntime({ settings: { ...labRuntime().settings, logBodies } })
    const request = new Request('https://scim.test/scim/v2/Users', { method: 'POST', headers, body })
    expect((await sendTo(runtime, request)).status).toBe(400)
  }
  await refuse(true)
  await refuse(false)
  const [off, on] = await client.log()
  expect(off?.request).toBeNull()
  expect(on?.request).toMatchObject({ method: 'POST' })
})
