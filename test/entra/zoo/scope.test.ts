/** What `check` leaves out: by its options, by the mappings, and because the endpoint does not offer it. */
import { describe, expect, it } from 'vitest'
import { CHECK_NAMES } from '../../../src/entra/check/checks/checks.ts'
import { PRESETS } from '../../../src/entra/check/presets.ts'
import type { AttributeMapping } from '../../../src/entra/mappings/attribute-mapping.ts'
import { checkZoo, type ZooOptions } from './run-check.ts'
import { type Answer, type Behaviour, listOf, type Request, scimError } from './server.ts'

const answering = (kind: string, answer: Answer): Partial<Behaviour> => ({
  before: (request) => (request.kind === kind ? answer : undefined),
})

const isUnknownSchema = ({ method, body }: Request) =>
  method === 'POST' && JSON.stringify(body).includes('ciscoumbrella')

/** The checks and attributes that did not apply, with their reasons. */
async function notApplicable(server: Partial<Behaviour>, options: ZooOptions = {}) {
  const { results, verdict } = await checkZoo(server, options)
  const omitted = results.filter(({ grade }) => grade === 'not-applicable')
  return {
    verdict,
    reasons: Object.fromEntries(omitted.map(({ title, message }) => [title, message])),
    results,
  }
}

describe('check', () => {
  it('requires /Schemas only of an application of the gallery', async () => {
    const missing = answering('Schemas', scimError(404, 'none'))
    const { verdict, reasons } = await notApplicable(missing)
    expect([verdict, reasons]).toMatchObject([
      'success',
      { 'read the schemas': 'not offered; only an application of the gallery needs them' },
    ])
    const gallery = await checkZoo(missing, { mappings: PRESETS.cisco })
    expect(gallery.causes).toEqual([
      expect.objectContaining({
        grade: 'error',
        messages: ['HTTP 404: none; expected 200'],
        consequence: 'An application of the gallery does not list the attributes of the endpoint',
      }),
    ])
  })

  it('leaves out groups that the endpoint does not list as a resource type', async () => {
    const server: Partial<Behaviour> = {
      before: ({ kind }) => {
        if (kind === 'Groups') return scimError(404, 'no groups')
        return kind === 'ResourceTypes'
          ? { status: 200, body: listOf([{ name: 'User', endpoint: '/Users' }]) }
          : undefined
      },
    }
    const { verdict, reasons } = await notApplicable(server)
    expect(verdict).toBe('success')
    expect(reasons.members).toBe('the endpoint does not list Group as a resource type')
  })

  it('asks an endpoint without groups nothing about them', async () => {
    const { results } = await checkZoo({
      before: ({ kind }) => {
        const types = listOf([{ name: 'User', endpoint: '/Users' }])
        return kind === 'ResourceTypes' ? { status: 200, body: types } : undefined
      },
    })
    expect(results.filter(({ request }) => request?.path.startsWith('/Groups'))).toEqual([])
    expect(results.map(({ title }) => title)).toContain('3 clients change an attribute each of one user')
  })

  it('leaves out attributes that /Schemas does not list, unless a preset asks for them', async () => {
    const attributes = ['userName', 'name', 'title'].map((name) => ({ name }))
    const schemas = listOf([{ id: 'urn:ietf:params:scim:schemas:core:2.0:User', attributes }])
    const server: Partial<Behaviour> = {
      ...answering('Schemas', { status: 200, body: schemas }),
      stores: ({ emails: _, addresses: __, phoneNumbers: ___, preferredLanguage: ____, ...others }) =>
        Object.fromEntries(Object.entries(others).filter(([name]) => !name.startsWith('urn:'))) as never,
    }
    const { verdict, reasons } = await notApplicable(server)
    expect(verdict).toBe('success')
    expect(reasons['emails[type eq "work"].value']).toBe('not listed in /Schemas: not sent')
    expect(reasons.manager).toBe('the manager is not mapped')
    expect(reasons.title).toBeUndefined()
    expect((await checkZoo(server, { mappings: PRESETS['entra-custom'] })).verdict).toBe('deviation')
  })

  it('asks for the extension of Cisco only if it is mapped', async () => {
    const server: Partial<Behaviour> = {
      before: (request) => (isUnknownSchema(request) ? scimError(400, 'unknown schema') : undefined),
    }
    expect((await checkZoo(server)).verdict).toBe('success')
    const { causes } = await checkZoo(server, { mappings: PRESETS.cisco })
    expect(causes[0]?.messages).toEqual(['HTTP 400: unknown schema; expected 200 or 201'])
  })

  it('finds users by the matching attribute of the job, with the values of its mappings', async () => {
    const users: AttributeMapping[] = [
      { target: 'externalId', type: 'direct', source: 'objectId', matching: 1 },
      { target: 'userName', type: 'expression', source: 'ToLower([userPrincipalName], "en-US")' },
      { target: 'nickName', type: 'constant', source: 'constant' },
    ]
    const { results, verdict, zoo } = await checkZoo({}, { mappings: { users, gallery: false } })
    expect([verdict, zoo.Users.size]).toEqual(['success', 1])
    const creation = results.find(({ title }) => title === 'create a user')
    expect(creation?.request?.body).toMatchObject({ nickName: 'constant' })
    expect(creation?.request?.body).not.toHaveProperty('active')
    expect(results.map(({ title }) => title)).toContain('find the user by externalId')
    expect(results.map(({ title }) => title)).not.toContain('disable the user')
  })

  it('passes a server that requires an email', async () => {
    const server: Partial<Behaviour> = {
      before: ({ method, kind, body }) =>
        method === 'POST' && kind === 'Users' && body.emails === undefined
          ? scimError(400, 'emails')
          : undefined,
    }
    expect((await checkZoo(server)).verdict).toBe('success')
  })

  it.each(['users', 'groups'] as const)('runs only what needs nothing but %s', async (only) => {
    const { results, verdict } = await checkZoo({}, { only })
    expect(verdict).toBe('success')
    const paths = results.flatMap(({ request, check }) =>
      check === 'connection' || check === 'token' || request === undefined ? [] : [request.path],
    )
    const other = only === 'users' ? '/Groups' : '/Users'
    expect(paths.filter((path) => path.startsWith(other) && !/filter=|entra/.test(path))).toEqual([])
  })

  it.each(CHECK_NAMES)('has no finding without %s', async (name) => {
    const { verdict, results } = await checkZoo({}, { skip: [name], crewSize: 4 })
    expect(verdict).toBe('success')
    expect(results).toContainEqual(expect.objectContaining({ title: name, message: `--skip ${name}` }))
  })
})
