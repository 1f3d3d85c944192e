/**
 * Files that contain a secret: .dev.vars and settings.env.
 */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { addPrivateLine } from '../../src/private-file.mjs'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scim-private-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const modeOf = (file: string) => statSync(file).mode & 0o777

it.for([
  ['nothing', undefined, 'SECRET=1\n'],
  ['an empty file', '', 'SECRET=1\n'],
  ['a file', 'A=1\n# kept\n', 'A=1\n# kept\nSECRET=1\n'],
  ['a file without a line end', 'A=1', 'A=1\nSECRET=1\n'],
] as const)('adds a line to %s and makes it readable by its owner only', ([, present, text]) => {
  const file = join(folder, '.dev.vars')
  if (present !== undefined) writeFileSync(file, present)
  if (present !== undefined) chmodSync(file, 0o644)
  addPrivateLine(file, 'SECRET=1')
  expect([readFileSync(file, 'utf8'), modeOf(file)]).toEqual([text, 0o600])
  expect(readdirSync(folder)).toEqual(['.dev.vars'])
})

it('keeps the file unchanged if the new one cannot be written', () => {
  const file = join(folder, 'settings.env')
  writeFileSync(file, 'A=1\n')
  mkdirSync(`${file}.${process.pid}.unfinished`)
  expect(() => addPrivateLine(file, 'SECRET=1')).toThrow()
  expect(readFileSync(file, 'utf8')).toBe('A=1\n')
})
