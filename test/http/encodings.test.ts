/**
 * Text that is not UTF-8 is rejected everywhere. If it were decoded to U+FFFD, different names would become equal.
 */
import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { ADMIN_TOKEN, Browser } from '../support/dashboard.ts'
import { newClient, ORIGIN } from '../support/harness.ts'

const INVALID: readonly (readonly [string, readonly number[]])[] = [
  ['bytes that do not occur in UTF-8', [0xff, 0xc0]],
  ['an overlong encoding', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a truncated character', [0xe2, 0x82]],
]

const bytesOf = (before: string, bytes: readonly number[], after: string) =>
  new Uint8Array([...new TextEncoder().encode(before), ...bytes, ...new TextEncoder().encode(after)])

async function post(path: string, headers: Record<string, string>, body: Uint8Array) {
  const request = new Request(`${ORIGIN}${path}`, {
    method: 'POST',
    headers: { 'CF-Connecting-IP': crypto.randomUUID(), ...headers },
    body: body as Uint8Array<ArrayBuffer>,
    redirect: 'manual',
  })
  const response = await exports.default.fetch(request)
  return { status: response.status, text: await response.text() }
}

describe('a body with', () => {
  for (const [name, bytes] of INVALID) {
    it(`${name} is rejected by the SCIM API with invalidSyntax and changes nothing`, async () => {
      const client = await newClient()
      const headers = { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' }
      for (const [path, before, after] of [
        ['/Users', '{"userName":"', '"}'],
        ['/Groups', '{"displayName":"', '"}'],
        ['/.search', '{"filter":"userName eq \\"', '\\""}'],
        ['/Bulk', '{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"', '"}}]}'],
      ] as const) {
        const { status, text } = await post(`/scim/v2${path}`, headers, bytesOf(before, bytes, after))
        expect([path, status]).toEqual([path, 400])
        expect(JSON.parse(text)).toMatchObject({
          scimType: 'invalidSyntax',
          detail: 'the request body must be UTF-8',
        })
      }
      expect((await client.get('/')).body.totalResults).toBe(0)
    })

    it(`${name} is rejected by the admin API and by forms`, async () => {
      const json = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' }
      const api = await post('/admin/api/tenants', json, bytesOf('{"id":"utf","name":"', bytes, '"}'))
      expect([api.status, JSON.parse(api.text).error.code]).toEqual([400, 'invalid'])
      const browser = await new Browser().signIn()
      const form = {
        Origin: ORIGIN,
        Cookie: browser.cookie,
        'Content-Type': 'application/x-www-form-urlencoded',
      }
      const encoded = bytes.map((byte) => `%${byte.toString(16)}`).join('')
      for (const sent of [bytes, [...new TextEncoder().encode(encoded)]]) {
        const body = bytesOf('id=utf&name=', sent, '&groupLimit=1')
        expect((await post('/admin/tenants', form, body)).status).toBe(400)
      }
      expect((await browser.get('/admin/tenants/utf')).status).toBe(404)
    })
  }

  it('a byte order mark is accepted and the mark is ignored', async () => {
    const client = await newClient()
    const headers = { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' }
    const { status } = await post(
      '/scim/v2/Users',
      headers,
      bytesOf('', [0xef, 0xbb, 0xbf], '{"userName":"bom"}'),
    )
    expect(status).toBe(201)
  })
})

describe('a query', () => {
  it.for(['%FF', '%ED%A0%80', '%C3', '%', '%zz'])('with %s is rejected', async (text) => {
    const client = await newClient()
    const answer = await client.get(`/Users?filter=userName%20eq%20%22${text}%22`)
    expect(answer.body).toMatchObject({ status: '400', scimType: 'invalidSyntax' })
    expect((await client.get(`/Users/${text}`)).status).toBe(404)
  })

  it('may contain any percent-encoded character', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ displayName: '100 % é 😀' })
    const found = await client.filter('/Users', 'displayName eq "100 % é 😀"')
    expect(found.body.Resources[0].id).toBe(id)
  })
})
