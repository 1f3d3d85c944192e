/** The table in docs/protocol/limits.md has all limits of the code, with their values and units. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as limits from '../src/scim/limits.ts'

const PAGE = readFileSync(join(import.meta.dirname, '..', 'docs', 'protocol', 'limits.md'), 'utf8')
/** `| limit | CONSTANT | value with unit | answer beyond it |` */
const ROW =
  /^\| (?<words>[^|]+) \| `(?<name>[A-Z_]+)` \| (?<value>[\d,]+) (?<unit>[^|]+) \| (?<answer>[^|]+) \|$/gm

const rows = [...PAGE.matchAll(ROW)].map(({ groups = {} }) => groups)

describe('the table of docs/protocol/limits.md', () => {
  it('has a row for each limit, in any order, and no others', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(limits).sort())
  })

  it.for(Object.entries(limits))('has the value and the unit of %s', ([name, value]) => {
    const row = rows.find((candidate) => candidate.name === name)
    expect(Number(row?.value?.replaceAll(',', ''))).toBe(value)
    const unit = /(?:BYTES|CHARACTERS|MILLISECONDS|SECONDS)$/.exec(name)?.[0]
    if (unit !== undefined) expect(row?.unit).toBe(unit.toLowerCase())
  })
})
