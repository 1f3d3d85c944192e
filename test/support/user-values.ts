/** Compares the table of values of users, which triggers keep, with the documents of the users. */
import { env } from 'cloudflare:workers'
import { ENTERPRISE } from './urns.ts'

/** The rows that differ, each as "attribute value user", the value in hexadecimal. */
export interface DifferingValues {
  readonly missing: readonly string[]
  /** Also those of users that are gone. */
  readonly left: readonly string[]
}

export const NO_DIFFERENCE: DifferingValues = { missing: [], left: [] }

/** The differences of a tenant, whatever was written and in which way. */
export async function differingValues(
  tenantId: string,
  database: D1Database = env.DB,
): Promise<DifferingValues> {
  const [stored, users] = await database.batch<Record<string, string | number>>([
    database
      .prepare('SELECT attribute, hex(value) AS value, user_id FROM user_values WHERE tenant_id = ?1')
      .bind(tenantId),
    database.prepare('SELECT id, keys, created_at FROM users WHERE tenant_id = ?1').bind(tenantId),
  ])
  const rows = new Set(stored?.results.map((row) => [row.attribute, row.value, row.user_id].join(' ')))
  const wanted = new Set(
    users?.results.flatMap(({ id, keys, created_at }) =>
      valuesOf(String(id), JSON.parse(String(keys)), Number(created_at)).map(([attribute, value]) =>
        [attribute, hexOf(value), id].join(' '),
      ),
    ),
  )
  return {
    missing: [...wanted].filter((row) => !rows.has(row)),
    left: [...rows].filter((row) => !wanted.has(row)),
  }
}

interface Keys {
  readonly emails?: readonly { readonly value?: string }[]
  readonly phoneNumbers?: readonly { readonly value?: string }[]
  readonly name?: { readonly familyName?: string; readonly givenName?: string }
  readonly [ENTERPRISE]?: { readonly employeeNumber?: string }
  readonly active?: boolean
}

function valuesOf(id: string, keys: Keys, createdAt: number): readonly (readonly [number, string])[] {
  const values = [
    keys.emails?.map(({ value }) => value) ?? [],
    keys.phoneNumbers?.map(({ value }) => value) ?? [],
    [keys.name?.familyName],
    [keys.name?.givenName],
    [keys[ENTERPRISE]?.employeeNumber],
    keys.active === false ? ['0'] : [],
    isNear(id, createdAt) ? [] : [''],
  ]
  return values.flatMap((some, i) =>
    some.flatMap((value) => (value === undefined ? [] : [[i + 1, value] as const])),
  )
}

/** True if the id begins with the time, give or take a minute. */
function isNear(id: string, time: number): boolean {
  return id >= idAt(Math.max(time - 60_000, 0)) && id < idAt(time + 60_001)
}

function idAt(time: number): string {
  const hex = time.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}

/** The first 256 bytes. */
function hexOf(value: string): string {
  return Buffer.from(value).subarray(0, 256).toString('hex').toUpperCase()
}
