/**
 * Plain selects, typed by drizzle's tables: the columns of a SELECT, each under the name of its field, and its rows
 * as values. Filters, joins and sort orders stay SQL.
 */
import { getTableColumns, getTableName, type InferSelectModel, type SQL, sql } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { type Row, type Statement, type StatementResult, statement } from '../database/database.ts'

/** Columns to select, and the type of their rows. */
export interface Selection<Value> {
  /** Such as `id, created_at AS createdAt`. */
  readonly columns: SQL
  /**
   * SELECT of the columns from the table.
   *
   * @param condition may end with ORDER BY and LIMIT
   */
  where(condition: SQL): Statement
  /** @param row of a SELECT of `columns`; other columns are left out */
  fromRow(row: Row): Value
  all(result: StatementResult | undefined): readonly Value[]
  /** @returns undefined when there is no row */
  first(result: StatementResult | undefined): Value | undefined
}

/** SQL expressions by the name of their field, each with its type: `sql<number | null>`. */
type Expressions = Readonly<Record<string, SQL>>

type Selected<
  Table extends SQLiteTable,
  Name extends keyof InferSelectModel<Table>,
  Computed extends Expressions,
> = Readonly<
  Pick<InferSelectModel<Table>, Name> & {
    [Key in keyof Computed]: Computed[Key] extends SQL<infer Value> ? Value : never
  }
>

/**
 * Selects fields of a table.
 *
 * @param computed fields that are SQL expressions
 * @param alias of the table in the FROM clause; required in a join
 */
export function selection<
  Table extends SQLiteTable,
  Name extends keyof InferSelectModel<Table> & string,
  Computed extends Expressions = Record<never, never>,
>(
  table: Table,
  names: readonly Name[],
  { computed, alias }: { readonly computed?: Computed; readonly alias?: string } = {},
): Selection<Selected<Table, Name, Computed>> {
  type Value = Selected<Table, Name, Computed>
  const fields = getTableColumns(table)
  const stored = names.flatMap((name) => {
    const column = fields[name]
    return column === undefined ? [] : [[name, column] as const]
  })
  const expressions = Object.entries(computed ?? {})
  const columns = sql.join(
    [
      ...(stored.length > 0
        ? [sql.raw(stored.map(([name, column]) => columnAs(column.name, name, alias)).join(', '))]
        : []),
      ...expressions.map(([name, expression]) => sql`${expression} AS ${sql.raw(name)}`),
    ],
    sql.raw(', '),
  )
  const fromRow = (row: Row): Value => {
    const value: Record<string, unknown> = {}
    for (const [name, column] of stored) {
      const found = row[name] ?? null
      value[name] = found === null ? null : column.mapFromDriverValue(found)
    }
    for (const [name] of expressions) value[name] = row[name] ?? null
    return value as Value
  }
  const from = sql.raw(alias === undefined ? getTableName(table) : `${getTableName(table)} AS ${alias}`)
  return {
    columns,
    where: (condition) => statement(sql`SELECT ${columns} FROM ${from} WHERE ${condition}`),
    fromRow,
    all: (result) => (result?.rows ?? []).map(fromRow),
    first: (result) => result?.rows[0] && fromRow(result.rows[0]),
  }
}

function columnAs(column: string, name: string, alias: string | undefined): string {
  if (alias !== undefined) return `${alias}.${column} AS ${name}`
  return column === name ? column : `${column} AS ${name}`
}
