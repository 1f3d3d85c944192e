/** RFC 7644 §3.11: /Me, the alias of the authenticated subject. Tokens identify applications, so it is not supported. */
import { describe, it } from 'vitest'
import { newClient, send, TENANT_URL, USER } from '../support/harness.ts'
import { expectError } from './protocol.ts'

describe('RFC 7644 §3.11, /Me', () => {
  it('answers 501 to every method, because it is not supported (§3.11)', async () => {
    const client = await newClient()
    const body = { schemas: [USER], userName: 'ada' }
    expectError(await client.get('/Me'), 501)
    expectError(await client.request('POST', '/Me', body), 501)
    expectError(await client.request('PUT', '/Me', body), 501)
    expectError(await client.request('PATCH', '/Me', { Operations: [] }), 501)
    expectError(await client.request('DELETE', '/Me'), 501)
  })

  it('requires authentication (§2, §3.11)', async () => {
    expectError(await send(new Request(`${TENANT_URL}/Me`)), 401)
  })
})
