/** Reads a CSV file (RFC 4180) as a table. Errors name the file, line and column. */
import { CsvError, type Options, parse } from 'csv-parse/sync'
import type { TableRow } from '../../documents/csv-import.ts'
import { UsageError } from '../usage-error.ts'
import { readText } from './documents.ts'

/** Messages for common mistakes, by the parser's error code. Other errors show the parser's message. */
const MISTAKES: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'text follows a closing quote; a quote inside a quoted cell must be doubled',
  INVALID_OPENING_QUOTE: 'an unquoted cell contains a quote',
}

interface CsvRecord {
  readonly cells: readonly string[]
  readonly line: number
}

/**
 * Reads the rows of a CSV file. The first line contains the column names, which are case-insensitive; a remark in
 * brackets is removed. The separator is the comma or the semicolon, whichever is more frequent in the first line. A
 * byte order mark and empty lines are ignored.
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

/** Templates of the admin center write columns like `User name [userPrincipalName] Required`. */
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
    // Rows may be shorter or longer than the first line: some exports end lines with a separator.
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

/** Line numbers are counted here, because the parser counts CR LF inside quotes as two lines. */
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

/** The parser's error gives the end of the previous cell in `bytes` and the 0-based cell in `index`. */
function describeMistake(file: string, error: CsvError, bytes: Buffer, options: Options): string {
  const line = 1 + countLineEnds(bytes.subarray(0, Number(error.bytes)))
  const index = Number(error.index)
  const [header] = error.records === 0 ? [] : parse(bytes, { ...options, info: false, to: 1 })
  const name = header?.[index]?.trim() ?? ''
  const column = name === '' ? `column ${index + 1}` : `column ${index + 1} "${name}"`
  return `${file}:${line}: ${column}: ${MISTAKES[error.code] ?? error.message}`
}
