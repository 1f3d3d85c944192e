/**
 * The pages of the site: which Markdown file of the repository is which page, and their order in the sidebar.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/**
 * Files outside of docs/ that are pages. They stay where people, or tests, look for them.
 *
 * @type {Readonly<Record<string, string>>}
 */
const ELSEWHERE = {
  'README.md': 'index.md',
  'CHANGELOG.md': 'changes.md',
  'SECURITY.md': 'operate/security.md',
  'src/entra/README.md': 'emulator/reference.md',
  'src/entra/check/README.md': 'emulator/check.md',
  'src/entra/gallery/README.md': 'emulator/gallery.md',
  'src/entra/providers/README.md': 'emulator/providers.md',
  'test/conformance/README.md': 'protocol/conformance.md',
}

/** Markdown files that are not pages, as patterns. */
export const IGNORED = [
  '{coverage,container,data,dist,migrations,trial}/**',
  'src/!(entra)/**',
  'src/entra/!(check|gallery|providers|README.md)/**',
  'test/!(conformance)/**',
]

/** The parts of the sidebar. Pages that are not in ORDER follow in the order of their names. */
export const SECTIONS = [
  { title: 'Start', folder: '' },
  { title: 'Connect', folder: 'connect' },
  { title: 'Operate', folder: 'operate' },
  { title: 'Consume', folder: 'consume' },
  { title: 'Protocol', folder: 'protocol' },
  { title: 'API', folder: 'api' },
  { title: 'Emulator', folder: 'emulator' },
]
const ORDER = [
  'index.md',
  'connect/entra.md',
  'connect/entra-custom.md',
  'connect/okta.md',
  'connect/onelogin.md',
  'connect/jumpcloud.md',
  'connect/google.md',
  'connect/others.md',
  'connect/oauth.md',
  'operate/deploy.md',
  'operate/cloudflare.md',
  'operate/self-hosting.md',
  'operate/package.md',
  'operate/dashboard.md',
  'operate/settings.md',
  'operate/administrators.md',
  'operate/operation.md',
  'operate/backup.md',
  'operate/history.md',
  'operate/sources.md',
  'operate/guard.md',
  'operate/drift.md',
  'operate/metrics.md',
  'operate/litestream.md',
  'operate/growth.md',
  'operate/read-replicas.md',
  'operate/security.md',
  'protocol/index.md',
  'emulator/index.md',
]

/**
 * The path of a page in the site, such as "operate/growth.md".
 *
 * @param {string} file relative to the root of the repository
 */
export function siteFile(file) {
  return ELSEWHERE[file] ?? file.replace(/^docs\//, '')
}

/**
 * True if a file is a page of the site.
 *
 * @param {string} file relative to the root of the repository
 */
export function isPage(file) {
  if (!file.endsWith('.md') || !existsSync(join(ROOT, file))) return false
  return file.startsWith('docs/') || Object.hasOwn(ELSEWHERE, file)
}

/** The files of all pages. */
export function pageFiles() {
  const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map(
    (name) => `docs/${name}`,
  )
  return [...inDocs.filter(isPage), ...Object.keys(ELSEWHERE)]
}

/**
 * The entries of a part of the sidebar: the pages in its folder, with their headings as texts.
 *
 * @param {string} folder of the site, '' for its root
 */
export function sectionItems(folder) {
  const pages = pageFiles().map((file) => ({ file, page: siteFile(file) }))
  return pages
    .filter(({ page }) => folderOf(page) === folder)
    .sort((a, b) => rank(a.page) - rank(b.page) || a.page.localeCompare(b.page))
    .map(({ file, page }) => ({ text: headingOf(file), link: `/${page.replace(/\.md$/, '')}` }))
}

/** @param {string} page */
function folderOf(page) {
  return page.includes('/') ? page.slice(0, page.lastIndexOf('/')) : ''
}

/** @param {string} page */
function rank(page) {
  const at = ORDER.indexOf(page)
  return at === -1 ? ORDER.length : at
}

/** @param {string} file */
function headingOf(file) {
  const [, heading = file] = /^# (.+)$/m.exec(readFileSync(join(ROOT, file), 'utf8')) ?? []
  return heading.replaceAll('`', '')
}
