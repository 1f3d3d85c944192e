/**
 * A user that is deleted in Entra: it is renamed, so that its name is free, and has its name back when it is restored.
 * Captured in https://github.com/onyx-dot-app/onyx/pull/14074
 */
import { describe, expect, it } from 'vitest'
import { JobHarness } from '../support/job-harness.ts'

const ID = '283405f5-17ab-4c2d-9e80-6b5a4c3d2e1f'
const RENAMED = '283405f517ab4c2d9e806b5a4c3d2e1fralf@quillfern.example'
const RALF = {
  id: ID,
  userPrincipalName: 'ralf@quillfern.example',
  displayName: 'Ralf',
  mailNickname: 'ralf',
}

async function provisioned(more: Record<string, unknown> = {}): Promise<JobHarness> {
  const job = new JobHarness({ users: [{ ...RALF, ...more }], groups: [] })
  await job.cycle()
  return job
}

function removeRalf(job: JobHarness): void {
  job.user(ID).deletedDateTime = new Date(job.clock.now()).toISOString()
}

async function operations(job: JobHarness): Promise<unknown[]> {
  const requests = await job.requestsOfCycle()
  return requests.flatMap(({ body }) => (body as { Operations?: unknown[] } | undefined)?.Operations ?? [])
}

describe('a user that is soft-deleted in Entra', () => {
  it('is disabled under a name with its object id, and renamed back when it is restored', async () => {
    const job = await provisioned()
    removeRalf(job)
    expect(await operations(job)).toEqual([
      { op: 'Replace', path: 'userName', value: RENAMED },
      { op: 'Replace', path: 'active', value: 'False' },
    ])
    expect(job.log[0]?.action).toBe('Disable')
    expect(await operations(job)).toEqual([])
    delete job.user(ID).deletedDateTime
    expect(await operations(job)).toEqual([
      { op: 'Replace', path: 'userName', value: 'ralf@quillfern.example' },
      { op: 'Replace', path: 'active', value: 'True' },
    ])
  })

  it('is not renamed twice if the directory file has the new name', async () => {
    const job = await provisioned()
    removeRalf(job)
    job.user(ID).userPrincipalName = RENAMED
    expect(await operations(job)).toMatchObject([{ value: RENAMED }, { value: 'False' }])
  })

  it('is renamed even if its account was disabled before', async () => {
    const job = await provisioned()
    job.user(ID).accountEnabled = false
    await job.cycle()
    removeRalf(job)
    expect(await operations(job)).toEqual([{ op: 'Replace', path: 'userName', value: RENAMED }])
  })

  it('keeps its name at the target if it was unassigned before', async () => {
    const job = await provisioned()
    job.user(ID).assigned = false
    await job.cycle()
    removeRalf(job)
    expect(await operations(job)).toEqual([])
    expect(job.log[0]?.statusInfo.reason).toBe('Already disabled by an earlier cycle')
  })

  it('leaves its name to a new user in the same cycle', async () => {
    const job = await provisioned()
    removeRalf(job)
    job.directory.users.push({ ...RALF, id: 'p2', mailNickname: 'ralf2' })
    await job.cycle()
    expect([...job.store.users.values()].map(({ userName, active }) => [userName, active])).toEqual([
      [RENAMED, false],
      ['ralf@quillfern.example', true],
    ])
  })

  it('is renamed under its home address if it is a guest', async () => {
    const job = await provisioned({ userPrincipalName: 'ralf_partner.example#EXT#@quillfern.example' })
    removeRalf(job)
    const mappings = job.job.users.attributeMappings.map((mapping) =>
      mapping.target === 'userName' ? { ...mapping, source: 'userPrincipalName' } : mapping,
    )
    job.job = { ...job.job, users: { ...job.job.users, attributeMappings: mappings } }
    expect(await operations(job)).toMatchObject([
      { value: '283405f517ab4c2d9e806b5a4c3d2e1fralf@partner.example' },
      { value: 'False' },
    ])
  })
})
