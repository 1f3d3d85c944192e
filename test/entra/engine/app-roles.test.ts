/**
 * App roles at creation and in later cycles, as on the page about customizing attributes ("Provisioning a role to a SCIM
 * app").
 */
import { describe, expect, it } from 'vitest'
import type { AttributeMapping } from '../../../src/entra/mappings/attribute-mapping.ts'
import { JobHarness } from '../support/job-harness.ts'

const TYPE = 'WindowsAzureActiveDirectoryRole'
const ADMIN = { id: '06b07648-ecfe-589f-9d2f-6325724a46ee', value: 'Admin', displayName: 'Administrator' }
const USER = { id: '06b07648-ecfe-599f-9d2f-6325724a46ee', value: 'User', displayName: 'User' }

/** A job with one user, who has the roles, and a mapping of the roles. */
function jobWith(
  roles: readonly object[],
  mapping: Partial<AttributeMapping>,
  dialect: 'old' | 'flag' = 'old',
): JobHarness {
  const user = { id: 'p1', userPrincipalName: 'p1@quillfern.example', displayName: 'P' }
  const job = new JobHarness({ users: [user], groups: [] }, { dialect })
  assign(job, roles)
  const attributeMappings = [
    { target: 'userName', type: 'direct', source: 'userPrincipalName', matching: 1 },
    { target: 'displayName', type: 'direct', source: 'displayName' },
    { target: 'roles', type: 'expression', source: '', ...mapping },
  ] as const
  job.job = { ...job.job, users: { ...job.job.users, attributeMappings } }
  return job
}

function assign(job: JobHarness, roles: readonly object[]): void {
  job.directory.assignments =
    roles.length === 0 ? ['p1'] : roles.map((appRole) => ({ principalId: 'p1', appRole }))
}

async function bodies(job: JobHarness): Promise<unknown[]> {
  const requests = await job.requestsOfCycle()
  return requests.flatMap(({ body }) => body ?? [])
}

const ADDITIVE = { source: 'AppRoleAssignmentsComplex([appRoleAssignments])' }
const ASSERTIVE = { source: 'AssertiveAppRoleAssignmentsComplex([appRoleAssignments])' }
const SINGLE = { source: 'SingleAppRoleAssignment([appRoleAssignments])' }

describe('AppRoleAssignmentsComplex', () => {
  it('creates with objects, and adds roles as JSON text', async () => {
    const job = jobWith([ADMIN], ADDITIVE)
    expect(await bodies(job)).toMatchObject([
      { roles: [{ primary: false, type: TYPE, displayName: 'Administrator', value: 'Admin' }] },
    ])
    assign(job, [ADMIN, USER])
    expect(await bodies(job)).toMatchObject([
      {
        Operations: [
          {
            op: 'Add',
            path: 'roles',
            value: [
              { value: `{"id":"${ADMIN.id}","value":"Admin","displayName":"Administrator"}` },
              { value: `{"id":"${USER.id}","value":"User","displayName":"User"}` },
            ],
          },
        ],
      },
    ])
    expect(job.store.users.get('u1')?.roles).toHaveLength(3)
  })

  it('removes no role, and sends nothing when the target has all of them', async () => {
    const job = jobWith([ADMIN, USER], ADDITIVE)
    await job.cycle()
    assign(job, [USER])
    expect(await bodies(job)).toEqual([])
    expect(job.store.users.get('u1')?.roles).toHaveLength(2)
    assign(job, [])
    expect(await bodies(job)).toEqual([])
  })

  it('adds objects with the flag, beside the other attributes', async () => {
    const job = jobWith([], ADDITIVE, 'flag')
    expect(await bodies(job)).toMatchObject([{ roles: [] }])
    assign(job, [USER])
    job.user('p1').displayName = 'Changed'
    expect(await bodies(job)).toMatchObject([
      {
        Operations: [
          {
            op: 'add',
            path: 'roles',
            value: [{ primary: false, type: TYPE, displayName: 'User', value: 'User' }],
          },
          { op: 'replace', value: { displayName: 'Changed' } },
        ],
      },
    ])
  })

  it('gives a user the roles of its groups as well, each once', async () => {
    const job = jobWith([ADMIN], ADDITIVE)
    job.directory.groups = [{ id: 'g', displayName: 'G', members: ['p1'] }]
    job.directory.assignments = [
      { principalId: 'p1', appRole: ADMIN },
      { principalId: 'g', appRole: 'User' },
      { principalId: 'g', appRole: ADMIN },
    ]
    const [create] = await bodies(job)
    expect(create).toMatchObject({ roles: [{ value: 'Admin' }, { value: 'User', displayName: 'User' }] })
  })
})

describe('AssertiveAppRoleAssignmentsComplex', () => {
  it('creates and replaces with objects', async () => {
    const job = jobWith([ADMIN, USER], ASSERTIVE)
    const admin = { primary: false, type: TYPE, display: 'Administrator', value: 'Admin' }
    const user = { primary: false, type: TYPE, display: 'User', value: 'User' }
    expect(await bodies(job)).toMatchObject([{ roles: [admin, user] }])
    assign(job, [USER])
    const replace = (value: unknown) => ({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'roles', value }],
    })
    expect(await bodies(job)).toEqual([replace([user])])
    assign(job, [])
    expect(await bodies(job)).toEqual([replace([])])
    expect(job.store.users.get('u1')?.roles).toEqual([])
  })
})

describe('SingleAppRoleAssignment', () => {
  const value = { ...SINGLE, target: 'roles[primary eq "True"].value' }

  it('creates a primary role and changes its value', async () => {
    const job = jobWith([ADMIN], value)
    expect(await bodies(job)).toMatchObject([{ roles: [{ primary: true, type: TYPE, value: 'Admin' }] }])
    assign(job, [USER])
    expect(await bodies(job)).toMatchObject([
      { Operations: [{ op: 'Replace', path: 'roles[primary eq "True"].value', value: 'User' }] },
    ])
  })

  it('writes its own type even if a role is mapped to the type', async () => {
    const job = jobWith([ADMIN], { ...SINGLE, target: 'roles[primary eq "True"].type' })
    expect(await bodies(job)).toMatchObject([{ roles: [{ primary: true, type: TYPE }] }])
  })

  it('fails for a user with two roles', async () => {
    const job = jobWith([ADMIN, USER], value)
    expect(await bodies(job)).toEqual([])
    expect(job.log[0]?.statusInfo).toMatchObject({
      errorCode: 'MappingError',
      reason: expect.stringContaining('supports one role, and the user has 2: Admin, User'),
    })
  })
})

describe('an app role in the directory', () => {
  it.each([[5], [{ id: 'x' }], [{ value: 'a', id: 5 }], ['']])('must have a value: %j', (appRole) => {
    const job = jobWith([], ADDITIVE)
    job.directory.assignments = [{ principalId: 'p1', appRole }]
    expect(() => job.parsed()).toThrow(/"appRole".*must be a value or/)
  })
})
