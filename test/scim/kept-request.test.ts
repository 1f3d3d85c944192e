/** What the log keeps of a refused write. test/http/kept-requests.test.ts sends them. */
import { describe, expect, it } from 'vitest'
import { keptDetail, keptRequest } from '../../src/scim/kept-request.ts'
import { MAX_KEPT_REQUEST_CHARACTERS } from '../../src/scim/limits.ts'
import { attribute, type ResourceType } from '../../src/scim/schema/definition.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'

const kept = (body: unknown) => keptRequest('POST', body, RESOURCE_TYPES)

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
    ['accessKey', 'x'],
    ['passphrase', 'x'],
    ['userPwd', 'x'],
    ['title', `scimadmin_${'A'.repeat(43)}`],
    ['title', `whsec_${'A'.repeat(43)}=`],
    ['title', 'password: hunter2'],
    ['profileUrl', 'https://ada:hunter2@example.com/'],
    ['title', '-----BEGIN RSA PRIVATE KEY-----\nMIIE'],
  ] as const)('leaves out %s: %s', ([name, value]) => {
    expect(kept({ [name]: value })?.body).toEqual({ [name]: '(not kept)' })
  })

  it.for<[string, unknown]>([
    ['in other letters', { Operations: [{ OP: 'add', PATH: 'password', VALUE: 'hunter2' }] }],
    ['beside a path in lower case', { Operations: [{ op: 'add', path: 'password', Value: 'hunter2' }] }],
    ['as a pair', { attributes: [{ name: 'password', value: 'hunter2' }] }],
    ['as a pair of a type and a value', { emails: [{ type: 'Password', value: ['hunter2'] }] }],
    ['in quotation marks', { Operations: [{ path: 'emails[password eq "hunter2"].value', value: 'x' }] }],
    ['in other marks', { Operations: [{ path: "emails[password eq 'hunter2'].value", value: 'x' }] }],
    ['as a number', { Operations: [{ path: 'emails[pin eq hunter2].value', value: 'x' }] }],
    ['after a sign', { Operations: [{ path: 'password=hunter2', value: 'x' }] }],
    ['in a name', { 'password=hunter2': true }],
    ['beside a path that is a list', { Operations: [{ op: 'add', path: ['password'], value: 'hunter2' }] }],
    ['beside a path that is an object', { Operations: [{ path: { name: 'password' }, value: 'hunter2' }] }],
    ['beside another name of a path', { changes: [{ field: 'password', new: 'hunter2' }] }],
    ['in JSON as a text', { Operations: [{ value: JSON.stringify({ password: 'hunter2' }) }] }],
    ['in JSON with spaces', { title: '{ "apiKey" : "hunter2" }' }],
    ['in JSON as a text of JSON', { title: JSON.stringify(JSON.stringify({ password: 'hunter2' })) }],
    ['in XML', { title: '<user><password>hunter2</password></user>' }],
    ['in XML with attributes', { title: `<user pwd='hunter2'/>` }],
    ['in YAML', { title: 'name: Ada\npassphrase: hunter2' }],
    ['in an operation', { Operations: [{ op: 'set password hunter2', path: 'password', value: 1 }] }],
    [
      'after a long path',
      { Operations: [{ op: 'add', path: `${'a.'.repeat(400)}password`, value: 'hunter2' }] },
    ],
  ])('leaves out a value %s', ([, body]) => {
    const text = JSON.stringify(kept(body))
    expect(text).not.toContain('hunter2')
    expect(text).toContain('(not kept)')
  })

  it('leaves out what a schema never returns in a document that is a text', () => {
    const door = attribute('door', 'string', 'The code.', { returned: 'never' })
    const [user] = RESOURCE_TYPES
    const types = [{ ...(user as ResourceType), storedAttributes: [door] }]
    const value = JSON.stringify({ title: 'Ada', door: 'hunter2' })
    expect(JSON.stringify(keptRequest('POST', { value }, types))).not.toContain('hunter2')
  })

  it('leaves out what a schema never returns, even if it was sent to another type', () => {
    const door = attribute('door', 'string', 'The code.', { returned: 'never' })
    const [user, ...others] = RESOURCE_TYPES
    const types = [...others, { ...(user as ResourceType), storedAttributes: [door] }]
    const body = {
      'urn:x:User': { DOOR: 'hunter2' },
      Operations: [{ Path: 'urn:x:User:door', Value: 'hunter2' }],
    }
    expect(JSON.stringify(keptRequest('POST', body, types))).not.toContain('hunter2')
  })

  it('keeps what is beside a name that is not one of a secret', () => {
    const body = {
      emails: [{ type: 'work', value: 'a@b.example' }],
      displayName: 'Token ring',
      name: { x: 1 },
    }
    expect(kept(body)?.body).toEqual(body)
  })

  it.for(['Token ring: A', 'Secretary: Ada', 'The token of thanks', 'Passport office = 3', 'A -> B: tokens'])(
    'keeps the text “%s”',
    (title) => {
      expect(kept({ title })?.body).toEqual({ title })
    },
  )

  it.for(['secretary', 'passport', 'title', 'externalId'])('keeps %s', (name) => {
    expect(kept({ [name]: 'Ada' })?.body).toEqual({ [name]: 'Ada' })
  })

  it.for([
    ['eyJ-'.repeat(250_000)],
    ['eyJ.'.repeat(250_000)],
    [`bearer ${' '.repeat(1_000_000)}`],
    ['-----BEGIN '.repeat(90_000)],
    ['scim_'.repeat(200_000)],
    ['://a:'.repeat(200_000)],
    ['://'.repeat(300_000)],
    ['password : '.repeat(90_000)],
    ['basic '.repeat(150_000)],
    ['token'.repeat(200_000)],
    ['password '.repeat(100_000)],
    [`password${' '.repeat(1_000_000)}`],
    ['password"\\'.repeat(90_000)],
  ])('takes no time for a text that looks like many secrets', ([text]) => {
    const lists = Array.from({ length: 200 }, () => (text ?? '').slice(0, 5_000))
    for (const body of [{ title: text }, { title: lists }, { [text ?? '']: 1 }, { name: text }]) {
      expect(JSON.stringify(kept(body)).length).toBeLessThanOrEqual(MAX_KEPT_REQUEST_CHARACTERS)
    }
  })

  it('is given up as soon as it cannot fit', () => {
    let visited = 0
    const spied = (text: string) =>
      new Proxy([text, text, text], {
        get: (list, name, self) => {
          if (name === '0') visited++
          return Reflect.get(list, name, self)
        },
      })
    let nested: unknown = spied('x')
    for (let depth = 0; depth < 11; depth++) nested = [nested, nested, nested]
    expect(kept({ nested })).toBeUndefined()
    // Of 177,147 in each of four attempts.
    expect(visited).toBeLessThan(8_000)
  })

  it('is not kept if not even a shortened body fits', () => {
    let nested: unknown = 'x'
    for (let depth = 0; depth < 8; depth++) nested = [nested, nested, nested, nested, nested]
    expect(kept({ nested })).toBeUndefined()
  })
})

describe('a kept detail', () => {
  const detail = (text: string, asked?: string) => keptDetail(text, RESOURCE_TYPES, asked)

  it.for([
    [
      'path "emails[pin eq hunter2].value": filter, position 8: emails has no attribute "pin"',
      'path "emails[pin…": filter, position 8: emails has no attribute "pin"',
    ],
    [
      `path "x[password eq 'hunter2']": a string must be in double quotes, found "'hunter2'"`,
      'path "x[password…": a string must be in double quotes, found "(not kept)"',
    ],
    [String.raw`User has no attribute "password eq \"hunter2\""`, 'User has no attribute "password…"'],
    [`"x" must be y, found "scim_acme_${'A'.repeat(43)}"`, '"x" must be y, found "(not kept)"'],
  ] as const)('leaves out secrets: %s', ([text, expected]) => {
    expect(detail(text)).toBe(expected)
  })

  it('leaves out what it quotes of a filter that compares with a secret', () => {
    const text = 'filter, position 13: a string must be in double quotes, found "hunter2"'
    expect(detail(text, 'password eq hunter2')).not.toContain('hunter2')
    expect(detail(text, 'userName eq hunter2')).toBe(text)
  })

  it('keeps any other', () => {
    const text = String.raw`path "emails[type eq \"work\"].x": emails has no attribute "x", 3 of "a", "b"`
    expect(detail(text)).toBe(text)
  })
})
