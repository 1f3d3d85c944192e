/** README.md has a table of all limits: it says what the code holds to, no more and no less. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as limits from '../src/scim/limits.ts'

const README = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8')
/** `| name in words | CONSTANT | value with unit | what is answered |` */
const ROW =
  /^\| (?<words>[^|]+) \| `(?<name>[A-Z_]+)` \| (?<value>[\d,]+) (?<unit>[^|]+) \| (?<answer>[^|]+) \|$/gm

const rows = [...README.matchAll(ROW)].map(({ groups = {} }) => groups)

describe('the table of limits in README.md', () => {
  it('has a row for each limit, in the order of limits.ts or another, and none besides', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(limits).sort())
  })

  it.for(Object.entries(limits))('has the value and the unit of %s', ([name, value]) => {
    const row = rows.find((candidate) => candidate.name === name)
    expect(Number(row?.value?.replaceAll(',', ''))).toBe(value)
    const unit = /(?:BYTES|CHARACTERS|MILLISECONDS|SECONDS)$/.exec(name)?.[0]
    if (unit !== undefined) expect(row?.unit).toBe(unit.toLowerCase())
  })
})
