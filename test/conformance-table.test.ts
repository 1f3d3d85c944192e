/**
 * The table of requirements in test/conformance/README.md against the tests: it names none that is not
 * there, and leaves none out.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const FOLDER = join(import.meta.dirname, 'conformance')

/** `file › title` of every test: the titles are those texts that end with their section. */
function testsInFolder(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => {
      const source = readFileSync(join(FOLDER, file), 'utf8')
      const titles = [...source.matchAll(/'([^'\n]+ \(§[^)\n]*\))'/g)].map(([, title]) => title)
      return titles.map((title) => `${file.replace('.test.ts', '')} › ${title}`)
    })
}

/** Titles of tests that do not end with a section: the table could not name them. */
function untitledTests(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => [
      ...readFileSync(join(FOLDER, file), 'utf8').matchAll(/\bit\('((?:(?!\(§)[^'\n])+)'/g),
    ])
    .map(([, title]) => title ?? '')
}

const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8')
const rows = readme.split('\n').filter((line) => /^\| §\d/.test(line))
const named = rows.flatMap((row) => [...row.matchAll(/`([^`]+ › [^`]+)`/g)].map(([, test = '']) => test))

describe('the table of test/conformance/README.md', () => {
  it('names only tests that are there', () => {
    const there = new Set(testsInFolder())
    expect(named.filter((test) => !there.has(test))).toEqual([])
  })

  it('names every test', () => {
    const inTable = new Set(named)
    expect(testsInFolder().filter((test) => !inTable.has(test))).toEqual([])
    expect(untitledTests()).toEqual([])
  })

  it('says of every requirement whether it is kept, and shows a test or a reason', () => {
    expect(rows.length).toBeGreaterThan(150)
    for (const row of rows) {
      const [, section, level, requirement, kept, tests] = row.split(/(?<!\\)\|/).map((cell) => cell.trim())
      expect(section, row).toMatch(/^§\d/)
      expect(level, row).toMatch(/^(—|(MUST|SHALL|SHOULD|REQUIRED|RECOMMENDED)( NOT)?(, |$))/)
      expect([requirement, kept], row).not.toContain('')
      if (tests === '') expect(kept, row).not.toBe('yes')
    }
  })
})
