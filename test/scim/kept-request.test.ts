/** What the log keeps of a refused write. test/http/kept-requests.test.ts sends them. */
import { describe, expect, it } from 'vitest'
import { keptRequest } from '../../src/scim/kept-request.ts'
import { MAX_KEPT_REQUEST_CHARACTERS } from '../../src/scim/limits.ts'
import { RESOURCE_TYPES, typeNamed } from '../../src/storage/tables/resource-tables.ts'

const kept = (body: unknown) => keptRequest('POST', body, typeNamed(RESOURCE_TYPES, 'User'))

describe('a kept request', () => {
  it.for([
    ['password', 'x'],
    ['Password', 'x'],
    ['clientSecret', 'x'],
    ['api_key', 'x'],
    ['urn:ietf:params:scim:schemas:core:2.0:User:password', 'x'],
    ['title', `scim_acme_${'A'.repeat(43)}`],
    ['title', `is scims_${'A'.repeat(43)} right?`],
    ['title', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln'],
    ['title', 'Authorization: Basic dXNlcjpwYXNz'],
    ['title', '-----BEGIN RSA PRIVATE KEY-----\nMIIE'],
  ] as const)('leaves out %s: %s', ([name, value]) => {
    expect(kept({ [name]: value })?.body).toEqual({ [name]: '(not kept)' })
  })

  it.for(['secretary', 'title', 'externalId'])('keeps %s', (name) => {
    expect(kept({ [name]: 'Ada' })?.body).toEqual({ [name]: 'Ada' })
  })

  it.for([
    ['eyJ-'.repeat(250_000)],
    ['eyJ.'.repeat(250_000)],
    [`bearer ${' '.repeat(1_000_000)}`],
    ['-----BEGIN '.repeat(90_000)],
    ['scim_'.repeat(200_000)],
    ['basic '.repeat(150_000)],
  ])('takes no time for a text that looks like many secrets', ([text]) => {
    const lists = Array.from({ length: 200 }, () => (text ?? '').slice(0, 5_000))
    for (const body of [{ title: text }, { title: lists }, { [text ?? '']: 1 }]) {
      expect(JSON.stringify(kept(body)).length).toBeLessThanOrEqual(MAX_KEPT_REQUEST_CHARACTERS)
    }
  })

  it('is not kept if not even a shortened body fits', () => {
    let nested: unknown = 'x'
    for (let depth = 0; depth < 8; depth++) nested = [nested, nested, nested, nested, nested]
    expect(kept({ nested })).toBeUndefined()
  })
})
