/** A life of one user and one group, event by event, as each provider sends it. */
import { defaultJob } from '../../../src/entra/documents/job.ts'
import type { ProviderName } from '../../../src/entra/providers/providers.ts'
import { JobHarness } from '../support/job-harness.ts'

export const TAVISH = {
  id: '00ujl29u0le5T6Aj10h7',
  userPrincipalName: 'tavish.la@quillfern.example',
  displayName: 'Tavish Lindqvist-Amaro',
  givenName: 'Tavish',
  surname: 'Lindqvist-Amaro',
  mail: 'tavish.la@quillfern.example',
  preferredLanguage: 'en-US',
}
const person = (id: string, givenName: string, surname: string) => ({
  id,
  userPrincipalName: `${givenName.toLowerCase()}@quillfern.example`,
  displayName: `${givenName} ${surname}`,
  givenName,
  surname,
})
export const MIRELA = person('00ujl29u0le5T6Aj10h8', 'Mirela', 'Osterholt')
export const PIM = person('00ujl29u0le5T6Aj10h9', 'Pim', 'Vonk')
const GROUP = { id: 'g-1', displayName: 'Field Crew', members: [TAVISH.id, MIRELA.id, PIM.id] }

export interface Sent {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

export type Edit = (job: JobHarness) => void

export const EVENTS: readonly (readonly [event: string, edit: Edit])[] = [
  ['the connection is tested and one user is assigned', () => undefined],
  [
    'the profile changes',
    (job) => Object.assign(job.user(TAVISH.id), { displayName: 'Tavish Lindqvist', jobTitle: 'Surveyor' }),
  ],
  ['a value is removed', (job) => void delete job.user(TAVISH.id).jobTitle],
  ['the user is disabled', (job) => Object.assign(job.user(TAVISH.id), { accountEnabled: false })],
  ['the user is enabled', (job) => Object.assign(job.user(TAVISH.id), { accountEnabled: true })],
  ['the user leaves the application', (job) => Object.assign(job.user(TAVISH.id), { assigned: false })],
  ['the user is assigned again', (job) => Object.assign(job.user(TAVISH.id), { assigned: true })],
  [
    'a group with three members is pushed',
    (job) => {
      job.directory.users.push({ ...MIRELA }, { ...PIM })
      job.directory.groups.push(structuredClone(GROUP))
    },
  ],
  ['a member leaves', (job) => void job.group(GROUP.id).members.pop()],
  ['one leaves, another comes', (job) => job.group(GROUP.id).members.splice(0, 1, PIM.id)],
  ['the group is renamed', (job) => Object.assign(job.group(GROUP.id), { displayName: 'Field Crew North' })],
  ['the group is deleted', (job) => job.directory.groups.splice(0)],
  [
    'the user is deleted',
    (job) => Object.assign(job.user(TAVISH.id), { deletedDateTime: new Date(job.clock.now()).toISOString() }),
  ],
  ['the user is gone for good', (job) => void job.directory.users.shift()],
  ['nothing changes', () => undefined],
]

export function jobOf(provider: ProviderName): JobHarness {
  const job = new JobHarness({ users: [{ ...TAVISH }], groups: [] })
  job.job = { ...defaultJob(provider), concurrency: 1 }
  return job
}

/** Runs the whole life, and returns the requests of each event. */
export async function live(job: JobHarness): Promise<[event: string, requests: Sent[]][]> {
  const life: [string, Sent[]][] = []
  for (const [event, edit] of EVENTS) {
    edit(job)
    await job.cycle()
    const requests = sentBy(job)
    life.push([event, requests])
    job.clock.advance(40 * 60_000)
  }
  return life
}

/** Returns and clears the requests so far. */
export function sentBy(job: JobHarness): Sent[] {
  return job.store.received.splice(0).map(({ method, path, body }) => ({ method, path, body }))
}
