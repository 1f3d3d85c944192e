/**
 * The style sheet, the script and the icon, served by the Worker itself. Their paths contain a hash of their content, so
 * browsers may cache them for a year.
 */
import type { AdminContext } from '../env.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" fill="#0b5fcc"/><g fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"><circle cx="9" cy="9" r="3"/><path d="M4 18.5c0-3 2.2-5 5-5s5 2 5 5M14 8h6M16 12h4M18 16h2"/></g></svg>`

const ASSETS = {
  style: { name: 'dashboard', extension: 'css', type: 'text/css; charset=utf-8', text: STYLE },
  script: { name: 'dashboard', extension: 'js', type: 'text/javascript; charset=utf-8', text: SCRIPT },
  icon: { name: 'icon', extension: 'svg', type: 'image/svg+xml', text: ICON },
} as const

type AssetPaths = Readonly<Record<keyof typeof ASSETS, string>>

let paths: AssetPaths | undefined

/** The paths of the assets of this version. Computed for the first page, not at the start of the Worker. */
export function assetPaths(): AssetPaths {
  paths ??= {
    style: pathOf(ASSETS.style),
    script: pathOf(ASSETS.script),
    icon: pathOf(ASSETS.icon),
  }
  return paths
}

/** Serves an asset. A page of another version gets the present asset, without caching. */
export function serveAsset(c: AdminContext): Response {
  const file = c.req.param('file') ?? ''
  const asset = Object.values(ASSETS).find(({ name, extension }) =>
    new RegExp(`^${name}-[0-9a-f]{16}\\.${extension}$`).test(file),
  )
  if (asset === undefined) return c.text('there is no such file', 404)
  const isPresent = pathOf(asset).endsWith(`/${file}`)
  return c.body(asset.text, 200, {
    'Content-Type': asset.type,
    'Cache-Control': isPresent ? 'public, max-age=31536000, immutable' : 'no-store',
  })
}

function pathOf({ name, extension, text }: { name: string; extension: string; text: string }): string {
  return `/admin/assets/${name}-${contentHash(text)}.${extension}`
}

/** FNV-1a in two lanes. The hash only has to change with the content. */
function contentHash(text: string): string {
  let a = 0x811c9dc5
  let b = 0x01000193
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b)
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('')
}
