/** The page of `check`: its tables are the checks and the presets. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CHECKS } from '../../src/entra/check/checks/checks.ts'
import { PRESETS } from '../../src/entra/check/presets.ts'

const README = readFileSync(join(import.meta.dirname, '../../src/entra/check/README.md'), 'utf8')

/** The cells of the table below a heading. */
function rowsBelow(heading: string): string[][] {
  const section = README.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) => line.slice(2, -2).split(' | '))
}

describe('the page of check', () => {
  it('has a row for each check, in their order', () => {
    const expected = CHECKS.map(({ name, what, why, source }) => [`\`${name}\``, what, why, source])
    expect(rowsBelow('What it checks')).toEqual(expected)
  })

  it('has a row for each preset', () => {
    const presets = rowsBelow('Mappings').filter(([option = '']) => option.startsWith('`--preset'))
    expect(presets).toEqual(
      Object.entries(PRESETS).map(([name, { meaning }]) => [`\`--preset ${name}\``, meaning]),
    )
  })

  it('names each check once', () => {
    expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length)
  })
})
