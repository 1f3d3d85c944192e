/**
 * Compares Okta's requests as the emulator sends them with the traffic of test/fixtures/okta, which the server's tests
 * replay. A PUT may carry more than the fixture shows: what the endpoint returned.
 */
import { describe, expect, it } from 'vitest'
import { readPages } from '../../../src/entra/protocol/pages.ts'
import { OKTA_PAGE_SIZE } from '../../../src/entra/providers/okta.ts'
import type { ProviderName } from '../../../src/entra/providers/providers.ts'
import wizard from '../../fixtures/okta/app-integration-wizard.json' with { type: 'json' }
import catalogue from '../../fixtures/okta/catalog-integration.json' with { type: 'json' }
import type { JobHarness } from '../support/job-harness.ts'
import { substitute } from '../support/wire-fixture.ts'
import { type Edit, jobOf, type Sent, sentBy, TAVISH } from './life.ts'

const MIRELA = {
  id: '00ujl29u0le5T6Aj10h8',
  userPrincipalName: 'mirela.osterholt@quillfern.example',
  displayName: 'Mirela Osterholt',
  givenName: 'Mirela',
  surname: 'Osterholt',
  mail: 'mirela.osterholt@quillfern.example',
  preferredLanguage: 'en-US',
}
const ids = (job: JobHarness) => ({
  U1: job.state.objects[TAVISH.id]?.link?.targetId ?? '',
  U2: job.state.objects[MIRELA.id]?.link?.targetId ?? '',
  G: job.state.objects.g?.link?.targetId ?? '{{G}}',
})

type Step = readonly [events: readonly string[], edit: Edit]

const user =
  (changes: object): Edit =>
  (job) =>
    Object.assign(job.user(TAVISH.id), changes)
const group =
  (changes: object): Edit =>
  (job) =>
    Object.assign(job.group('g'), changes)
const push =
  (members: readonly string[]): Edit =>
  (job) =>
    void job.directory.groups.push({ id: 'g', displayName: 'Field Crew', members: [...members] })

const WIZARD: readonly Step[] = [
  [
    [
      'Assign Tavish Lindqvist-Amaro: match',
      'Assign Tavish Lindqvist-Amaro: create',
      'Assign Mirela Osterholt: create',
    ],
    (job) => void job.directory.users.push({ ...MIRELA }),
  ],
  [['Update the profile: replace'], user({ jobTitle: 'Surveyor' })],
  [
    ['Update the profile: what is left out is cleared'],
    (job) => void Reflect.deleteProperty(job.user(TAVISH.id), 'jobTitle'),
  ],
  [['Unassign: deactivate'], user({ assigned: false })],
  [['Assign again: reactivate'], user({ assigned: true })],
  [['Push a group', 'Push its members'], push([TAVISH.id, MIRELA.id])],
  [['Rename it, and one member leaves'], group({ displayName: 'Field Crew North', members: [MIRELA.id] })],
  [['Empty it'], group({ members: [] })],
  [['Unlink the group and delete it'], (job) => job.directory.groups.splice(0)],
]

const CATALOGUE: readonly Step[] = [
  [
    [
      'Save the integration: test the connection',
      'Save the integration: look at the groups',
      'Assign Tavish Lindqvist-Amaro: match',
      'Assign Tavish Lindqvist-Amaro: create',
      'Assign Mirela Osterholt: match',
      'Assign Mirela Osterholt: create',
    ],
    (job) => void job.directory.users.push({ ...MIRELA }),
  ],
  [
    ['Update the profile: read', 'Update the profile: replace, with what was read and one change'],
    (job) => {
      Object.assign(job.store.users.get(ids(job).U1) ?? {}, { meta: { resourceType: 'User' } })
      user({ middleName: 'Emeka' })(job)
    },
  ],
  [['Unassign: deactivate, without a path'], user({ assigned: false })],
  [['Assign again: reactivate, without a path'], user({ assigned: true })],
  [['Push a group: find it by its name', 'Push a group', 'Push its members'], push([TAVISH.id])],
  [['A member leaves, another comes'], group({ members: [MIRELA.id] })],
  [['Rename the group, with its id inside the value'], group({ displayName: 'Field Crew North' })],
  [
    ['Push all members anew'],
    (job) => {
      job.pushNow = true
      group({ members: [TAVISH.id, MIRELA.id] })(job)
    },
  ],
  [['Unlink the group and delete it'], (job) => job.directory.groups.splice(0)],
]

function jobWithMiddleName(provider: ProviderName): JobHarness {
  const job = jobOf(provider)
  const { attributeMappings } = job.job.users
  const middleName = { target: 'name.middleName', type: 'direct', source: 'middleName' } as const
  job.job = { ...job.job, users: { ...job.job.users, attributeMappings: [...attributeMappings, middleName] } }
  return job
}

describe.each([
  ['okta', wizard, WIZARD],
  ['okta-catalogue', catalogue, CATALOGUE],
] as const)('%s', (provider, { steps }, script) => {
  it('sends the recorded requests in their order', async () => {
    const job = jobWithMiddleName(provider)
    for (const [events, edit] of script) {
      edit(job)
      const groupBefore = ids(job).G
      await job.cycle()
      const sent = sentBy(job)
      for (const event of events) {
        const step = steps.find((candidate) => candidate.event === event)
        if (step === undefined) throw new Error(`no step "${event}"`)
        const names = { ...ids(job), ...(ids(job).G === '{{G}}' ? { G: groupBefore } : {}) }
        expectNext(sent, substitute(step, names))
      }
    }
  })
})

interface Recorded {
  readonly event: string
  readonly method: string
  readonly path: string
  readonly request?: object
}

/** Takes the requests up to the recorded one. The password is random. */
function expectNext(sent: Sent[], { event, method, path, request = {} }: Recorded): void {
  const wanted = { ...request, ...('password' in request ? { password: expect.any(String) } : {}) }
  const same = sent.filter((next) => next.method === method && next.path === path)
  const found = same.find(({ body = {} }) => expect.objectContaining(wanted).asymmetricMatch(body))
  // The message of a failure shows the most similar request.
  expect((found ?? same.at(-1))?.body ?? {}, event).toMatchObject(wanted)
  expect(same, `${event}: ${method} ${path}`).not.toEqual([])
  sent.splice(0, sent.indexOf(found ?? (same[0] as Sent)) + 1)
}

describe('the import', () => {
  const users = (count: number) =>
    Array.from(
      { length: count },
      (_, index) => [`u${index}`, { id: `u${index}`, userName: `u${index}` }] as const,
    )

  it.for([
    [0, 1],
    [100, 1],
    [101, 2],
    [250, 3],
  ] as const)('reads %d users in %d pages', async ([count, pages]) => {
    const job = jobOf('okta')
    for (const [id, resource] of users(count)) job.store.users.set(id, resource)
    const read = await readPages(job.client(), 'User', OKTA_PAGE_SIZE)
    expect(read.ok && read.resources.length).toBe(count)
    const starts = Array.from({ length: pages }, (_, page) => page * 100 + 1)
    expect(job.store.takeLines()).toEqual(starts.map((start) => `GET /Users?startIndex=${start}&count=100`))
  })

  it('reads on by 100 from an endpoint with shorter pages, and so misses resources', async () => {
    const job = jobOf('okta')
    for (const [id, resource] of users(150)) job.store.users.set(id, resource)
    job.store.misbehave = ({ path }) => {
      const start = Number(new URL(path, 'https://x.example').searchParams.get('startIndex'))
      const Resources = [...job.store.users.values()].slice(start - 1, start + 49)
      return Response.json({ totalResults: 150, Resources })
    }
    const read = await readPages(job.client(), 'User', OKTA_PAGE_SIZE)
    expect(read).toMatchObject({ ok: true, totalResults: 150 })
    expect(read.ok && read.resources.length).toBe(100)
  })

  it('ends at an empty page of an endpoint that counts wrongly', async () => {
    const job = jobOf('okta')
    job.store.misbehave = () => Response.json({ totalResults: 1_000_000_000, Resources: [] })
    const read = await readPages(job.client(), 'User', OKTA_PAGE_SIZE)
    expect(read).toEqual({ ok: true, resources: [], totalResults: 1_000_000_000 })
    expect(job.store.takeLines()).toHaveLength(1)
  })
})
