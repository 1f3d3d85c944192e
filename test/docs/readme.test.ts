/** README.md is short, and leads to every page of the site. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { pageFiles, SECTIONS, sectionItems, siteFile } from '../../docs/.vitepress/pages.mjs'
import { ROOT } from './blocks.ts'

const MAX_WORDS = 900

const text = readFileSync(join(ROOT, 'README.md'), 'utf8')

it('README.md has fewer than 900 words', () => {
  expect(text.trim().split(/\s+/).length).toBeLessThan(MAX_WORDS)
})

it('the sidebar of the site has every page once', () => {
  const links = SECTIONS.flatMap(({ folder }) => sectionItems(folder)).map(({ link }) => link)
  const expected = pageFiles().map((file) => `/${siteFile(file).replace(/\.md$/, '')}`)
  expect(links.toSorted()).toEqual(expected.toSorted())
})
