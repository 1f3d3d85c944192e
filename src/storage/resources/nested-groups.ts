/**
 * The groups of the users of a page, through nested groups. The memberships of groups in groups are read once for the
 * page and traversed in memory; SQL would traverse them for each user. For a tenant without nested groups, no row is
 * read.
 */
import { sql } from 'drizzle-orm'
import { prepared, type Row, type Slots } from '../database/database.ts'
import { IS_NESTED } from '../tables/member-types.ts'
import { groupName } from './group-names.ts'

/** A value of the attribute `groups`. */
interface GroupOfUser {
  readonly value: string
  readonly display: string | null
  readonly type: 'direct' | 'indirect'
}

/** A row for each group that contains groups: its id, its name, and the ids of those groups as JSON. */
export const selectNestedGroups = prepared(
  ({ tenantId }: Slots<'tenantId'>) =>
    sql`SELECT n.id, ${groupName('g')} AS display, n.members
      FROM (SELECT m.group_id AS id, json_group_array(m.member_id) AS members
        FROM memberships AS m INDEXED BY memberships_nested
        WHERE m.tenant_id = ${tenantId} AND m.${sql.raw(IS_NESTED)} GROUP BY m.group_id) AS n
      CROSS JOIN groups AS g ON g.tenant_id = ${tenantId} AND g.id = n.id`,
)

export class NestedGroups {
  /** The groups that contain a group, by its id. */
  readonly #above = new Map<string, GroupOfUser[]>()
  /** A cache: users of one page are often in the same groups. */
  readonly #known = new Map<string, string>()

  /** @param rows of selectNestedGroups */
  constructor(rows: readonly Row[]) {
    for (const { id, display, members } of rows) {
      const group: GroupOfUser = {
        value: String(id),
        display: display === undefined || display === null ? null : String(display),
        type: 'indirect',
      }
      for (const member of JSON.parse(String(members)) as string[]) {
        const above = this.#above.get(member)
        if (above === undefined) this.#above.set(member, [group])
        else above.push(group)
      }
    }
  }

  /** @param direct the direct groups of a user as JSON @returns all of its groups as JSON, in the order of their ids */
  groupsOf(direct: string): string {
    if (this.#above.size === 0) return direct
    const known = this.#known.get(direct)
    if (known !== undefined) return known
    const groups = JSON.stringify(this.#withIndirect(JSON.parse(direct) as GroupOfUser[]))
    this.#known.set(direct, groups)
    return groups
  }

  /** Each group is visited once, whatever path leads to it, so a cycle ends. */
  #withIndirect(direct: readonly GroupOfUser[]): readonly GroupOfUser[] {
    const groups = [...direct]
    const visited = new Set(groups.map(({ value }) => value))
    for (const { value } of groups) {
      for (const above of this.#above.get(value) ?? []) {
        if (visited.has(above.value)) continue
        visited.add(above.value)
        groups.push(above)
      }
    }
    if (groups.length === direct.length) return direct
    return groups.sort((a, b) => (a.value < b.value ? -1 : 1))
  }
}
