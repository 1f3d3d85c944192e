/** The table of src/entra/gallery/README.md has the tests of the suite. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { GALLERY_TESTS } from '../../../src/entra/gallery/suite.ts'

it('lists every test with its requests, condition and unconfirmed details', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../../src/entra/gallery/README.md'), 'utf8')
  const rows = readme.split('\n').filter((line) => /^\| \d/.test(line))
  const expected = GALLERY_TESTS.map(({ name, category, requests, passes, notConfirmed = '' }, index) => {
    const cells = [
      index + 1,
      `\`${name}\``,
      category,
      requests.map((text) => `\`${text}\``).join(', '),
      passes,
    ]
    return `| ${[...cells, notConfirmed].join(' | ')} |`
  })
  expect(rows).toEqual(expected)
})
