/**
 * Statements that are the same for every table of resources but for its name.
 */
import type { SQLWrapper } from 'drizzle-orm'
import { prepared, type Slots, type SqlValue, type Statement } from '../database/database.ts'
import type { ResourceTable } from './resource-tables.ts'

/** As prepared, with a text for each table, which is written once. What tenants add to a table is none of its parts. */
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
