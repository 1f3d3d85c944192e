/**
 * Cells of CSV files, of the dashboard and of the emulator: no spreadsheet takes one for a formula, whatever it
 * separates cells by, and the value can be had back.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvCell } from '../src/csv-cell.ts'

const RUNS = { numRuns: 2_000, seed: 4180 }

describe('a CSV cell', () => {
  it.for<[text: string, cell: string]>([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['\rx', `"'\rx"`],
    ['\nx', `"'\nx"`],
    ['\t=1', "'\t'=1"],
    ['a;=1+1;b', `"a;'=1+1;b"`],
    ['a; -1', `"a; '-1"`],
    ['a;"=1"', `"a;""'=1"""`],
    ['a|=1', "a|'=1"],
    ['a\t=1', "a\t'=1"],
    ['a\n=1', `"a\n'=1"`],
    [' =1', " '=1"],
    ['\u00a0=1', "\u00a0'=1"],
    ['\ufeff=1', "\ufeff'=1"],
    ['\u200b=1', "\u200b'=1"],
    ['\u0000=1', "\u0000'=1"],
    ['＝1', "'＝1"],
    ['＋1', "'＋1"],
    ['－1', "'－1"],
    ['＠1', "'＠1"],
    ['−1', "'−1"],
    ["'=1", "''=1"],
    ['a=1', 'a=1'],
    ['a,=1', '"a,=1"'],
    ["O'Brien; Ada", `"O'Brien; Ada"`],
    ['+', "'+"],
    ['', ''],
  ])('of %j is %j', ([text, cell]) => {
    expect(csvCell(text)).toBe(cell)
  })

  it('begins no formula, by whatever cells are separated', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        for (const separator of [';', '\t', '|', /[\r\n]/]) {
          const cells = csvCell(text).split(separator)
          // What is dropped or made narrow on the way.
          const seen = cells.map((cell) => cell.replace(/^[\s\p{Cc}\p{Cf}"]+/u, '').normalize('NFKC'))
          expect(seen.filter((cell) => /^[=+\-@]/.test(cell))).toEqual([])
        }
      }),
      RUNS,
    )
  })

  it('gives its value back', () => {
    fc.assert(
      fc.property(hostileText, (text) => readCell(csvCell(text)) === text),
      RUNS,
    )
  })
})

const hostileText = fc
  .array(fc.constantFrom(...'=+-@＝−\'";,|\t\r\n \ufeff\u200bab'), { maxLength: 12 })
  .map((parts) => parts.join(''))

/** RFC 4180, then one apostrophe less where README.md says so. */
function readCell(cell: string): string {
  const text = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
  const unmarked = /^'+[\t\r\n]/.test(text) ? text.slice(1) : text
  const operator = '[=+\\-@＝−]'
  const beginning = `((?:^|[;|\\t\\r\\n])(?:(?![\\t\\r\\n])[\\s\\p{Cc}\\p{Cf}"])*)`
  return unmarked.replace(new RegExp(`${beginning}'(?='*${operator})`, 'gu'), '$1')
}
