/**
 * Entra's emulator against this worker: the sample directory is provisioned twice, edited, and provisioned again. Then the
 * tenant is compared with the directory.
 */
import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Fetch } from '../../src/entra/protocol/fetch.ts'
import { changeAFewThings, type DirectoryDocument } from '../entra/support/directory-edits.ts'
import { type Endpoint, JobHarness } from '../entra/support/job-harness.ts'
import quillfern from '../fixtures/directory/quillfern.json' with { type: 'json' }
import { type Client, newClient, TENANT_URL } from '../support/harness.ts'

const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'
const GUID = 'extension_8f1c0f6e5a7d4c2b9e3a1d0b6c5f4e2d_objectGUID'
const PAGE = 100

interface Sent {
  readonly method: string
  readonly path: string
  readonly status: number
}

/** The worker as the endpoint of the emulator. `sent` collects the requests. */
function endpointOf(client: Client, sent: Sent[]): Endpoint {
  const fetch: Fetch = async (url, init) => {
    const response = await exports.default.fetch(new Request(url, init))
    sent.push({ method: init.method, path: url.slice(TENANT_URL.length), status: response.status })
    return response
  }
  return { tenantUrl: TENANT_URL, token: client.token, fetch }
}

/** All resources of an endpoint, read page by page. */
async function listAll(client: Client, endpoint: '/Users' | '/Groups') {
  const resources = []
  for (let total = 1; resources.length < total; ) {
    const { body } = await client.get(`${endpoint}?startIndex=${resources.length + 1}&count=${PAGE}`)
    total = body.totalResults
    resources.push(...body.Resources)
  }
  return resources
}

/** The state of the tenant: the attributes that Entra maps, with members by userName. */
async function tenantOf(client: Client) {
  const users = await listAll(client, '/Users')
  const groups = await listAll(client, '/Groups')
  const nameOf = new Map(users.map(({ id, userName }) => [id, userName]))
  return {
    users: users
      .map(({ userName, externalId, active, displayName, name, [UMBRELLA]: umbrella }) => ({
        ...{ userName, externalId, active, displayName, name, guid: umbrella?.nativeObjectId },
      }))
      .toSorted(by('userName')),
    groups: groups
      .map(({ displayName, externalId, members = [] }) => ({
        ...{ displayName, externalId },
        members: members.map(({ value }: { value: string }) => nameOf.get(value)).toSorted(),
      }))
      .toSorted(by('externalId')),
  }
}

/** The expected state, computed from the directory and from the users who were active when it was first provisioned. */
function tenantFrom(directory: DirectoryDocument, provisioned: ReadonlySet<string>) {
  const users = directory.users.filter(({ id }) => provisioned.has(id))
  const nameOf = new Map(users.map(({ id, userPrincipalName }) => [id, userPrincipalName]))
  return {
    users: users
      .map((user) => ({
        userName: user.userPrincipalName,
        externalId: user.mailNickname,
        active: user.accountEnabled,
        displayName: user.displayName,
        name: {
          givenName: user.givenName,
          familyName: user.surname,
          formatted: [user.givenName, user.surname].filter((part) => part !== undefined).join(' '),
        },
        guid: user[GUID],
      }))
      .toSorted(by('userName')),
    groups: directory.groups
      .filter(({ assigned }) => assigned !== false)
      .map(({ id, displayName, members }) => ({
        displayName,
        externalId: id,
        members: members.flatMap((member) => nameOf.get(member) ?? []).toSorted(),
      }))
      .toSorted(by('externalId')),
  }
}

function by<Key extends string>(key: Key) {
  return (a: Record<Key, unknown>, b: Record<Key, unknown>) => (String(a[key]) < String(b[key]) ? -1 : 1)
}

const CONNECTION_TEST = [
  'GET /Users?filter=userName+eq+%22{guid}%22 200',
  'GET /Groups?excludedAttributes=members&filter=displayName+eq+%22{guid}%22 200',
]

/** The requests of the next cycle with their statuses. Ids are replaced by the names of their resources. */
async function requestsOf(job: JobHarness, sent: Sent[]): Promise<string[]> {
  const nameOf = new Map(
    Object.values(job.state.objects).flatMap(({ link }) => (link ? [[link.targetId, link.name]] : [])),
  )
  sent.length = 0
  await job.cycle()
  return sent.map(({ method, path, status }) => {
    const readable = path
      .replace(/00000000-0000-4000-8000-\d{12}/, '{guid}')
      .replace(/^\/\w+\/([^?]+)/, (whole, id) => whole.replace(id, nameOf.get(id) ?? id))
    return `${method} ${readable} ${status}`
  })
}

/** The expected requests after `changeAFewThings`. @param people the active people in order @param groups in order */
function requestsOfEdit(people: readonly string[], groups: readonly string[]): string[] {
  const [renamed, moved, disabled, deleted] = people
  const [, from, to, renamedGroup, , dropped] = groups
  return [
    ...CONNECTION_TEST,
    ...[renamed, moved, disabled].flatMap((name) => [`GET /Users/${name} 200`, `PATCH /Users/${name} 200`]),
    `DELETE /Users/${deleted} 204`,
    `GET /Groups/${renamedGroup}?excludedAttributes=members 200`,
    ...[from, to, renamedGroup].map((name) => `PATCH /Groups/${name} 204`),
    `DELETE /Groups/${dropped} 204`,
  ]
}

describe.each(['old', 'flag'] as const)('the emulator in the %s dialect', (dialect) => {
  it('provisions the sample directory, then nothing, then only the changes', async () => {
    const client = await newClient()
    const sent: Sent[] = []
    const directory = structuredClone<DirectoryDocument>(quillfern)
    const job = new JobHarness(directory, { dialect, concurrency: 8 }, endpointOf(client, sent))
    const active = directory.users.filter((user) => user.accountEnabled && user.assigned !== false)
    const provisioned = new Set(active.map(({ id }) => id))
    const people = active.map(({ userPrincipalName }) => String(userPrincipalName))
    const groups = directory.groups.map(({ displayName }) => String(displayName))

    await job.cycle()
    expect(job.log.filter(({ statusInfo }) => statusInfo.status === 'failure')).toEqual([])
    expect(provisioned.size).toBe(291)
    expect(await tenantOf(client)).toEqual(tenantFrom(directory, provisioned))

    expect(await requestsOf(job, sent)).toEqual(CONNECTION_TEST)

    changeAFewThings(directory)
    const requests = await requestsOf(job, sent)
    expect(requests.toSorted()).toEqual(requestsOfEdit(people, groups).toSorted())
    expect(await tenantOf(client)).toEqual(tenantFrom(directory, provisioned))
  }, 120_000)
})
