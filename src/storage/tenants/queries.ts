/**
 * Queries for tenants, one or a page of them. They can share a round trip with other queries.
 */
import { type SQL, sql } from 'drizzle-orm'
import { fold } from '../../scim/fold.ts'
import { type Database, statement } from '../database/database.ts'
import { type Page, pageOfItems, type Query, readTogether } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import { cutWord, wordsOf } from '../tables/words.ts'
import { TENANT, type Tenant } from './tenants.ts'

/** A tenant with all counts that are kept for it. */
export type TenantSummary = Tenant

const TENANT_ID = selection(tenants, ['id'])

/** @returns undefined if the tenant does not exist */
export function tenantQuery(id: string): Query<TenantSummary | undefined> {
  return {
    statements: [TENANT.where(sql`id = ${id}`)],
    read: ([result]) => TENANT.first(result),
  }
}

/** A tenant, in a round trip of its own. @returns undefined if it does not exist */
export async function getTenant(db: Database, id: string): Promise<Tenant | undefined> {
  return (await readTogether(db, { tenant: tenantQuery(id) })).tenant
}

/**
 * Tenants in the order of their ids, without copies that a move has left or has not completed.
 *
 * @param after the last id of the previous page
 * @param size Infinity: all tenants
 * @param among the ids of the tenants to list; undefined: all
 */
export function tenantPageQuery(
  after: string,
  size: number,
  among?: readonly string[] | undefined,
): Query<Page<TenantSummary>> {
  // SQLite reads LIMIT -1 as no limit.
  const limit = size === Infinity ? -1 : size + 1
  return {
    statements: [TENANT.where(sql`id > ${after}${isAmong(among)} AND ${IS_HERE} ORDER BY id LIMIT ${limit}`)],
    read: ([result]) => pageOfItems(TENANT.all(result), size, ({ id }) => id),
  }
}

const IS_HERE = sql`state NOT IN ('arriving', 'moved')`

/** The first tenants, in whose names a search also finds the middle of a word. */
export const SEARCHED_NAMES = 40
/** The longest words of a text that are looked up, and the tenants that are looked at for them in all. */
const [MAX_LOOKED_UP, MAX_CANDIDATES] = [3, 36]
/** Tenants whose words are still to be filled in. */
const MAX_WITHOUT_WORDS = 10
/** Tenants of an administrator who may see only some. */
const MAX_AMONG = 150

/** The greatest character: a word with the prefix x is at least x and less than x followed by this character. */
const LAST_CHARACTER = '\u{10ffff}'

export interface TenantSearch {
  /** In the order of their ids. */
  readonly items: readonly TenantSummary[]
  /** Whether it has every tenant whose id, or a word of whose name, begins with the text. */
  readonly isComplete: boolean
}

/**
 * The tenants whose id begins with a text, or whose name and id have words that begin with those of the text. Names are compared
 * as userNames are.
 *
 * @param size of the result, for each way to find a tenant
 * @param among as for `tenantPageQuery`
 */
export function tenantSearchQuery(
  text: string,
  size: number,
  among?: readonly string[] | undefined,
): Query<TenantSearch> {
  // Ids have only ASCII characters, and "~" is greater than all of theirs.
  const [id, part] = [text.toLowerCase(), fold(text)]
  const words = wordsOf(part).map(cutWord)
  const lookedUp = [...new Set(words)].toSorted((a, b) => b.length - a.length).slice(0, MAX_LOOKED_UP)
  const share = MAX_CANDIDATES / Math.max(1, lookedUp.length)
  const isNamed = (tenant: TenantSummary) => {
    const own = [...wordsOf(fold(tenant.name)), ...wordsOf(tenant.id)]
    const hasWords = words.length > 0 && words.every((one) => own.some((other) => other.startsWith(one)))
    return hasWords || tenant.id.startsWith(id) || fold(tenant.name).includes(part)
  }
  const sorted = (found: readonly TenantSummary[]) =>
    [...new Map(found.map((tenant) => [tenant.id, tenant])).values()].toSorted((a, b) =>
      a.id < b.id ? -1 : 1,
    )
  if (among !== undefined) {
    return {
      statements: [
        TENANT.where(sql`id IN (SELECT value FROM json_each(${JSON.stringify(among)})) AND ${IS_HERE}
          ORDER BY id LIMIT ${MAX_AMONG}`),
      ],
      read: ([found]) => {
        const all = TENANT.all(found)
        return { items: all.filter(isNamed), isComplete: all.length < MAX_AMONG }
      },
    }
  }
  return {
    statements: [
      TENANT.where(sql`id BETWEEN ${id} AND ${`${id}~`} AND ${IS_HERE} ORDER BY id LIMIT ${size + 1}`),
      TENANT.where(sql`name_words IS NULL AND ${IS_HERE} ORDER BY id LIMIT ${MAX_WITHOUT_WORDS}`),
      TENANT.where(sql`${IS_HERE} ORDER BY id LIMIT ${SEARCHED_NAMES}`),
      ...lookedUp.map((word) =>
        statement(sql`SELECT ${TENANT.columns} FROM (SELECT tenant_id FROM tenant_words
          WHERE word >= ${word} AND word < ${word + LAST_CHARACTER} ORDER BY word, tenant_id LIMIT ${share}) AS w
          CROSS JOIN tenants ON tenants.id = w.tenant_id`),
      ),
    ],
    read([byId, without, first, ...byWord]) {
      const [begun, missing, all] = [TENANT.all(byId), TENANT.all(without), TENANT.all(first)]
      const ranges = byWord.map((result) => TENANT.all(result))
      const named = ranges.flat().filter(({ state }) => state !== 'arriving' && state !== 'moved')
      // If one of the ranges has ended, every tenant with all of the words is in it.
      const isFound = ranges.some(({ length }) => length < share) && missing.length < MAX_WITHOUT_WORDS
      return {
        items: sorted([...begun.slice(0, size), ...[...named, ...missing, ...all].filter(isNamed)]),
        isComplete: all.length < SEARCHED_NAMES || (isFound && begun.length <= size),
      }
    },
  }
}

function isAmong(ids: readonly string[] | undefined): SQL {
  return ids === undefined
    ? sql.raw('')
    : sql` AND id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`
}

/**
 * The tenant that the dashboard opens first: "default", or else the first one.
 *
 * @param among as for `tenantPageQuery`
 * @returns undefined without tenants
 */
export function firstTenantQuery(among?: readonly string[] | undefined): Query<string | undefined> {
  return {
    statements: [
      TENANT_ID.where(sql`id = 'default'${isAmong(among)}`),
      TENANT_ID.where(sql`true${isAmong(among)} ORDER BY id LIMIT 1`),
    ],
    read: ([usual, first]) => (TENANT_ID.first(usual) ?? TENANT_ID.first(first))?.id,
  }
}
