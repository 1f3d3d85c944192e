/**
 * The job over time with a manual clock: escrow, quarantine, accidental deletions, pause and restart, documented gaps,
 * provision on demand, preview.
 */
import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/entra/clock.ts'
import { provisionOnDemand } from '../../../src/entra/engine/on-demand.ts'
import { previewCycle } from '../../../src/entra/engine/preview.ts'
import {
  type JobRun,
  type Notification,
  pauseJob,
  restartJob,
  runJob,
} from '../../../src/entra/engine/provisioning-job.ts'
import { escrowThreshold } from '../../../src/entra/engine/quarantine.ts'
import { JobHarness } from '../support/job-harness.ts'
import { error } from '../support/scim-store.ts'

const notifications: Notification[] = []

function run(job: JobHarness, ignoreWait = false): Promise<JobRun> {
  job.log.length = 0
  job.store.received.length = 0
  const notify = async (notification: Notification) => void notifications.push(structuredClone(notification))
  return runJob(job.context(), { notify, ignoreWait })
}

function person(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, userPrincipalName: `${id}@quillfern.example`, displayName: id, mailNickname: id, ...more }
}

function people(count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => person(`p${index + 1}`))
}

const lines = (job: JobHarness) => job.store.takeRequests().map(({ method, path }) => `${method} ${path}`)

describe('escrow', () => {
  it('retries 6, 12 and 24 hours after the first failure, then daily, and gives up after 28 days', async () => {
    const job = new JobHarness({ users: [person('p1')], groups: [] })
    job.store.misbehave = ({ method }) => (method === 'POST' ? error(400, 'never') : undefined)
    await run(job)
    const began = job.clock.now()
    const retries: number[] = []
    while (job.clock.now() - began < 30 * DAY_MS) {
      job.clock.advance(40 * MINUTE_MS)
      await run(job)
      if (job.store.received.some(({ method }) => method === 'POST'))
        retries.push((job.clock.now() - began) / HOUR_MS)
    }
    expect(retries.map(Math.floor).slice(0, 5)).toEqual([6, 12, 24, 48, 72])
    expect(retries).toHaveLength(2 + 27)
    expect(job.state.escrow).toEqual({})
    expect(job.state.escrowsPruned).toBe(true)
  })

  it('retries server errors in the next cycle', async () => {
    const job = new JobHarness({ users: [person('p1')], groups: [] })
    job.store.misbehave = ({ method }) => (method === 'POST' ? error(500, 'oops') : undefined)
    await run(job)
    expect(job.log[0]?.statusInfo).toMatchObject({ errorCode: 'InternalServerError', retries: 0 })
    job.store.misbehave = () => undefined
    job.clock.advance(40 * MINUTE_MS)
    await run(job)
    expect(job.store.users.size).toBe(1)
  })

  it('retries failed memberships separately, and those of a user whose creation was retried', async () => {
    const job = new JobHarness({
      users: people(2),
      groups: [{ id: 'g', displayName: 'G', members: ['p1', 'p2'] }],
    })
    job.store.misbehave = ({ method, body }) =>
      method === 'POST' && JSON.stringify(body).includes('p2@') ? error(400, 'not yet') : undefined
    await run(job)
    expect(job.store.membersOf('g2')).toEqual(['u1'])
    expect(Object.keys(job.state.escrow)).toEqual(['entry:p2', 'reference:g'])
    job.store.misbehave = () => undefined
    job.clock.advance(6 * HOUR_MS)
    await run(job)
    expect(job.store.membersOf('g2')).toEqual(['u1', 'u3'])
    expect(job.state.escrow).toEqual({})
  })
})

describe('quarantine', () => {
  it('makes cycles less frequent up to once a day, disables the job after four weeks, and notifies once', async () => {
    notifications.length = 0
    const job = new JobHarness({ users: people(1), groups: [] })
    job.store.misbehave = () => error(401, 'unknown token')
    const began = job.clock.now()
    const attempts: number[] = []
    for (;;) {
      const result = await run(job)
      if (job.store.received.length > 0) attempts.push(Math.round((job.clock.now() - began) / MINUTE_MS))
      if (job.state.status === 'Disabled') {
        expect(result).toMatchObject({
          kind: 'refused',
          reason: expect.stringContaining('disabled after 28 days'),
        })
        break
      }
      job.clock.advance(40 * MINUTE_MS)
    }
    expect(attempts.slice(0, 6)).toEqual([0, 80, 240, 560, 1200, 2480])
    expect(attempts.length).toBeLessThan(40)
    expect((job.clock.now() - began) / DAY_MS).toBeCloseTo(28, 0)
    expect(notifications).toHaveLength(1)
    expect(notifications[0]).toMatchObject({ quarantine: { reason: 'EncounteredQuarantineException' } })
  })

  it('is lifted by the next successful cycle', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    job.store.misbehave = () => error(500, 'down')
    await run(job)
    expect(job.state.status).toBe('Quarantine')
    expect(await run(job)).toMatchObject({ kind: 'refused' })
    job.store.misbehave = () => undefined
    job.clock.advance(2 * HOUR_MS)
    await run(job)
    expect(job.state).toMatchObject({ status: 'Active', countSuccessiveCompleteFailures: 0 })
    expect(job.state.quarantine).toBeUndefined()
  })

  it.each([
    [4000, 0, 4000, undefined],
    [30_000, 0, 35_000, 'EncounteredEscrowProportionThreshold'],
    [20_000, 0, 120_000, undefined],
    [45_000, 0, 1_000_000, 'EncounteredBaseEscrowThreshold'],
    [40_000, 21_000, 1_000_000, 'EncounteredTotalEscrowThreshold'],
    [5000, 0, 12_500, undefined],
    [5001, 0, 12_500, 'EncounteredEscrowProportionThreshold'],
  ])(
    'is decided for %i failed objects and %i failed references of %i: %s',
    (objects, references, total, reason) => {
      expect(escrowThreshold(objects, references, total)).toBe(reason)
    },
  )

  it('is entered after a cycle in which 5,001 of 5,001 objects fail', async () => {
    const job = new JobHarness({ users: people(5001), groups: [] })
    job.store.misbehave = ({ method }) => (method === 'POST' ? error(400, 'never') : undefined)
    expect(await run(job)).toMatchObject({
      kind: 'quarantined',
      quarantine: { reason: 'EncounteredEscrowProportionThreshold' },
    })
  })
})

describe('accidental deletion prevention', () => {
  it('applies nothing above the threshold until deletes are allowed', async () => {
    const groups = [{ id: 'g', displayName: 'G', members: [] }]
    const job = new JobHarness({ users: people(4), groups }, { accidentalDeletionThreshold: 2 })
    await run(job)
    job.user('p1').accountEnabled = false
    job.user('p2').assigned = false
    job.user('p3').displayName = 'Changed'
    job.directory.groups = []
    expect(await run(job)).toMatchObject({ kind: 'quarantined', quarantine: { reason: 'TooManyDeletes' } })
    expect(job.store.received).toEqual([])
    expect(job.log.map(({ action, sourceIdentity }) => [action, sourceIdentity.id])).toEqual([
      ['StagedDelete', 'p1'],
      ['StagedDelete', 'p2'],
      ['StagedDelete', 'g'],
    ])
    restartJob(job.state, ['ForceDeletes'])
    expect(await run(job)).toMatchObject({ kind: 'ran' })
    expect(job.store.groups.size).toBe(0)
    expect([...job.store.users.values()].filter(({ active }) => active === false)).toHaveLength(2)
    expect(job.state.forceDeletes).toBeUndefined()
  })

  it('does not stop a cycle at the threshold', async () => {
    const job = new JobHarness({ users: people(3), groups: [] }, { accidentalDeletionThreshold: 1 })
    await run(job)
    job.user('p1').assigned = false
    expect(await run(job)).toMatchObject({ kind: 'ran' })
  })
})

describe('pause and restart', () => {
  it('sends nothing while paused', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    pauseJob(job.state)
    expect(await run(job)).toEqual({ kind: 'refused', reason: expect.stringContaining('paused') })
    expect(job.store.received).toEqual([])
    restartJob(job.state, ['None'])
    expect(await run(job)).toMatchObject({ kind: 'ran' })
  })

  it('keeps the links and reads every object after a restart (row 24)', async () => {
    const job = new JobHarness({ users: people(2), groups: [{ id: 'g', displayName: 'G', members: ['p1'] }] })
    await run(job)
    restartJob(job.state, ['Watermark', 'Escrows', 'QuarantineState'])
    await run(job)
    expect(lines(job)).toEqual([
      'GET /Users/u1',
      'GET /Users/u2',
      'GET /Groups/g3?excludedAttributes=members',
    ])
  })

  it('matches every object again after a full restart', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    await run(job)
    restartJob(job.state, ['Full'])
    await run(job)
    expect(lines(job)).toEqual(['GET /Users?filter=userName+eq+%22p1%40quillfern.example%22'])
    expect(job.store.users.size).toBe(1)
  })

  it('starts an initial cycle when mappings, scoping filters or scope changed', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    await run(job)
    const filter = {
      name: 'f',
      clauses: [{ attribute: 'displayName', operator: 'EQUALS', value: 'p1' } as const],
    }
    job.job = { ...job.job, users: { ...job.job.users, scopingFilters: [filter] } }
    expect(await run(job)).toMatchObject({ summary: { kind: 'initial' } })
    expect(lines(job)).toEqual(['GET /Users/u1'])
  })

  it('resumes a stopped cycle', async () => {
    const job = new JobHarness({ users: people(5), groups: [] })
    job.store.misbehave = () => {
      if (job.store.users.size === 3) job.stop.abort()
      return undefined
    }
    expect(await run(job)).toMatchObject({ kind: 'ran', complete: false })
    job.stop = new AbortController()
    job.store.misbehave = () => undefined
    const created = job.store.users.size
    expect(await run(job)).toMatchObject({
      complete: true,
      summary: { cycle: 1, kind: 'initial', counts: { User: { created: 5 - created } } },
    })
    expect(job.store.users.size).toBe(5)
  })
})

describe('scope and lifecycle', () => {
  it('does not create a user that is disabled in Entra and does not exist at the target', async () => {
    const job = new JobHarness({ users: [person('p1', { accountEnabled: false })], groups: [] })
    await run(job)
    expect(lines(job)).toEqual([])
    expect(job.log[0]?.statusInfo).toEqual({ status: 'skipped', reason: 'NotEffectivelyEntitled' })
  })

  it('assigns the direct members of assigned groups, but not those of nested groups', async () => {
    const groups = [
      { id: 'g1', displayName: 'Outer', members: ['p1', 'g2'] },
      { id: 'g2', displayName: 'Inner', members: ['p2'] },
    ]
    const job = new JobHarness({ users: people(3), groups, assignments: ['g1'] })
    await run(job)
    expect([...job.store.users.values()].map(({ userName }) => userName)).toEqual(['p1@quillfern.example'])
    expect(job.store.groups.size).toBe(1)
    expect(job.store.membersOf('g2')).toEqual(['u1'])
  })

  it('provisions every user and group with scope all', async () => {
    const job = new JobHarness({ users: people(2), groups: [], assignments: [] }, { scope: 'all' })
    await run(job)
    expect(job.store.users.size).toBe(2)
  })

  it('leaves objects that go out of scope unchanged with skipOutOfScopeDeletions', async () => {
    const groups = [{ id: 'g', displayName: 'G', members: [] }]
    const job = new JobHarness({ users: people(1), groups }, { skipOutOfScopeDeletions: true })
    await run(job)
    job.user('p1').assigned = false
    job.group('g').assigned = false
    await run(job)
    expect(lines(job)).toEqual([])
    expect(job.log.map(({ statusInfo }) => statusInfo.reason)).toEqual([
      'SkipOutOfScopeDeletions',
      'SkipOutOfScopeDeletions',
    ])
  })

  it('disables a soft-deleted user, and deletes it 30 days later', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    await run(job)
    job.user('p1').deletedDateTime = new Date(job.clock.now()).toISOString()
    await run(job)
    expect(lines(job)).toEqual(['GET /Users/u1', 'PATCH /Users/u1'])
    job.clock.advance(30 * DAY_MS)
    await run(job)
    expect(lines(job)).toEqual(['DELETE /Users/u1'])
  })

  it('does not export the deletion of a user that was unassigned first', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    await run(job)
    job.user('p1').assigned = false
    await run(job)
    job.directory.users = []
    await run(job)
    expect(lines(job)).toEqual([])
    expect(job.state.objects.p1).toMatchObject({ gone: true })
  })

  it('does not create a purged group member again', async () => {
    const job = new JobHarness({
      users: people(2),
      groups: [{ id: 'g', displayName: 'G', members: ['p1', 'p2'] }],
    })
    await run(job)
    job.directory.users.pop()
    await run(job)
    expect(lines(job)).toEqual(['DELETE /Users/u2'])
    job.directory.users.push(person('p2'))
    await run(job)
    expect(job.store.membersOf('g3')).toEqual(['u1', 'u4'])
  })

  it('releases a name before another user takes it', async () => {
    const job = new JobHarness({ users: people(1), groups: [] }, { concurrency: 4 })
    await run(job)
    job.user('p1').userPrincipalName = 'renamed@quillfern.example'
    job.directory.users.unshift(person('new', { userPrincipalName: 'p1@quillfern.example' }))
    await run(job)
    expect(job.log.map(({ action, statusInfo }) => [action, statusInfo.status])).toEqual([
      ['Update', 'success'],
      ['Create', 'success'],
    ])
  })

  it.each([
    ['create', ['GET /Users?filter=userName+eq+%22p2%40quillfern.example%22']],
    ['update', []],
    ['delete', []],
  ] as const)('respects a disabled target object action: %s', async (action, expected) => {
    const job = new JobHarness({ users: people(1), groups: [] })
    await run(job)
    const targetObjectActions = { create: true, update: true, delete: true, [action]: false }
    job.job = { ...job.job, users: { ...job.job.users, targetObjectActions } }
    if (action === 'create') job.directory.users.push(person('p2'))
    if (action === 'update') job.user('p1').displayName = 'Changed'
    if (action === 'delete') job.directory.users = []
    await run(job)
    expect(lines(job)).toEqual(expected)
  })
})

describe('references', () => {
  it('sends the manager after both exist, and again when it changes', async () => {
    const path = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager'
    const manager = { target: path, type: 'direct', source: 'manager', targetType: 'reference' } as const
    const job = new JobHarness({
      users: [person('p1', { manager: 'p2' }), ...people(3).slice(1)],
      groups: [],
    })
    job.job = {
      ...job.job,
      users: { ...job.job.users, attributeMappings: [...job.job.users.attributeMappings, manager] },
    }
    await run(job)
    expect(job.store.received.at(-1)).toMatchObject({
      path: '/Users/u1',
      body: { Operations: [{ op: 'Add', path, value: 'u2' }] },
    })
    job.user('p1').manager = 'p3'
    await run(job)
    expect(lines(job)).toEqual(['GET /Users/u1', 'PATCH /Users/u1'])
    await run(job)
    expect(lines(job)).toEqual([])
  })
})

describe('a membership whose response was lost', () => {
  it('is removed when its user is disabled and then leaves the group', async () => {
    const job = new JobHarness({
      users: [person('p1')],
      groups: [{ id: 'g', displayName: 'G', members: ['p1'] }],
    })
    job.store.loseResponse = ({ method, path }) => method === 'PATCH' && path.startsWith('/Groups')
    await run(job)
    job.store.loseResponse = () => false
    const [groupId = ''] = job.store.groups.keys()
    expect(job.store.membersOf(groupId)).toHaveLength(1)
    Object.assign(job.user('p1'), { accountEnabled: false })
    for (let cycle = 0; cycle < 2; cycle++) {
      job.clock.advance(40 * MINUTE_MS)
      await run(job)
    }
    expect(job.store.membersOf(groupId)).toHaveLength(1)
    job.group('g').members = []
    await run(job)
    expect(job.store.membersOf(groupId)).toEqual([])
  })
})

describe('documented gaps', () => {
  it('does not add a member that comes into scope after the group was processed, until a restart', async () => {
    const users = [person('p1'), person('p2', { assigned: false })]
    const job = new JobHarness({ users, groups: [{ id: 'g', displayName: 'G', members: ['p1', 'p2'] }] })
    await run(job)
    job.user('p2').assigned = true
    await run(job)
    expect(job.store.users.size).toBe(2)
    expect(job.store.membersOf('g2')).toEqual(['u1'])
    restartJob(job.state, ['Watermark'])
    await run(job)
    expect(job.store.membersOf('g2')).toEqual(['u1', 'u3'])
  })

  it('sends nothing for a cleared attribute', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    await run(job)
    delete job.user('p1').mailNickname
    await run(job)
    expect(lines(job)).toEqual(['GET /Users/u1'])
  })

  it('does not detect changes at the target', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    await run(job)
    Object.assign(job.store.users.get('u1') ?? {}, { displayName: 'Changed at the target' })
    await run(job)
    expect(lines(job)).toEqual([])
  })

  it('sends the home address of a guest for userPrincipalName, and #EXT# for originalUserPrincipalName', async () => {
    const guest = person('g', {
      userPrincipalName: 'vera.holm_partner.example#EXT#@quillfern.example',
      userType: 'Guest',
    })
    const job = new JobHarness({ users: [guest], groups: [] })
    await run(job)
    expect(lines(job)[0]).toBe(
      'GET /Users?filter=userName+eq+%22vera.holm_partner.example%23EXT%23%40quillfern.example%22',
    )
    const mappings = job.job.users.attributeMappings.map((mapping) =>
      mapping.target === 'userName' ? { ...mapping, source: 'userPrincipalName' } : mapping,
    )
    job.job = { ...job.job, users: { ...job.job.users, attributeMappings: mappings } }
    restartJob(job.state, ['Full'])
    await run(job)
    expect(lines(job)[0]).toBe('GET /Users?filter=userName+eq+%22vera.holm%40partner.example%22')
  })

  it('splits members into several requests', async () => {
    const members = people(250).map(({ id }) => id)
    const job = new JobHarness(
      { users: people(250), groups: [{ id: 'g', displayName: 'G', members }] },
      { concurrency: 8 },
    )
    await run(job)
    const patches = job.store.takeRequests().filter(({ method }) => method === 'PATCH')
    expect(patches).toHaveLength(3)
    expect(job.store.membersOf('g251')).toHaveLength(250)
  })
})

describe('provision on demand', () => {
  it('has five steps and uses the old dialect even with the flag', async () => {
    const job = new JobHarness({ users: people(1), groups: [] }, { dialect: 'flag' })
    const first = await provisionOnDemand(job.context(), 'p1')
    expect(first.steps.map(({ name, status }) => [name, status])).toEqual([
      ['Test connection', 'success'],
      ['Import', 'success'],
      ['Determine scope', 'success'],
      ['Match', 'success'],
      ['Perform action', 'success'],
    ])
    job.user('p1').displayName = 'Changed'
    job.store.received.length = 0
    await provisionOnDemand(job.context(), 'p1')
    expect(job.store.received.at(-1)?.body).toMatchObject({
      Operations: [{ op: 'Replace', path: 'displayName', value: 'Changed' }],
    })
  })

  it('adds at most five selected members of a group', async () => {
    const members = people(7).map(({ id }) => String(id))
    const job = new JobHarness({ users: people(7), groups: [] })
    await run(job)
    job.directory.groups.push({ id: 'g', displayName: 'G', members })
    await provisionOnDemand(job.context(), 'g', members)
    expect(job.store.membersOf('g8')).toEqual(['u1', 'u2', 'u3', 'u4', 'u5'])
  })

  it('does not process users that are disabled or deleted in Entra, and does not restore users', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    await run(job)
    job.user('p1').accountEnabled = false
    const disabled = await provisionOnDemand(job.context(), 'p1')
    expect(disabled.steps.at(-1)).toMatchObject({
      status: 'skipped',
      description: 'The user is disabled in Entra and is not processed on demand',
    })
    await run(job)
    job.user('p1').accountEnabled = true
    const restored = await provisionOnDemand(job.context(), 'p1')
    expect(restored.steps.at(-1)?.description).toMatch(/the next cycle restores it/)
  })

  it('stops after a failed connection test', async () => {
    const job = new JobHarness({ users: people(1), groups: [] })
    job.store.misbehave = () => error(401, 'unknown token')
    const { ok, steps } = await provisionOnDemand(job.context(), 'p1')
    expect([ok, steps.length, steps[0]?.status]).toEqual([false, 1, 'failure'])
  })
})

describe('preview', () => {
  it('lists the changes of the next cycle and sends nothing', async () => {
    const users = people(5)
    const job = new JobHarness({ users, groups: [{ id: 'g', displayName: 'G', members: ['p1', 'p2'] }] })
    await run(job)
    job.user('p1').displayName = 'Changed'
    job.user('p2').accountEnabled = false
    job.user('p3').assigned = false
    job.directory.users = job.directory.users.filter(({ id }) => id !== 'p4')
    job.directory.users.push(person('p6'))
    job.group('g').members = ['p1', 'p6']
    job.store.received.length = 0
    const entries = previewCycle(job.context())
    expect(entries.map(({ action, id }) => `${action} ${id}`)).toEqual([
      'update p1',
      'disable p2',
      'disable p3',
      'create p6',
      'delete p4',
      'update g',
    ])
    expect(entries[0]?.changes).toEqual([{ path: 'displayName', oldValue: 'p1', newValue: 'Changed' }])
    expect(entries.at(-1)).toMatchObject({ addMembers: ['p6'], removeMembers: ['p2'] })
    expect(job.store.received).toEqual([])
  })
})
