/**
 * Links between the pages. In the files they are relative, so that they work in the repository. In the site, a link to a page leads to its
 * path there, and a link to any other file is its text alone.
 */
import { posix, relative, sep } from 'node:path'
import { isPage, ROOT, siteFile } from './pages.mjs'

/**
 * The anchor of a heading, as GitHub derives it.
 *
 * @param {string} heading
 */
export function githubSlug(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

/**
 * A rule of markdown-it.
 *
 * @param {import('markdown-it').StateCore} state
 */
export function followLinks({ tokens, env }) {
  const file = relative(ROOT, env.realPath ?? env.path).replaceAll(sep, '/')
  for (const { children } of tokens) followLinksOf(children ?? [], file)
}

/**
 * @param {import('markdown-it').Token[]} tokens of one paragraph
 * @param {string} file that they are in
 */
function followLinksOf(tokens, file) {
  let isText = false
  for (const token of tokens) {
    if (token.type === 'link_close' && isText) makeEmpty(token)
    if (token.type !== 'link_open') continue
    const href = token.attrGet('href') ?? ''
    const to = siteLink(href, file)
    isText = to === undefined
    if (to === undefined) makeEmpty(token)
    else token.attrSet('href', to)
  }
}

/**
 * @param {string} href
 * @param {string} file
 * @returns {string | undefined} undefined for a file that is not a page
 */
function siteLink(href, file) {
  if (/^[a-z]+:/.test(href) || href.startsWith('#')) return href
  const [path = '', anchor] = href.split('#')
  const target = posix.normalize(posix.join(posix.dirname(file), path))
  if (!isPage(target)) return undefined
  return `/${siteFile(target)}${anchor === undefined ? '' : `#${anchor}`}`
}

/** @param {import('markdown-it').Token} token */
function makeEmpty(token) {
  token.type = 'html_inline'
  token.content = ''
  token.nesting = 0
}
