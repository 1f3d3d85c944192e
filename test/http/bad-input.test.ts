import { describe, expect, it } from 'vitest'
import {
  type Answer,
  type Client,
  GROUP,
  newClient,
  PATCH_OP,
  send,
  TENANT_URL,
  USER,
} from '../support/harness.ts'

/** Checks a SCIM error: the status as text in the body, the media type, and a detail. */
function expectScimError(answer: Answer, status: number, scimType: string | undefined, detail: RegExp): void {
  expect(answer.headers.get('Content-Type')).toBe('application/scim+json')
  expect(answer.body).toMatchObject({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    detail: expect.stringMatching(detail),
  })
  expect([answer.status, answer.body.scimType]).toEqual([status, scimType])
}

const userBody = (attributes: object) => ({ schemas: [USER], userName: 'a@quillfern.example', ...attributes })
const patchBody = (...Operations: readonly unknown[]) => ({ schemas: [PATCH_OP], Operations })

describe('invalid request bodies', () => {
  it.for<[string, unknown, number, string | undefined, RegExp]>([
    ['an empty body', '', 400, 'invalidSyntax', /empty/],
    ['broken JSON', '{"userName":', 400, 'invalidSyntax', /not valid JSON/],
    ['an array', '[]', 400, 'invalidSyntax', /JSON object, found an array/],
    ['a string', '"x"', 400, 'invalidSyntax', /JSON object, found a string/],
    ['null', 'null', 400, 'invalidSyntax', /JSON object, found null/],
    ['no userName', { schemas: [USER] }, 400, 'invalidValue', /"userName" is required/],
    ['an empty userName', userBody({ userName: '' }), 400, 'invalidValue', /"userName" is required/],
    [
      'a number as userName',
      userBody({ userName: 5 }),
      400,
      'invalidValue',
      /"userName" must be a string.*found a number/,
    ],
    ['a word as active', userBody({ active: 'perhaps' }), 400, 'invalidValue', /"active" must be a boolean/],
    [
      'a text as name',
      userBody({ name: 'Mirela' }),
      400,
      'invalidValue',
      /"name" must be an object, found a string/,
    ],
    [
      'an object as emails',
      userBody({ emails: { value: 'x' } }),
      400,
      'invalidValue',
      /"emails" must be an array/,
    ],
    ['a number in emails', userBody({ emails: [5] }), 400, 'invalidValue', /"emails\[0\]" must be an object/],
    [
      'two primary emails',
      userBody({
        emails: [
          { value: 'a', primary: true },
          { value: 'b', primary: true },
        ],
      }),
      400,
      'invalidValue',
      /more than one primary/,
    ],
    ['a lone surrogate', '{"userName":"\\ud800"}', 400, 'invalidValue', /well-formed Unicode/],
    ['a U+0000', userBody({ title: 'a\0b' }), 400, 'invalidValue', /without U\+0000/],
    ['schemas of a group', userBody({ schemas: [GROUP] }), 400, 'invalidValue', /"schemas" must contain/],
    ['more than 1 MiB', userBody({ title: 'x'.repeat(1024 * 1024) }), 413, undefined, /1048576 bytes/],
  ])('rejects %s in POST and changes nothing', async ([, body, status, scimType, detail]) => {
    const client = await newClient()
    expectScimError(await client.request('POST', '/Users', body), status, scimType, detail)
    expect((await client.get('/Users')).body.totalResults).toBe(0)
    expect((await client.log())[0]).toMatchObject({ outcome: 'refused', status, action: 'create' })
  })

  it.for<[string, unknown, string, RegExp]>([
    ['no Operations', { schemas: [PATCH_OP] }, 'invalidSyntax', /"Operations" must be an array/],
    ['another schema', { schemas: [USER], Operations: [] }, 'invalidSyntax', /PatchOp/],
    [
      'schemas that are objects and arrays',
      { schemas: [{ toString: 1 }, [{ toString: 1 }]], Operations: [] },
      'invalidSyntax',
      /"schemas" must contain/,
    ],
    [
      'an unknown op',
      patchBody({ op: 'move', path: 'title', value: 'x' }),
      'invalidSyntax',
      /add, replace, remove, found "move"/,
    ],
    [
      'an operation that is not an object',
      patchBody('x'),
      'invalidSyntax',
      /Operations\[0\] must be an object/,
    ],
    ['add without a value', patchBody({ op: 'add', path: 'title' }), 'invalidValue', /"add" needs a value/],
    ['remove without a path', patchBody({ op: 'remove' }), 'noTarget', /"remove" needs a path/],
    [
      'an unknown path',
      patchBody({ op: 'add', path: 'shoeSize', value: 1 }),
      'invalidPath',
      /no attribute "shoeSize"/,
    ],
    [
      'an unknown sub-attribute',
      patchBody({ op: 'add', path: 'name.shadow', value: 'x' }),
      'invalidPath',
      /name\.shadow/,
    ],
    [
      'an invalid path',
      patchBody({ op: 'add', path: 'emails[type eq', value: 'x' }),
      'invalidPath',
      /emails\[type eq/,
    ],
    [
      'a path into a prototype',
      patchBody({ op: 'add', path: '__proto__.polluted', value: 1 }),
      'invalidPath',
      /__proto__/,
    ],
    [
      'a read-only path',
      patchBody({ op: 'replace', path: 'id', value: 'x' }),
      'mutability',
      /"id" is read-only/,
    ],
    [
      'removal of userName',
      patchBody({ op: 'remove', path: 'userName' }),
      'mutability',
      /"userName" is required/,
    ],
    [
      'a filter that no element matches',
      patchBody({ op: 'replace', path: 'emails[value eq "x"].type', value: 'work' }),
      'noTarget',
      /does not match any value/,
    ],
  ])('rejects %s in PATCH and changes nothing', async ([, body, scimType, detail]) => {
    const client = await newClient()
    const user = await client.createUser()
    expectScimError(await client.request('PATCH', `/Users/${user.id}`, body), 400, scimType, detail)
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
    expect((await client.log())[0]).toMatchObject({ outcome: 'refused', resourceId: user.id, scimType })
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('rejects a body without Content-Length that is too large', async () => {
    const { token } = await newClient()
    const chunk = new TextEncoder().encode('x'.repeat(64 * 1024))
    let sent = 0
    const body = new ReadableStream({
      pull: (controller) => (sent++ < 32 ? controller.enqueue(chunk) : controller.close()),
    })
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' }
    const answer = await send(new Request(`${TENANT_URL}/Users`, { method: 'POST', headers, body }))
    expectScimError(answer, 413, undefined, /limit/)
  })

  it('accepts both media types, with parameters or missing, and rejects others with 415', async () => {
    const client = await newClient()
    const send = (type: string) =>
      client.request('POST', '/Users', userBody({ userName: `as ${type}` }), { 'Content-Type': type })
    for (const type of [
      'application/json',
      'application/scim+json; charset=utf-8',
      'Application/SCIM+JSON;charset=UTF-8',
      '',
    ]) {
      expect((await send(type)).status, type).toBe(201)
    }
    expectScimError(await send('text/xml'), 415, undefined, /"text\/xml"/)
  })

  it('rejects a compressed body with 415', async () => {
    const client = await newClient()
    const headers = { 'Content-Encoding': 'gzip' }
    expectScimError(await client.request('POST', '/Users', userBody({}), headers), 415, undefined, /"gzip"/)
  })

  it('reports the position of a JSON syntax error without quoting the text', async () => {
    const client = await newClient()
    const answer = await client.request('POST', '/Users', '{"userName":"a","password":"hunter2",}')
    expectScimError(answer, 400, 'invalidSyntax', /not valid JSON at position 37/)
    expect(JSON.stringify([answer.body, await client.log()])).not.toContain('hunter2')
  })

  it('accepts any Accept header', async () => {
    const client = await newClient()
    for (const Accept of ['text/html', 'application/xml;q=1', '*/*', 'nonsense']) {
      expect((await client.get('/Users', { Accept })).status).toBe(200)
    }
  })
})

describe('invalid filters', () => {
  it.for<[string, RegExp]>([
    ['userName', /position 9: expected an operator/],
    ['userName eq', /position 12: expected a value/],
    ['userName is "x"', /position 10: expected an operator \(eq, ne, .*pr\), found "is"/],
    ['userName eq "x', /position 13: the string has no closing quote/],
    ['userName eq "x" title eq "y"', /position 17: expected "and", "or" or the end/],
    ['(userName eq "x"', /expected "and", "or" or "\)"/],
    ['emails[type eq "work"', /expected "and", "or" or "\]"/],
    ['shoeSize eq 44', /position 1: User has no attribute "shoeSize"/],
    ['__proto__ eq "x"', /__proto__/],
    ['meta.location eq "x"', /"meta.location" is derived from an id/],
    ['groups.$ref pr', /cannot be used in a filter/],
    ['groups[$ref co "x"]', /cannot be used in a filter/],
    ['active gt true', /"gt" cannot be used on "active"/],
    ['active eq "perhaps"', /"active" must be compared with a value of type boolean/],
    ['meta.created gt "yesterday"', /"meta.created" must be compared with a value of type dateTime/],
    [`title eq "${'x'.repeat(70_000)}"`, /70011 characters, the limit is 65536/],
    [`${'('.repeat(40)}title pr${')'.repeat(40)}`, /deeper than the limit of 32 levels/],
    [Array.from({ length: 101 }, () => 'title pr').join(' or '), /more than the limit of 100 comparisons/],
  ])('rejects %s', async ([filter, detail]) => {
    const client = await newClient()
    expectScimError(await client.filter('/Users', filter), 400, 'invalidFilter', detail)
  })

  it('accepts 100 comparisons at 32 levels', async () => {
    const client = await newClient()
    const user = await client.createUser({ title: 'Surveyor' })
    const flat = Array.from({ length: 100 }, (_, i) => `title ${i % 2 ? 'ne' : 'sw'} "T${i}"`).join(' or ')
    const deep = `${'not ('.repeat(32)}title eq "surveyor"${')'.repeat(32)}`
    for (const filter of [flat, deep]) {
      const { body } = await client.filter('/Users', filter)
      expect(body.Resources?.[0]?.id).toBe(user.id)
    }
  })
})

describe('unknown endpoints and methods', () => {
  it('are answered with 404 and 405 as SCIM errors', async () => {
    const client = await newClient()
    expectScimError(await client.get('/Nothing'), 404, undefined, /^endpoint GET \S+ not found$/)
    expectScimError(await client.get('/user'), 404, undefined, /^endpoint \S+ \S+ not found$/)
    const answer = await client.request('PUT', '/Users', userBody({}))
    expectScimError(answer, 405, undefined, /method PUT is not supported/)
    expect(answer.headers.get('Allow')).toContain('POST')
  })

  it('are answered with the id of the request, as every request is', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const headers = { 'X-Request-Id': 'request-1' }
    const sent: readonly [method: string, path: string, status: number][] = [
      ['GET', '/Nothing', 404],
      ['PUT', '/Users', 405],
      ['GET', `/Users/${id}`, 200],
      ['DELETE', `/Users/${id}`, 204],
    ]
    for (const [method, path, status] of sent) {
      const answer = await client.request(method, path, method === 'PUT' ? {} : undefined, headers)
      expect([answer.status, answer.headers.get('X-Request-Id')]).toEqual([status, 'request-1'])
    }
    const random = (await client.request('GET', '/Users', undefined, { 'X-Request-Id': 'a b' })).headers
    expect(random.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
    for (const path of ['/healthz', '/unknown', '/events']) {
      const answer = await send(new Request(new URL(path, TENANT_URL), { headers }))
      expect(answer.headers.get('X-Request-Id'), path).toBe('request-1')
    }
  })

  it('do not include paths with extra slashes and unknown parameters, which are accepted', async () => {
    const client: Client = await newClient()
    const { id } = await client.createUser()
    for (const path of [
      '/Users/',
      '//Users',
      '//Users//',
      '/Users?aadOptscim062020',
      '/Users/?aadOptscim062020=&x=1',
    ]) {
      expect((await client.get(path)).body.totalResults, path).toBe(1)
    }
    expect((await client.get(`/Users/${id}/`)).status).toBe(200)
  })
})
