/**
 * Prepared statements that differ only in the name of the resource table.
 */
import type { SQLWrapper } from 'drizzle-orm'
import { prepared, type Slots, type SqlValue, type Statement } from '../database/database.ts'
import type { ResourceTable } from './resource-tables.ts'

/** Like `prepared`, with one text for each table. The extensions of a tenant do not affect it. */
export function preparedByTable<Name extends string>(
  build: (table: ResourceTable, slots: Slots<Name>) => SQLWrapper,
): (table: ResourceTable, values: Readonly<Record<Name, SqlValue>>) => Statement {
  const statements = new Map<string, (values: Readonly<Record<Name, SqlValue>>) => Statement>()
  return (table, values) => {
    let statement = statements.get(table.name)
    if (statement === undefined) {
      statement = prepared<Name>((slots) => build(table, slots))
      statements.set(table.name, statement)
    }
    return statement(values)
  }
}
