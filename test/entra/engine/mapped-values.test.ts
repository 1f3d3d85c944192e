/** What mappings send, what the log shows of them, and the limits of `exact`. */
import { describe, expect, it } from 'vitest'
import { provisionOnDemand } from '../../../src/entra/engine/on-demand.ts'
import { previewCycle } from '../../../src/entra/engine/preview.ts'
import type { AttributeMapping } from '../../../src/entra/mappings/attribute-mapping.ts'
import { JobHarness } from '../support/job-harness.ts'

function jobWith(mappings: readonly AttributeMapping[], more: Record<string, unknown> = {}): JobHarness {
  const user = { id: 'p1', userPrincipalName: 'p1@quillfern.example', mail: 'p@quillfern.example', ...more }
  const job = new JobHarness({ users: [user], groups: [] })
  const userName = { target: 'userName', type: 'direct', source: 'userPrincipalName', matching: 1 } as const
  job.job = { ...job.job, users: { ...job.job.users, attributeMappings: [userName, ...mappings] } }
  return job
}

async function created(job: JobHarness): Promise<unknown> {
  const requests = await job.requestsOfCycle()
  return requests.find(({ method }) => method === 'POST')?.body
}

describe('a create request', () => {
  it('has the shape of the sample', async () => {
    const job = jobWith([
      { target: 'emails[type eq "work"].value', type: 'direct', source: 'mail' },
      { target: 'emails[type eq "other"].value', type: 'direct', source: 'mail' },
      { target: 'phoneNumbers[type eq "work"].value', type: 'constant', source: '1' },
    ])
    expect(await created(job)).toEqual({
      schemas: [
        'urn:ietf:params:scim:schemas:core:2.0:User',
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
      ],
      userName: 'p1@quillfern.example',
      emails: [
        { primary: true, type: 'work', value: 'p@quillfern.example' },
        { type: 'other', value: 'p@quillfern.example' },
      ],
      phoneNumbers: [{ type: 'work', value: '1' }],
      meta: { resourceType: 'User' },
      roles: [],
    })
  })
})

describe('Redact', () => {
  const redacted = {
    target: 'nickName',
    type: 'expression',
    source: 'Append("x", Redact([mail]))',
    matching: 2,
  } as const

  it('sends the value and hides it from the log, from previews and from provision on demand', async () => {
    const job = jobWith([redacted])
    expect(JSON.stringify(previewCycle(job.context()))).not.toContain('xp@')
    const onDemand = await provisionOnDemand(job.context(), 'p1')
    expect(onDemand.steps.at(-1)?.changes).toContain('nickName = [Redact]')
    expect(JSON.stringify(onDemand)).not.toContain('xp@')
    expect(job.store.users.get('u1')).toMatchObject({ nickName: 'xp@quillfern.example' })
    job.user('p1').mail = 'new@quillfern.example'
    await job.cycle()
    expect(job.store.users.get('u1')).toMatchObject({ nickName: 'xnew@quillfern.example' })
    expect(job.log[0]?.modifiedProperties).toEqual([
      { displayName: 'nickName', oldValue: '[Redact]', newValue: '[Redact]' },
    ])
    expect(JSON.stringify(job.log)).not.toMatch(/x(p|new)@/)
  })
})

describe('exact', () => {
  it.each([
    ['R&D', '&'],
    ['a "b"', '"'],
    ['a\\b', '\\'],
  ])('cannot match a group with the name %s', async (displayName, character) => {
    const groups = [{ id: 'g', displayName, members: [] }]
    const job = new JobHarness({ users: [], groups }, { exact: true })
    expect(await job.requestsOfCycle()).toEqual([])
    expect(job.log[0]?.statusInfo.reason).toBe(
      `Mapping to "displayName": the matching value contains the character "${character}"`,
    )
  })

  it('matches names with letters of any script, and guests', async () => {
    const users = [
      { id: 'p1', userPrincipalName: "zoë.o'hara+x_y-z@quillfern.example" },
      { id: 'p2', userPrincipalName: 'vera_partner.example#EXT#@quillfern.example' },
    ]
    const job = new JobHarness({ users, groups: [] }, { exact: true })
    await job.cycle()
    expect(job.store.users.size).toBe(2)
  })

  it('fails an object whose expression is not in the exact form, which the preview shows', async () => {
    const source = 'toLower([mail])'
    const job = jobWith([{ target: 'nickName', type: 'expression', source }])
    job.job = { ...job.job, exact: true }
    const [entry] = previewCycle(job.context())
    expect(entry).toMatchObject({
      action: 'fail',
      reason: expect.stringContaining('names are case-sensitive'),
    })
    await job.cycle()
    expect(job.log[0]?.statusInfo.errorCode).toBe('MappingError')
  })
})
