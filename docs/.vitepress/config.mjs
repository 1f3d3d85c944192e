/**
 * The site of the documents. Its pages are the Markdown files of the repository, so that their links work in both places: pages.mjs says
 * which files, and under which paths.
 */
import { defineConfig } from 'vitepress'
import { followLinks, githubSlug } from './links.mjs'
import { openapiMarkdown } from './openapi.mjs'
import { IGNORED, SECTIONS, sectionItems, siteFile } from './pages.mjs'

/** docs/api/openapi.md has this line, where the site shows the document. */
const OPENAPI_MARKER = '<!-- The site shows the OpenAPI document here. -->'

const document = await openapiMarkdown()

export default defineConfig({
  title: 'scim-worker',
  description: 'A SCIM 2.0 directory and an emulator of Microsoft Entra provisioning',
  lang: 'en-GB',
  srcDir: '..',
  outDir: '../dist/docs',
  cacheDir: '../dist/.docs-cache',
  srcExclude: [...IGNORED],
  rewrites: siteFile,
  cleanUrls: false,
  markdown: {
    anchor: { slugify: githubSlug },
    config(md) {
      md.core.ruler.before('normalize', 'openapi', (state) => {
        state.src = state.src.replace(OPENAPI_MARKER, () => document)
      })
      md.core.ruler.push('follow-links', followLinks)
    },
  },
  themeConfig: {
    outline: [2, 3],
    search: { provider: 'local' },
    sidebar: SECTIONS.map(({ title, folder }) => ({ text: title, items: sectionItems(folder) })),
  },
})
