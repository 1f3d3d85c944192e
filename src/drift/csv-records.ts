/** Reads CSV (RFC 4180) piece by piece, so that memory holds one record. Pure. */
import { DriftError } from './drift-error.ts'

export interface CsvRecord {
  /** The line of its first character, from 1. */
  readonly line: number
  readonly cells: readonly string[]
}

/** The most characters in a record. */
export const MAX_RECORD_CHARACTERS = 20_000

/**
 * The records of a file, without empty lines. The separator is the comma or the semicolon, whichever is more frequent in
 * the first line.
 *
 * @throws {DriftError} a record is too long, or a quote is not closed
 */
export async function* csvRecords(text: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  let [record, line, separator] = ['', 1, '']
  for await (const piece of text) {
    let from = 0
    for (;;) {
      const end = piece.indexOf('\n', from)
      record += piece.slice(from, end === -1 ? undefined : end + 1)
      if (record.length > MAX_RECORD_CHARACTERS) throw tooLong(line, record)
      if (end === -1) break
      from = end + 1
      // A line break inside of quotes belongs to the cell.
      if (quotesIn(record) % 2 === 1) continue
      separator ||= separatorOf(record)
      if (record.trim() !== '') yield { line, cells: cellsOf(record.trimEnd(), separator) }
      line += linesIn(record)
      record = ''
    }
  }
  if (quotesIn(record) % 2 === 1) throw cutShort(line)
  if (record.trim() !== '') yield { line, cells: cellsOf(record, separator || separatorOf(record)) }
}

function tooLong(line: number, record: string): DriftError {
  if (quotesIn(record) % 2 === 1) return new DriftError(`line ${line}: a quote is not closed`)
  return new DriftError(`line ${line} has more than ${MAX_RECORD_CHARACTERS} characters`)
}

function cutShort(line: number): DriftError {
  return new DriftError(`the file is cut short: in line ${line} a quote is not closed`)
}

function quotesIn(text: string): number {
  return text.split('"').length - 1
}

function linesIn(text: string): number {
  return text.split('\n').length - 1
}

function separatorOf(line: string): string {
  return line.split(';').length > line.split(',').length ? ';' : ','
}

function cellsOf(record: string, separator: string): readonly string[] {
  const cells: string[] = []
  let [cell, isQuoted] = ['', false]
  for (const part of record.split(/(")|([,;])/).filter((one) => one)) {
    if (part === '"') {
      isQuoted = !isQuoted
      cell += part
    } else if (part === separator && !isQuoted) {
      cells.push(unquoted(cell))
      cell = ''
    } else cell += part
  }
  return [...cells, unquoted(cell)]
}

function unquoted(cell: string): string {
  const inner = /^\s*"(.*)"\s*$/s.exec(cell)?.[1]
  return inner === undefined ? cell.trim() : inner.replaceAll('""', '"')
}
