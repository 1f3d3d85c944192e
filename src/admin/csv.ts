/**
 * Rows as CSV (RFC 4180). The file is written while the rows are read, so a file of any length needs little memory.
 */
import { csvCell } from '../csv-cell.ts'

/** The text of each column of a row, by the name of the column. */
export type CsvColumns<Row> = Readonly<Record<string, (row: Row) => string>>

/** A header line, and a line for each row. */
export async function* csvOf<Row>(
  columns: CsvColumns<Row>,
  rows: AsyncIterable<readonly Row[]>,
): AsyncGenerator<string, void, undefined> {
  const texts = Object.values(columns)
  yield `${Object.keys(columns).join(',')}\r\n`
  for await (const some of rows) {
    yield some.map((row) => `${texts.map((text) => csvCell(text(row))).join(',')}\r\n`).join('')
  }
}
