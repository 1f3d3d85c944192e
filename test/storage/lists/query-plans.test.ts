/**
 * The query plans of the statements that requests run: indexes answer what they can. The Worker runs on a binding
 * that records its statements, so the tests do not depend on how they are built. D1 keeps no statistics unless
 * ANALYZE is run, so the plans of an empty directory and a full one are the same.
 */
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import worker from '../../../src/worker.ts'
import { change, create, newCoordinator, rename, requestOf, statusOf } from '../../support/coordinator.ts'
import { addCrowd } from '../../support/crowd.ts'
import { type Client, newClient, TENANT_URL } from '../../support/harness.ts'
import { addGroup, addMembers } from '../../support/large.ts'
import { noting } from '../../support/query-plans.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0'

const VALUES = /user_values USING PRIMARY KEY \(tenant_id=\? AND attribute=\? AND value(=|>)\?/
const EXTERNAL_ID = /users USING INDEX users_by_external_id \(tenant_id=\? AND external_id=\?\)/

let client: Client
beforeAll(async () => {
  client = await newClient()
  const users = await Promise.all(
    Array.from({ length: 30 }, (_, i) => client.createUser({ externalId: `e${i}` })),
  )
  await client.createGroup({ externalId: 'g', members: users.map(({ id }) => ({ value: id })) })
})

it('the candidates of a list are counted once for each of the two ways to find it', async () => {
  const plans = await plansOf(filtered('Users', 'emails.value sw "x" and title eq "y"'))
  // Counted, measured and read; counted and measured again before a scan. Objects are counted only within the limit.
  expect(plans.filter((step) => VALUES.test(step)).length).toBeLessThanOrEqual(7)
})

it.for([
  ['Users?sortBy=title&filter=', 'emails[type eq "work"].value pr'],
  ['Users?sortBy=title&filter=', 'emails[type eq "work" and value co "x"]'],
  ['Users?filter=', 'emails[type eq "work" and value sw "x"] and title pr'],
])('candidates are measured before their documents are parsed: /%s%s', async ([start = '', filter = '']) => {
  const plans = await plansOf(`/${start}${encodeURIComponent(filter)}`)
  // In the page by the index, and in that of a scan.
  expect(plans.filter((step) => /VIRTUAL TABLE/.test(step)).length).toBeLessThanOrEqual(2)
})

it.for(['displayName sw "x"', 'userName sw "x"', 'externalId eq "x"'])(
  'many matches of an index without ids are found by a walk through the ids: %s',
  async (filter) => {
    expect(await plansOf(filtered('Users', filter))).toContain(
      'SEARCH users USING COVERING INDEX sqlite_autoindex_users_1 (tenant_id=? AND id>?)',
    )
  },
)

it.for([
  'members[value eq "x" and type eq "User"]',
  'members[(value eq "x" or value eq "y") and display sw "p"]',
  'members[value eq "x" and type eq "User" or value eq "y" and display sw "p"]',
])('the memberships of a member are found by its id, whatever else is tested: %s', async (filter) => {
  const plans = await plansOf(`${filtered('Groups', filter)}&excludedAttributes=members`)
  const byMember =
    /^SEARCH m USING (COVERING )?INDEX memberships_by_member \(tenant_id=\? AND member_id=\?\)$/
  const steps = plans.filter((step) => step.startsWith('SEARCH m '))
  expect(steps.length).toBeGreaterThan(0)
  expect(steps.filter((step) => !byMember.test(step))).toEqual([])
})

describe('the values in an index answer a test without the documents', () => {
  it.for([
    ['userName co "x"', 'users_by_user_name'],
    ['displayName ew "x"', 'users_by_display_name'],
    ['displayName pr', 'users_by_display_name'],
    ['not (externalId co "x")', 'users_by_external_id'],
    [`${UMBRELLA}:User:nativeObjectId co "x"`, 'users_by_native_object_id'],
  ])('%s', async ([filter = '', index = '']) => {
    const plans = await plansOf(filtered('Users', filter))
    const values = new RegExp(`^SEARCH one USING (COVERING )?INDEX ${index} \\(tenant_id=\\? AND \\w+>\\?\\)`)
    expect(plans).toContainEqual(expect.stringMatching(values))
    expect(plans).toContainEqual(
      expect.stringMatching(/^SEARCH users USING COVERING INDEX \w+ \(tenant_id=\?\)/),
    )
    expect(plans.filter((step) => /^SEARCH users USING INDEX \w+ \(tenant_id=\?\)/.test(step))).toEqual([])
  })
})

describe('an index answers', () => {
  it.for<[path: string, index: RegExp]>([
    ['/Users/some-id', /users USING INDEX sqlite_autoindex_users_1 \(tenant_id=\? AND id=\?\)/],
    [filtered('Users', 'id eq "x"'), /users USING INDEX sqlite_autoindex_users_1 \(tenant_id=\? AND id=\?\)/],
    [
      filtered('Users', 'userName eq "x"'),
      /users USING INDEX users_by_user_name \(tenant_id=\? AND user_name_key=\?\)/,
    ],
    [
      filtered('Users', 'userName sw "x"'),
      /users USING INDEX users_by_user_name \(tenant_id=\? AND user_name_key>\? AND user_name_key<\?\)/,
    ],
    [
      filtered('Users', 'externalId eq "x"'),
      /users USING INDEX users_by_external_id \(tenant_id=\? AND external_id=\?\)/,
    ],
    [
      filtered('Users', 'displayName eq "x"'),
      /users USING INDEX users_by_display_name \(tenant_id=\? AND display_name_key=\?\)/,
    ],
    [
      filtered('Users', `${UMBRELLA}:User:nativeObjectId eq "x"`),
      /users USING INDEX users_by_native_object_id \(tenant_id=\? AND native_object_id_key=\?\)/,
    ],
    [
      filtered('Users', 'meta.lastModified gt "2026-01-01T00:00:00Z"'),
      /users USING (COVERING )?INDEX users_by_modified \(tenant_id=\? AND last_modified>\?\)/,
    ],
    [filtered('Users', 'id eq "x" and userName eq "y"'), /users USING INDEX/],
    [
      filtered('Users', 'userName eq "x" or id eq "y"'),
      /users USING INDEX users_by_user_name \(tenant_id=\? AND user_name_key=\?\)/,
    ],
    [
      filtered('Users', 'userName eq "x" or externalId eq "y"'),
      /users USING INDEX users_by_external_id \(tenant_id=\? AND external_id=\?\)/,
    ],
    [
      filtered(
        'Users',
        'active eq true and (displayName eq "x" or externalId eq "y" or groups.value eq "z")',
      ),
      /users USING INDEX users_by_display_name \(tenant_id=\? AND display_name_key=\?\)/,
    ],
    [
      filtered('Users', 'meta.lastModified eq "2026-01-01T00:00:00Z"'),
      /users USING (COVERING )?INDEX users_by_modified \(tenant_id=\? AND last_modified=\?\)/,
    ],
    [
      filtered('Users', 'userName eq "x" and groups.value eq "y"'),
      /m USING COVERING INDEX memberships_by_member \(tenant_id=\? AND member_id=\?\)/,
    ],
    [
      filtered('Users', 'groups.value eq "x"'),
      /users USING INDEX sqlite_autoindex_users_1 \(tenant_id=\? AND id=\?\)/,
    ],
    [
      filtered('Users', 'groups[value eq "x"]'),
      /users USING INDEX sqlite_autoindex_users_1 \(tenant_id=\? AND id=\?\)/,
    ],
    ...[
      'emails.value eq "x"',
      'emails eq "x"',
      'emails[value eq "x"]',
      'emails[type eq "work" and value eq "x"]',
      'emails[value eq "x" or value eq "y"]',
      'emails.value eq "x" and title pr',
      `${ENTERPRISE}:employeeNumber eq "x"`,
      'name.familyName eq "x"',
      'phoneNumbers.value eq "x"',
      'active eq false',
    ].map((filter): [string, RegExp] => [filtered('Users', filter), VALUES]),
    [
      filtered('Users', 'emails.value eq "x" or userName eq "y"'),
      /users USING INDEX users_by_user_name \(tenant_id=\? AND user_name_key=\?\)/,
    ],
    [
      filtered('Users', 'emails.value eq "x" or userName eq "y"'),
      /user_values USING PRIMARY KEY \(tenant_id=\? AND attribute=\? AND value=\?\)/,
    ],
    ['/Groups/some-id', /groups USING INDEX sqlite_autoindex_groups_1 \(tenant_id=\? AND id=\?\)/],
    [
      filtered('Groups', 'id eq "x"'),
      /groups USING INDEX sqlite_autoindex_groups_1 \(tenant_id=\? AND id=\?\)/,
    ],
    [
      filtered('Groups', 'displayName eq "x"'),
      /groups USING INDEX groups_by_name \(tenant_id=\? AND display_name_key=\?\)/,
    ],
    [
      filtered('Groups', 'displayName eq "x"', '&excludedAttributes=members'),
      /groups USING INDEX groups_by_name \(tenant_id=\? AND display_name_key=\?\)/,
    ],
    [
      filtered('Groups', 'externalId eq "x"'),
      /groups USING INDEX groups_by_external_id \(tenant_id=\? AND external_id=\?\)/,
    ],
    [
      filtered('Groups', `${UMBRELLA}:Group:nativeObjectId eq "x"`),
      /groups USING INDEX groups_by_native_object_id \(tenant_id=\? AND native_object_id_key=\?\)/,
    ],
    [
      filtered('Groups', 'members.value eq "x"'),
      /m USING (COVERING )?INDEX memberships_by_member \(tenant_id=\? AND member_id=\?\)/,
    ],
    [
      filtered('Groups', 'members.value eq "x" or externalId eq "y"'),
      /groups USING INDEX groups_by_external_id \(tenant_id=\? AND external_id=\?\)/,
    ],
    [filtered('Groups', 'members eq "x"'), /m USING (COVERING )?INDEX memberships_by_member/],
    [filtered('Groups', 'members[value eq "x"]'), /m USING (COVERING )?INDEX memberships_by_member/],
    [
      filtered('Groups', 'id eq "x" and members.value eq "y"'),
      /groups USING INDEX sqlite_autoindex_groups_1 \(tenant_id=\? AND id=\?\)/,
    ],
  ])('%s', async ([path, index]) => {
    const plans = await plansOf(path)
    expect(plans.join('\n')).toMatch(index)
    expect(plans.filter(readsTableThrough)).toEqual([])
  })
})

describe('an index answers, or a scan if it finds most users', () => {
  it.for<[filter: string, index: RegExp]>([
    ['emails.value sw "x"', VALUES],
    ['title pr and emails[type eq "work" and value sw "x"]', VALUES],
    [`${ENTERPRISE}:employeeNumber sw "x"`, VALUES],
    ['name.familyName sw "x" and name.givenName eq "y"', VALUES],
    ['phoneNumbers[type eq "mobile" and value eq "x"]', VALUES],
    ['active eq false and title pr', VALUES],
    ['title pr and (emails.value sw "x" and (active eq false and externalId eq "y"))', EXTERNAL_ID],
    [
      'meta.created ge "2026-01-01T00:00:00Z"',
      /users USING COVERING INDEX sqlite_autoindex_users_1 \(tenant_id=\? AND id>\?\)/,
    ],
  ])('%s', async ([filter, index]) => {
    const plans = await plansOf(filtered('Users', filter))
    expect(plans.join('\n')).toMatch(index)
    // The scan: for the total, and for the page.
    const scans = plans.filter(readsTableThrough)
    expect(scans.length).toBeLessThanOrEqual(2)
    for (const scan of scans)
      expect(scan).toMatch(/^SEARCH users USING (COVERING )?INDEX \w+ \(tenant_id=\?\)$/)
  })
})

/** In the order of ids, which is that of the file. */
const WALK = /^SEARCH (users|groups) USING INDEX sqlite_autoindex_\w+_1 \(tenant_id=\? AND id>\?\)$/

describe('all documents are read in the order of the file', () => {
  it.for([
    filtered('Users', 'title eq "x"'),
    filtered('Users', 'not (title pr)', '&sortBy=userName'),
    filtered('Users', 'title pr', '&sortBy=displayName'),
    filtered('Groups', 'schemas co "x" or displayName co "y"'),
    filtered('Groups', 'schemas co "x"', '&excludedAttributes=members'),
    '/Users?sortBy=title',
    '/Groups?sortBy=externalId',
  ])('%s', async (path) => {
    const plans = await plansOf(path)
    expect(plans.filter((step) => WALK.test(step))).not.toEqual([])
    // Members of the groups on a page are found by a further walk, whose order is that of the list.
    expect(plans.filter((step) => readsTableThrough(step) && !step.includes('sqlite_autoindex_'))).toEqual([])
  })
})

describe('the text of a document is searched before it is parsed', () => {
  it.for(['title eq "quick"', 'title co "quick" or nickName sw "quick"', 'addresses[locality eq "quick"]'])(
    'in one pass, with a plan that does not depend on the value: %s',
    async (filter) => {
      const steps = (plans: readonly string[]) => plans.filter((step) => /\b(users|element)\b/.test(step))
      const searched = steps(await plansOf(filtered('Users', filter)))
      expect(searched.filter((step) => WALK.test(step))).toHaveLength(1)
      expect(searched.filter(readsTableThrough)).toEqual([])
      // A value without a character that is searched for.
      expect(searched).toEqual(steps(await plansOf(filtered('Users', filter.replaceAll('quick', 'aei')))))
    },
  )
})

describe('memberships are found in the order of an index', () => {
  it.for<[path: string, index: RegExp]>([
    ['/GroupMemberships', /SEARCH m USING PRIMARY KEY \(tenant_id=\?\)/],
    [
      filtered('GroupMemberships', 'group.value eq "x"'),
      /SEARCH m USING PRIMARY KEY \(tenant_id=\? AND group_id=\?\)/,
    ],
    [
      filtered('GroupMemberships', 'member.value eq "x"'),
      /SEARCH m USING INDEX memberships_by_member \(tenant_id=\? AND member_id=\?\)/,
    ],
    [
      '/GroupMemberships/some.id',
      /SEARCH m USING PRIMARY KEY \(tenant_id=\? AND group_id=\? AND member_id=\?\)/,
    ],
  ])('%s', async ([path, index]) => {
    const plans = await plansOf(path)
    expect(plans.join('\n')).toMatch(index)
    // The page itself, which is sorted again after its names were read.
    expect(plans.filter((step) => step.includes('TEMP B-TREE')).length).toBeLessThanOrEqual(1)
  })
})

describe('a list by lastModified', () => {
  it('is sorted by an index, so that a deep page reads no previous rows', async () => {
    const plans = await plansOf('/Users?sortBy=meta.lastModified&startIndex=5000')
    expect(plans.join('\n')).toMatch(/users USING COVERING INDEX users_by_modified \(tenant_id=\?\)/)
    expect(plans.filter((step) => step.includes('TEMP B-TREE'))).toEqual([])
  })
})

describe('a read that takes long', () => {
  it('runs beside the requests of others: a page beyond 10,000 entries, and many members once they are known', async () => {
    const { tenantId } = client
    await addCrowd(tenantId, 1_001)
    await addGroup(tenantId, 'many')
    await addMembers(tenantId, 'many', 1_001)
    expect(await isLong('/Users?startIndex=10001')).toBe(false)
    expect(await isLong('/Users?startIndex=10002')).toBe(true)
    expect(await isLong('/GroupMemberships?startIndex=10002')).toBe(true)
    for (const path of ['/Groups/many', '/Groups?count=10']) {
      expect(await isLong(path), path).toBe(false)
      expect(await isLong(path), path).toBe(true)
      expect(await isLong(`${path}${path.includes('?') ? '&' : '?'}excludedAttributes=members`)).toBe(false)
    }
  })
})

let longBatches = 0
const withThread = {
  prepare: (text: string) => env.DB.prepare(text),
  batch: (list: D1PreparedStatement[]) => env.DB.batch(list),
  longBatch: (list: D1PreparedStatement[]) => {
    longBatches++
    return env.DB.batch(list)
  },
}

/** Whether a GET runs a long batch. */
async function isLong(path: string): Promise<boolean> {
  longBatches = 0
  const response = await worker.fetch(
    new Request(`${TENANT_URL}${path}`, { headers: { Authorization: `Bearer ${client.token}` } }),
    { ...env, DB: withThread as unknown as D1Database },
    createExecutionContext(),
  )
  expect(response.status).toBe(200)
  await response.body?.cancel()
  return longBatches > 0
}

describe('group writes in one batch', () => {
  it('look up each group, name and member by an index', async () => {
    const { id } = await client.createGroup()
    const { binding, plans } = noting()
    const coordinator = await newCoordinator(client, { binding })
    const { id: user } = await client.createUser()
    const writes = [
      change(id, 'add', user),
      rename(id, 'Renamed'),
      create('Made', user),
      change(id, 'remove', user),
    ]
    const requests = await Promise.all(writes.map((write) => requestOf(client, write)))
    expect((await coordinator.together(requests)).map(statusOf)).toEqual([200, 200, 200, 200])
    const steps = await plans()
    expect(steps.filter(readsTableThrough)).toEqual([])
    for (const index of ['tokens_by_hash (hash=?)', 'groups_by_name (tenant_id=? AND display_name_key=?)'])
      expect(steps.join('\n')).toContain(index)
  })
})

function filtered(endpoint: 'Users' | 'Groups' | 'GroupMemberships', filter: string, more = ''): string {
  return `/${endpoint}?filter=${encodeURIComponent(filter)}${more}`
}

/**
 * True for a SCAN of a table, or a search by the tenant alone. Exceptions are tables with one row, JSON arrays,
 * results of subqueries, and nested groups, which may be read as a whole.
 */
function readsTableThrough(step: string): boolean {
  if (/^SCAN (users|user_values|groups|m|memberships|u|g|d)\b/.test(step)) return true
  // At most one row: the location of a tenant that lives elsewhere.
  if (step === 'SEARCH tenant_locations USING PRIMARY KEY (tenant_id=?)') return false
  // Counted up to MAX_CONFLICTS, and only if there is a conflict to store.
  if (step === 'SEARCH kept USING PRIMARY KEY (tenant_id=?)') return false
  // One row: the newest event.
  if (step === 'SEARCH events USING PRIMARY KEY (tenant_id=?)') return false
  return /^SEARCH .*\(tenant_id=\?\)$/.test(step) && !step.includes('memberships_nested')
}

/** The steps of the plans of all statements that a GET runs. */
async function plansOf(path: string): Promise<readonly string[]> {
  const { binding, plans } = noting()
  const headers = { Authorization: `Bearer ${client.token}` }
  const response = await worker.fetch(
    new Request(`${TENANT_URL}${path}`, { headers }),
    { ...env, DB: binding as D1Database },
    createExecutionContext(),
  )
  expect([200, 404]).toContain(response.status)
  return await plans()
}
