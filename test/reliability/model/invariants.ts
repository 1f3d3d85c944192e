/**
 * Invariants of a tenant's rows that must hold at any time, also after faults. Each check reports what it found.
 */
import { fold } from '../../../src/scim/fold.ts'
import { keyOf } from './state.ts'
import type { Stored } from './tenant.ts'

/** @returns one line for each violation */
export function violations(stored: Stored): readonly string[] {
  return CHECKS.flatMap((check) => check(stored))
}

const CHECKS: readonly ((stored: Stored) => readonly string[])[] = [
  groupLimit,
  bothEnds,
  uniqueNames,
  memberCounts,
  tenantCounts,
  versions,
]

/** The number of checks, for the summary of a long run. */
export const INVARIANTS = CHECKS.length

function groupLimit({ tenant, groups }: Stored): readonly string[] {
  const limit = Number(tenant.group_limit)
  return groups.length > limit ? [`${groups.length} groups, the limit is ${limit}`] : []
}

function bothEnds({ users, groups, memberships }: Stored): readonly string[] {
  const ids = { User: new Set(users.map(({ id }) => id)), Group: new Set(groups.map(({ id }) => id)) }
  return memberships
    .filter(
      ({ group_id, member_id, member_type }) =>
        !ids.Group.has(group_id ?? '') ||
        !ids[member_type === 'User' ? 'User' : 'Group'].has(member_id ?? ''),
    )
    .map((row) => `a membership of a missing resource: ${JSON.stringify(row)}`)
}

/** Names must be unique by the stored key, by the key of the server, and by the key of the test. */
function uniqueNames({ users, groups }: Stored): readonly string[] {
  const found: string[] = []
  for (const [rows, column, attribute] of [
    [users, 'user_name_key', 'userName'],
    [groups, 'display_name_key', 'displayName'],
  ] as const) {
    const seen = new Set<string>()
    for (const row of rows) {
      const name = String(JSON.parse(String(row.data))[attribute])
      const key = String(row[column])
      if (key !== fold(name)) found.push(`${column} of ${name} is ${key}`)
      for (const each of new Set([`stored ${key}`, `known ${keyOf(name)}`])) {
        if (seen.has(each)) found.push(`two rows with the ${column} ${each}`)
        seen.add(each)
      }
    }
  }
  return found
}

function memberCounts({ groups, memberships }: Stored): readonly string[] {
  return groups.flatMap(({ id, member_count }) => {
    const counted = memberships.filter(({ group_id }) => group_id === id).length
    return counted === member_count ? [] : [`member_count of ${id} is ${member_count}, there are ${counted}`]
  })
}

function tenantCounts({ tenant, users, groups, memberships }: Stored): readonly string[] {
  const counted = {
    user_count: users.length,
    active_user_count: users.filter(({ active }) => active === 1).length,
    group_count: groups.length,
    membership_count: memberships.length,
  }
  return Object.entries(counted)
    .filter(([name, count]) => tenant[name] !== count)
    .map(([name, count]) => `${name} of the tenant is ${tenant[name]}, there are ${count}`)
}

function versions({ users, groups }: Stored): readonly string[] {
  return [...users, ...groups]
    .filter(({ version }) => !Number.isInteger(version) || Number(version) < 1)
    .map(({ id, version }) => `the version of ${id} is ${version}`)
}

/** Applies to requests with their own id; the operations of a bulk request share one. */
export function loggedTwice({ log }: Stored): readonly string[] {
  const seen = new Set<unknown>()
  return log.flatMap(({ request_id }) => {
    const isSeen = seen.has(request_id)
    seen.add(request_id)
    return isSeen ? [`request ${request_id} is in the log twice`] : []
  })
}
