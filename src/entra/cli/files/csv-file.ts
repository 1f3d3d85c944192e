/** Reads a CSV file (RFC 4180) as a table, and refuses one that is none with file, line and column. */
import { CsvError, type Options, parse } from 'csv-parse/sync'
import type { TableRow } from '../../documents/csv-import.ts'
import { UsageError } from '../usage-error.ts'
import { readText } from './documents.ts'

/** The parser's words for what people do wrong; of anything else its own message is shown. */
const MISTAKES: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and not closed',
  CSV_INVALID_CLOSING_QUOTE: 'text follows a closing quote; a quote inside of a quoted cell is doubled',
  INVALID_OPENING_QUOTE: 'a quote stands in the middle of a cell that is not quoted',
}

interface CsvRecord {
  readonly cells: readonly string[]
  readonly line: number
}

/**
 * The first line holds the columns, without regard to case, and a remark in brackets is dropped from them. Commas or
 * semicolons separate, whichever the first line has more of. A byte order mark and empty lines are skipped.
 * @throws {UsageError}
 */
export function readTable(file: string, what: string): TableRow[] {
  const [header, ...records] = readRecords(file, readText(file, what))
  const columns = header?.cells.map(foldColumn) ?? []
  return records.map(({ cells, line }) => ({
    line,
    cells: new Map(columns.map((column, index) => [column, cells[index] ?? ''])),
  }))
}

/** `User name [userPrincipalName] Required` is how templates of the admin center write a column. */
function foldColumn(cell: string): string {
  return cell
    .trim()
    .toLowerCase()
    .replace(/ \[.*\]$/, '')
}

function readRecords(file: string, text: string): CsvRecord[] {
  const bytes = Buffer.from(text)
  const options: Options = {
    delimiter: separatorOf(text),
    record_delimiter: ['\r\n', '\n'],
    // Rows may be shorter than the first line, and longer: exports end lines with a separator now and then.
    relax_column_count: true,
    info: true,
  }
  try {
    const parsed = parse(bytes, options) as unknown as { record: string[]; info: { bytes: number } }[]
    return withLines(parsed, bytes).filter(({ cells }) => cells.some((cell) => cell !== ''))
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new UsageError(describeMistake(file, error, bytes, options))
  }
}

function separatorOf(text: string): string {
  const firstLine = text.slice(0, text.indexOf('\n') + 1 || undefined)
  return firstLine.split(';').length > firstLine.split(',').length ? ';' : ','
}

/** The parser counts a line end inside of quotes twice when it is CR and LF, so lines are counted here. */
function withLines(
  parsed: readonly { record: string[]; info: { bytes: number } }[],
  bytes: Buffer,
): CsvRecord[] {
  let line = 1
  let start = 0
  return parsed.map(({ record, info }) => {
    const found = { cells: record, line }
    line += countLineEnds(bytes.subarray(start, info.bytes))
    start = info.bytes
    return found
  })
}

function countLineEnds(bytes: Buffer): number {
  let count = 0
  for (const byte of bytes) if (byte === 0x0a) count++
  return count
}

/** `bytes` of the parser's error is where the cell before ended; `index` counts cells from 0. */
function describeMistake(file: string, error: CsvError, bytes: Buffer, options: Options): string {
  const line = 1 + countLineEnds(bytes.subarray(0, Number(error.bytes)))
  const index = Number(error.index)
  const [header] = error.records === 0 ? [] : parse(bytes, { ...options, info: false, to: 1 })
  const name = header?.[index]?.trim() ?? ''
  const column = name === '' ? `column ${index + 1}` : `column ${index + 1} "${name}"`
  return `${file}:${line}: ${column}: ${MISTAKES[error.code] ?? error.message}`
}
