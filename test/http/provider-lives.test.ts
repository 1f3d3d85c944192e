/**
 * The emulator as each provider against this worker: the sample directory is provisioned, edited, and provisioned again.
 * Then the tenant is compared with the directory.
 */
import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { defaultJob, providerOf } from '../../src/entra/documents/job.ts'
import { isObject, type JsonObject } from '../../src/entra/problem.ts'
import type { Fetch } from '../../src/entra/protocol/fetch.ts'
import { readPages } from '../../src/entra/protocol/pages.ts'
import type { ProviderName } from '../../src/entra/providers/providers.ts'
import type { ProfileName } from '../../src/scim/profile.ts'
import { changeAFewThings, type DirectoryDocument } from '../entra/support/directory-edits.ts'
import { JobHarness } from '../entra/support/job-harness.ts'
import quillfern from '../fixtures/directory/quillfern.json' with { type: 'json' }
import { type Client, TENANT_URL } from '../support/harness.ts'
import { newClientWith } from '../support/profile-client.ts'

/** The providers with the profiles of their tenants. */
const TENANTS: readonly (readonly [ProviderName, ProfileName])[] = [
  ['entra', 'entra'],
  ['okta', 'okta'],
  ['okta-catalogue', 'okta'],
  ['onelogin', 'tolerant'],
  ['jumpcloud', 'tolerant'],
  ['google', 'strict'],
  ['authentik', 'tolerant'],
]

function jobOf(provider: ProviderName, directory: DirectoryDocument, client: Client): JobHarness {
  const fetch: Fetch = (url, init) => exports.default.fetch(new Request(url, init))
  const job = new JobHarness(directory, {}, { tenantUrl: TENANT_URL, token: client.token, fetch })
  job.job = { ...defaultJob(provider), concurrency: 8 }
  return job
}

/** 25 people of the sample directory, and the groups with those that are among them. */
function sample(): DirectoryDocument {
  const { users, groups } = structuredClone<DirectoryDocument>(quillfern)
  const people = users.slice(0, 25)
  const ids = new Set(people.map(({ id }) => id))
  return {
    users: people,
    groups: groups.slice(0, 8).map((group) => ({
      ...group,
      members: group.members.filter((id) => ids.has(id)),
    })),
  }
}

/** Users by name with their state, and groups by name with the names of their members. */
async function tenantOf(job: JobHarness) {
  const users = await readPages(job.client(), 'User', 100)
  const groups = await readPages(job.client(), 'Group', 100)
  if (!users.ok || !groups.ok) throw new Error('the tenant cannot be read')
  const nameOf = new Map(users.resources.map(({ id, userName }) => [id, userName]))
  return {
    users: new Map(users.resources.map((user) => [user.userName, [shownName(user), user.active]])),
    groups: new Map(
      groups.resources.map(({ displayName, members }) => [
        displayName,
        ((members ?? []) as { value: string }[]).map(({ value }) => nameOf.get(value)).toSorted(),
      ]),
    ),
  }
}

/** OneLogin sends no displayName. */
function shownName({ displayName, name }: JsonObject): unknown {
  return displayName ?? (isObject(name) ? name.formatted : undefined)
}

/** What the tenant has to be: `provisioned` are the users who were created, `gone` those who were deleted since. */
function tenantFrom(
  provider: ProviderName,
  directory: DirectoryDocument,
  { provisioned, gone }: { provisioned: ReadonlySet<string>; gone: DirectoryDocument['users'] },
) {
  const profile = providerOf(defaultJob(provider))
  const kept = profile.removal.purged === 'disable' ? gone : []
  const users: DirectoryDocument['users'] = [
    ...directory.users.filter(({ id }) => provisioned.has(id)),
    ...kept.map((user) => ({ ...user, accountEnabled: false })),
  ]
  const nameOf = new Map(users.map(({ id, userPrincipalName }) => [id, userPrincipalName]))
  return {
    users: new Map(
      users.map(({ userPrincipalName, displayName, accountEnabled }) => [
        userPrincipalName,
        [displayName, accountEnabled],
      ]),
    ),
    groups: new Map(
      profile.groups === undefined
        ? []
        : directory.groups
            .filter(({ assigned }) => assigned !== false)
            .map(({ displayName, members }) => [
              displayName,
              members.flatMap((id) => nameOf.get(id) ?? []).toSorted(),
            ]),
    ),
  }
}

describe('the sample directory', () => {
  it.for(TENANTS)('as %s provisions it, to a tenant with the profile "%s"', async ([provider, profile]) => {
    const client = await newClientWith(profile)
    const directory = sample()
    const job = jobOf(provider, directory, client)
    const { createsDisabledUsers, removal } = providerOf(job.job)
    const entitled = directory.users.filter(
      (user) => user.assigned !== false && (user.accountEnabled === true || createsDisabledUsers),
    )
    const provisioned = new Set(entitled.map(({ id }) => id))
    const { summary } = await job.cycle()
    expect(job.log.filter(({ statusInfo }) => statusInfo.status === 'failure')).toEqual([])
    expect(summary.counts.User.created).toBe(provisioned.size)
    expect(await tenantOf(job)).toEqual(tenantFrom(provider, directory, { provisioned, gone: [] }))

    const before = structuredClone(directory)
    changeAFewThings(directory)
    const left = new Set(directory.users.map(({ id }) => id))
    const gone = before.users.filter(({ id }) => provisioned.has(id) && !left.has(id))
    const dropped = before.groups.filter(({ id }) => !directory.groups.some((group) => group.id === id))
    await job.cycle()
    expect(job.log.filter(({ statusInfo }) => statusInfo.status === 'failure')).toEqual([])
    const expected = tenantFrom(provider, directory, { provisioned, gone })
    const tenant = await tenantOf(job)
    if (removal.group === 'ignore') for (const { displayName } of dropped) tenant.groups.delete(displayName)
    expect(tenant).toEqual(expected)

    await job.cycle()
    expect(job.log).toEqual([])
  })
})
