/** RFC 7644 §3.12: errors. */
import { describe, expect, it } from 'vitest'
import {
  GROUP,
  newClient,
  newToken,
  Client as ScimClient,
  send,
  TENANT_URL,
  USER,
} from '../support/harness.ts'
import { expectError } from './protocol.ts'

describe('RFC 7644 §3.12, errors', () => {
  it('returns all errors as an Error message with the status as a string, in application/scim+json (§3.12)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'ada' })
    const body = { schemas: [USER], userName: 'ada' }
    expectError(await client.request('POST', '/Users', '{'), 400, 'invalidSyntax')
    expectError(await send(new Request(`${TENANT_URL}/Users`)), 401)
    expectError(await client.get('/Users/unknown'), 404)
    expectError(await client.request('POST', '/Users', body), 409, 'uniqueness')
    expectError(await client.get('/Me'), 501)
  })

  it.for([
    ['invalidFilter', 'GET', '/Users?filter=userName'],
    ['invalidValue', 'GET', '/Users?count=ten'],
    ['invalidValue', 'GET', '/Users?sortBy=shoeSize'],
    ['invalidCursor', 'GET', '/Users?cursor=nonsense'],
    ['invalidCount', 'GET', '/Users?cursor&count=ten'],
    ['invalidSyntax', 'POST', '/Users'],
    ['invalidSyntax', 'POST', '/Groups'],
    ['invalidSyntax', 'POST', '/.search'],
    ['invalidSyntax', 'POST', '/Bulk'],
  ] as const)('answers %s to %s %s (§3.12)', async ([scimType, method, path]) => {
    const client = await newClient()
    expectError(await client.request(method, path, method === 'POST' ? 'no JSON' : undefined), 400, scimType)
  })

  it('answers 403 to a request that the token does not permit (§3.12)', async () => {
    const { tenantId } = await newClient()
    const reader = new ScimClient(tenantId, (await newToken(tenantId, { scope: 'read' })).token)
    expectError(await reader.request('POST', '/Users', { schemas: [USER], userName: 'ada' }), 403)
    expectError(await reader.request('POST', '/Groups', { schemas: [GROUP], displayName: 'Crew' }), 403)
    expect((await reader.get('/Users')).body.totalResults).toBe(0)
  })

  it('answers 404 to an unknown endpoint, and 405 to an unsupported method (§3.12)', async () => {
    const client = await newClient()
    expectError(await client.get('/Robots'), 404)
    const answer = await client.request('PUT', '/Users', { schemas: [USER], userName: 'ada' })
    expectError(answer, 405)
    expect(answer.headers.get('Allow')).toMatch(/GET/)
  })

  it('answers 413 to a body that is too large, and 415 to another media type (§3.12)', async () => {
    const client = await newClient()
    const large = { schemas: [USER], userName: 'x'.repeat(1024 * 1024) }
    expectError(await client.request('POST', '/Users', large), 413)
    expectError(await client.request('POST', '/Users', '<user/>', { 'Content-Type': 'text/xml' }), 415)
  })

  it('returns well-formed JSON for strings that are not well-formed (§3.12)', async () => {
    const client = await newClient()
    for (const [method, path, body] of [
      ['GET', '/Users/%E0%A4%A', undefined],
      ['GET', '/Users/%00', undefined],
      ['GET', `/Users?filter=${encodeURIComponent('userName eq "\\ud800"')}`, undefined],
      ['POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"\\ud800"}'],
    ] as const) {
      const answer = await client.request(method, path, body)
      expectError(answer, answer.status, answer.body.scimType)
      expect([400, 404]).toContain(answer.status)
    }
  })
})
