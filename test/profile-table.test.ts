/**
 * The profiles, and the tables of docs/protocol/profiles.md that administrators read: each names every deviation.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DEVIATIONS, isProfileName, PROFILE_NAMES, PROFILES } from '../src/scim/profile.ts'

const ROOT = resolve(import.meta.dirname, '..')

describe('the profiles', () => {
  it('name every deviation: all hold in tolerant, none in strict', () => {
    for (const name of PROFILE_NAMES) {
      expect(PROFILES[name].name).toBe(name)
      expect(Object.keys(PROFILES[name].deviations)).toEqual([...DEVIATIONS])
    }
    expect(Object.values(PROFILES.tolerant.deviations).every((holds) => holds)).toBe(true)
    expect(Object.values(PROFILES.strict.deviations).some((holds) => holds)).toBe(false)
  })

  it('are known by their names alone', () => {
    expect(PROFILE_NAMES.every(isProfileName)).toBe(true)
    expect(['Strict', '', undefined, null, 'toString', ['strict']].some(isProfileName)).toBe(false)
  })
})

/** Deviation to its cells: what is accepted, who needs it, and one cell for each profile. */
const ROWS: ReadonlyMap<string, readonly string[]> = new Map(
  readFileSync(resolve(ROOT, 'docs/protocol/profiles.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, name = '', ...cells]) => [name.replaceAll('`', ''), cells.slice(0, -1)]),
)

describe('the tables of docs/protocol/profiles.md', () => {
  it('have a row for each deviation, in the order of the code', () => {
    expect([...ROWS.keys()]).toEqual([...DEVIATIONS])
  })

  it.for([...DEVIATIONS])('say where %s holds', (deviation) => {
    const [what, who, ...cells] = ROWS.get(deviation) ?? []
    expect(what).not.toBe('')
    expect(who).not.toBe('')
    const holds = cells.map((cell) => cell === '✓')
    expect(holds).toEqual(PROFILE_NAMES.map((name) => PROFILES[name].deviations[deviation]))
  })
})

describe('the functions of compatibility/', () => {
  const folder = resolve(ROOT, 'src/scim/compatibility')
  const sources = readdirSync(folder).map((file) => readFileSync(resolve(folder, file), 'utf8'))

  it.for([...DEVIATIONS])('explain %s, and ask for it', (deviation) => {
    expect(sources.some((text) => text.includes(`\`${deviation}\``))).toBe(true)
    expect(sources.some((text) => text.includes(`deviations.${deviation}`))).toBe(true)
  })

  it('are the only ones that ask for a deviation', () => {
    const asking = readdirSync(resolve(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file))
      .filter((file) =>
        /\.deviations\b|\{ deviations\b/.test(readFileSync(resolve(ROOT, 'src', file), 'utf8')),
      )
    const outside = asking.filter((file) => !file.startsWith('scim/compatibility/'))
    expect(outside).toEqual([])
  })
})
