/** Reads the endpoint and counts the differences from the directory. */
import type { Endpoint } from './endpoint.ts'

interface GeneratedUser {
  readonly id: string
  readonly userPrincipalName: string
  readonly displayName: string
  readonly mailNickname: string
  readonly accountEnabled: boolean
  readonly assigned?: boolean
}

interface GeneratedGroup {
  readonly id: string
  readonly displayName: string
  readonly members: readonly string[]
  readonly assigned?: boolean
}

export interface GeneratedDirectory {
  readonly users: readonly GeneratedUser[]
  readonly groups: readonly GeneratedGroup[]
}

interface Resource {
  readonly id: string
  readonly userName?: string
  readonly displayName: string
  readonly externalId: string
  readonly active?: boolean
  readonly members?: readonly { readonly value: string }[]
}

const USERS_PER_PAGE = 100
/** Small pages, because a group has thousands of members. */
const GROUPS_PER_PAGE = 5

/** Users and groups that are missing, unexpected or different. */
export async function countWrong(directory: GeneratedDirectory, endpoint: Endpoint): Promise<number> {
  const users = await listAll(endpoint, '/Users', USERS_PER_PAGE, '&excludedAttributes=groups')
  const groups = await listAll(endpoint, '/Groups', GROUPS_PER_PAGE)
  const provisioned = directory.users.filter((user) => user.accountEnabled && user.assigned !== false)
  const sourceIdOf = new Map(provisioned.map(({ id, userPrincipalName }) => [userPrincipalName, id]))
  const idOf = new Map(users.map(({ id, userName = '' }) => [id, sourceIdOf.get(userName)]))
  const isProvisioned = new Set(provisioned.map(({ id }) => id))
  return (
    countDifferences(
      provisioned.map((user) => describe(user.userPrincipalName, user.displayName, user.mailNickname, true)),
      users.map((user) => describe(user.userName, user.displayName, user.externalId, user.active)),
    ) +
    countDifferences(
      directory.groups
        .filter(({ assigned }) => assigned !== false)
        .map(({ id, displayName, members }) =>
          describe(id, displayName, members.filter((member) => isProvisioned.has(member)).toSorted()),
        ),
      groups.map(({ externalId, displayName, members = [] }) =>
        describe(externalId, displayName, members.map(({ value }) => idOf.get(value)).toSorted()),
      ),
    )
  )
}

function describe(...parts: readonly unknown[]): string {
  return JSON.stringify(parts)
}

/** Expected items that are missing, and unexpected items. */
function countDifferences(expected: readonly string[], found: readonly string[]): number {
  const missing = new Set(expected)
  const surplus = found.filter((text) => !missing.delete(text))
  return missing.size + surplus.length
}

async function listAll(
  { tenantUrl, token }: Endpoint,
  path: string,
  count: number,
  more = '',
): Promise<Resource[]> {
  const resources: Resource[] = []
  for (let total = 1; resources.length < total; ) {
    const url = `${tenantUrl}${path}?startIndex=${resources.length + 1}&count=${count}${more}`
    const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } })
    if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
    const page = (await response.json()) as { totalResults: number; Resources: Resource[] }
    if (page.Resources.length === 0 && page.totalResults > resources.length)
      throw new Error(`GET ${path}: an empty page after ${resources.length} of ${page.totalResults}`)
    total = page.totalResults
    resources.push(...page.Resources)
  }
  return resources
}
