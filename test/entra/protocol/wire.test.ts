/**
 * Compares the emulator's requests with the wire fixtures: method, encoded path and body, in order, event by event.
 */
import { describe, expect, it } from 'vitest'
import { provisionOnDemand } from '../../../src/entra/engine/on-demand.ts'
import { DEFAULT_RESET, restartJob } from '../../../src/entra/engine/provisioning-job.ts'
import {
  type Dialect,
  pageRequest,
  schemasRequest,
  updateRequest,
} from '../../../src/entra/protocol/requests.ts'
import { JobHarness } from '../support/job-harness.ts'
import { entraSteps, readFixture, substitute } from '../support/wire-fixture.ts'

const TAVISH = {
  id: 't',
  userPrincipalName: 'tavish.la@quillfern.example',
  displayName: 'Tavish Lindqvist-Amaro',
  givenName: 'Tavish',
  surname: 'Lindqvist-Amaro',
  mailNickname: 'tlindqvist',
}
const MIRELA = {
  id: 'a3f1c2d4-5e6b-4789-a0b1-c2d3e4f50617',
  userPrincipalName: 'mirela.osterholt@quillfern.example',
  displayName: 'Mirela Osterholt',
  givenName: 'Mirela',
  surname: 'Osterholt',
  mailNickname: 'mosterholt',
  objectGUID: 'c0a1f7d2-11b4-4f6e-9a67-5d2f0f7be310',
}
const PIM = {
  id: 'pim',
  userPrincipalName: 'pim.vonk@quillfern.example',
  displayName: 'Pim Vonk',
  givenName: 'Pim',
  surname: 'Vonk',
  mailNickname: 'pvonk',
}
const GROUP = {
  id: '5b0f3c2e-7f59-4a8e-8f0f-3f2b8d1b6a77',
  displayName: 'Field Crew North',
  members: ['t', MIRELA.id],
}
const IDS = { U1: 'U-1', U2: 'U-2', U3: 'U-3', U4: 'U-4', G1: 'G-1', G2: 'G-2' }

/** The connection test queries a random id. */
const withoutGuid = (text: string) => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'GUID')

type Edit = (job: JobHarness) => void

/** Events in Entra with the fixture rows that they must produce. */
const EVENTS: readonly (readonly [rows: readonly number[], event: string, edit: Edit])[] = [
  [[4, 5, 6, 7, 8], 'the initial cycle', () => undefined],
  [[10], 'displayName is edited', (job) => Object.assign(job.user('t'), { displayName: 'Tavish Lindqvist' })],
  [
    [11],
    'the UPN is changed',
    (job) => Object.assign(job.user('t'), { userPrincipalName: 'tavish.lindqvist@quillfern.example' }),
  ],
  [[12], 'an attribute is cleared', (job) => delete job.user('t').mailNickname],
  [[13], 'a member leaves', (job) => Object.assign(job.group(GROUP.id), { members: ['t'] })],
  [
    [14],
    'the group is renamed',
    (job) => Object.assign(job.group(GROUP.id), { displayName: 'Field Crew N' }),
  ],
  [[15], 'a user is unassigned', (job) => Object.assign(job.user('t'), { assigned: false })],
  [[16], 'the user is assigned again', (job) => Object.assign(job.user('t'), { assigned: true })],
  [
    [17],
    'the account is disabled and enabled',
    (job) => Object.assign(job.user('t'), { accountEnabled: false }),
  ],
  [
    [18],
    'a user is soft-deleted',
    (job) => Object.assign(job.user(MIRELA.id), { deletedDateTime: '2026-05-04T08:00:00Z' }),
  ],
  [[19], 'the user is purged', (job) => job.directory.users.splice(1, 1)],
  [
    [20],
    'a new user has the old name',
    (job) => {
      const { objectGUID: _, ...person } = MIRELA
      job.directory.users.push({ ...person, id: 'm2', mailNickname: 'mosterholt2' })
    },
  ],
  [[21], 'the group is unassigned', (job) => Object.assign(job.group(GROUP.id), { assigned: false })],
  [[22], 'the group is assigned again', (job) => Object.assign(job.group(GROUP.id), { assigned: true })],
]

describe.each(['old', 'flag'] as const)(
  'a user and group lifecycle in the %s dialect',
  (dialect: Dialect) => {
    const fixture = readFixture(`life-${dialect}-dialect.json`)
    const job = new JobHarness({ users: [{ ...TAVISH }, { ...MIRELA }], groups: [{ ...GROUP }] }, { dialect })
    const upn = 'Mirela.Osterholt@quillfern.example'
    job.store.users.set('U-2', { id: 'U-2', userName: upn, displayName: 'M. Osterholt', active: true })
    job.store.nextIds = ['U-1', 'G-1', 'U-3', 'G-2']

    it.each(EVENTS)('sends rows %j when %s', async (rows, _event, edit) => {
      edit(job)
      const sent = await job.requestsOfCycle()
      if (rows.includes(17)) {
        Object.assign(job.user('t'), { accountEnabled: true })
        sent.push(...(await job.requestsOfCycle()))
      }
      const expected = substitute(entraSteps(fixture, rows), IDS)
      expect(sent).toEqual(expected.map(({ method, path, request }) => ({ method, path, body: request })))
      expect(job.log.filter(({ statusInfo }) => statusInfo.status === 'failure')).toEqual([])
    })

    it('sends only the connection test when nothing changed (rows 1, 2 and 9)', async () => {
      job.store.received.length = 0
      await job.cycle()
      const lines = job.store.takeLines().map(withoutGuid)
      const expected = entraSteps(fixture, [9]).map(({ method, path }) => `${method} ${path}`)
      expect(lines).toEqual(expected.map(withoutGuid))
    })

    it('provisions on demand in the old dialect (row 23)', async () => {
      job.directory.users.push({ ...PIM })
      job.store.nextIds = ['U-4']
      job.store.received.length = 0
      await provisionOnDemand(job.context(), 'pim')
      Object.assign(job.user('pim'), { displayName: 'Pim Vonk-Ellery' })
      await provisionOnDemand(job.context(), 'pim')
      const sent = job.store.received
        .splice(0)
        .map(({ method, path, body }) => ({ method, path: withoutGuid(path), body }))
      const expected = substitute(entraSteps(fixture, [23]), IDS)
      expect(sent).toEqual(
        expected.map(({ method, path, request }) => ({ method, path: withoutGuid(path), body: request })),
      )
    })

    it('reads every object on a restart and changes none (row 24)', async () => {
      await job.cycle()
      restartJob(job.state, DEFAULT_RESET)
      const sent = await job.requestsOfCycle()
      const expected = substitute(entraSteps(fixture, [24]), IDS)
      expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual(
        expected.map(({ method, path }) => `${method} ${path}`),
      )
    })

    it('requests schemas and pages as in the fixture (rows 3 and 25)', () => {
      const requests = [schemasRequest(), pageRequest('User', 1, 2), pageRequest('User', 3, 2)]
      const expected = entraSteps(fixture, [3, 25])
      expect(requests.map(({ path }) => path)).toEqual(expected.map(({ path }) => path))
    })

    it('sends bodies as scim+json with a charset, and the token with every request', async () => {
      Object.assign(job.user('t'), { displayName: 'Header Check' })
      await job.cycle()
      for (const { method, headers } of job.store.received.splice(0)) {
        expect(headers.get('authorization')).toBe('Bearer secret')
        const contentType = method === 'PATCH' ? 'application/scim+json; charset=utf-8' : null
        expect(headers.get('content-type')).toBe(contentType)
      }
    })
  },
)

describe('an update with the flag', () => {
  it.each([
    ['one added value, with its path', [{ op: 'add', path: 'nickName', value: 'Babs' }]],
    ['disabling, with its path', [{ op: 'replace', path: 'active', value: false }]],
  ] as const)('sends %s', (_what, changes) => {
    expect(updateRequest('User', '1', changes, 'flag').body).toMatchObject({ Operations: changes })
  })

  // The page on protocol compliance, "Requests to replace multiple attributes".
  it('sends the operations that select an element first, the others as one value', () => {
    const changes = ['displayName', 'emails[type eq "work"].value', 'name.givenName'].map((path) => ({
      op: 'replace' as const,
      path,
      value: 'x',
    }))
    expect(updateRequest('User', '1', changes, 'flag').body).toMatchObject({
      Operations: [
        { op: 'replace', path: 'emails[type eq "work"].value', value: 'x' },
        { op: 'replace', value: { displayName: 'x', 'name.givenName': 'x' } },
      ],
    })
  })
})
