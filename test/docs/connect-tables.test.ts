/**
 * The mappings are written down three times: in the guides of the dashboard, in docs/connect/entra.md, and in the emulator,
 * which shares nothing with the server. They must agree.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ENTRA_CUSTOM, ENTRA_GALLERY } from '../../src/admin/pages/connect/entra.ts'
import type { MappingRow } from '../../src/admin/pages/connect/guide.ts'
import { GUIDES } from '../../src/admin/pages/connect/guides.ts'
import { PRESETS } from '../../src/entra/check/presets.ts'
import {
  type AttributeMapping,
  DEFAULT_GROUP_MAPPINGS,
  DEFAULT_USER_MAPPINGS,
} from '../../src/entra/mappings/attribute-mapping.ts'
import { GOOGLE } from '../../src/entra/providers/google.ts'
import { JUMPCLOUD } from '../../src/entra/providers/jumpcloud.ts'
import { OKTA } from '../../src/entra/providers/okta.ts'
import { ONELOGIN } from '../../src/entra/providers/onelogin.ts'
import { ROOT } from './blocks.ts'

/** What the guide calls a source that depends on the tenant, or that has two names. */
const NAMES: Readonly<Record<string, string>> = {
  originalUserPrincipalName: 'userPrincipalName',
  objectGUID: 'extension_…_objectGUID',
}

const rowsOf = (mappings: readonly AttributeMapping[]) =>
  mappings.map(({ target, source, matching }) => [target, NAMES[source] ?? source, matching === 1])

const rowsIn = (rows: readonly MappingRow[]) =>
  rows.map(({ target, source, isMatching = false }) => [target, source, isMatching])

const sorted = (rows: readonly unknown[][]) => rows.map((row) => JSON.stringify(row)).toSorted()

describe('the mappings of a guide', () => {
  it('of the gallery application are those that the emulator sends', () => {
    expect(sorted(rowsIn(ENTRA_GALLERY.users))).toEqual(sorted(rowsOf(DEFAULT_USER_MAPPINGS)))
    expect(sorted(rowsIn(ENTRA_GALLERY.groups ?? []))).toEqual(sorted(rowsOf(DEFAULT_GROUP_MAPPINGS)))
  })

  it('of a custom application are among those that the emulator sends', () => {
    const { users, groups } = PRESETS['entra-custom']
    expect(sorted(rowsOf(users))).toEqual(expect.arrayContaining(sorted(rowsIn(ENTRA_CUSTOM.users))))
    expect(sorted(rowsIn(ENTRA_CUSTOM.groups ?? []))).toEqual(sorted(rowsOf(groups)))
  })

  it.for([
    ['okta', OKTA],
    ['onelogin', ONELOGIN],
    ['jumpcloud', JUMPCLOUD],
    ['google', GOOGLE],
  ] as const)('of %s have the attributes that the emulator sends', ([id, profile]) => {
    const guide = GUIDES.find((one) => one.id === id)
    const shown = new Set(guide?.users.map(({ target }) => target))
    // What the guides leave out is sent by no table of the provider's documents.
    const sent = profile.users.attributeMappings.map(({ target }) => target)
    const missing = sent.filter((target) => !shown.has(target))
    expect([id, missing.filter((target) => !ADDED_BY_EMULATOR.has(target))]).toEqual([id, []])
    expect([id, guide?.groups === undefined]).toEqual([id, profile.groups === undefined])
  })
})

/** Attributes that only the emulator maps, because its directory file has them. */
const ADDED_BY_EMULATOR: ReadonlySet<string> = new Set([
  'locale',
  'active',
  'externalId',
  'name.formatted',
  'displayName',
])

describe('docs/connect/entra.md', () => {
  it('has the tables of the guide', () => {
    const text = readFileSync(join(ROOT, 'docs/connect/entra.md'), 'utf8')
    const rows = [...text.matchAll(/^\| `([^`]+)` \| (.*?) \| (✓)? ?\|$/gm)]
    const found = rows.map(([, target, source = '', mark]) => [
      target,
      /^`([^`]+)`/.exec(source)?.[1] ?? 'extension_…_objectGUID',
      mark !== undefined,
    ])
    expect(sorted(found)).toEqual(
      sorted([...rowsIn(ENTRA_GALLERY.users), ...rowsIn(ENTRA_GALLERY.groups ?? [])]),
    )
  })
})

describe('the document of each provider', () => {
  it.for(GUIDES.filter(({ id }) => id !== 'other').map(({ id }) => id))('%s leads to its guide', (id) => {
    const text = readFileSync(join(ROOT, `docs/connect/${id}.md`), 'utf8')
    expect(text).toContain('*Connect*')
  })
})
