/** The tables in docs/operate/growth.md equal the computed ones and describe the measurement. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { costTables, dollarsOfMonth, type Measured, usageOfMonth } from '../bench/cost/model.ts'

const ROOT = join(import.meta.dirname, '../..')
const measured: Measured = JSON.parse(readFileSync(join(ROOT, 'test/bench/cost/measured.json'), 'utf8'))

describe('docs/operate/growth.md', () => {
  const page = readFileSync(join(ROOT, 'docs/operate/growth.md'), 'utf8')
  // Left out of docs/operate/growth.md for its length; `npm run bench -- scale` prints it.
  const tables = costTables(measured).filter(({ title }) => title !== 'Rows of each request')

  it.each(tables)('has the computed table "$title"', ({ table }) => {
    expect(page).toContain(table)
  })
})

describe('a month', () => {
  const nothing = {
    user: 0,
    membership: 0,
    logOfInitialCycle: 0,
    logEntry: 0,
    eventsOfInitialCycle: 0,
    event: 0,
    tombstone: 0,
  }

  it('of an empty directory costs the price of the plan and has only the requests of the cycles', () => {
    const usage = usageOfMonth(measured, 0)
    expect(usage['Workers requests']).toBe(2 * 36 * 30)
    expect(dollarsOfMonth(usage)).toBe(5)
  })

  it('is charged for usage beyond the plan', () => {
    const usage = { ...usageOfMonth({ ...measured, bytes: nothing }, 0), 'Workers requests': 12_000_000 }
    expect(dollarsOfMonth(usage)).toBeCloseTo(5 + 2 * 0.3)
    expect(dollarsOfMonth({ ...usage, 'D1 rows written': 51_000_000 })).toBeCloseTo(5 + 2 * 0.3 + 1)
  })
})
