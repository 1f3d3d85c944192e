/**
 * The layout of every page: head, navigation, and the signed-in administrator.
 */
import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import { grantsText } from '../administrators/role.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import type { TenantSummary } from '../storage/tenants/queries.ts'
import { assetPaths } from './assets/assets.ts'
import {
  ADMINISTRATORS_PATH,
  AUDIT_PATH,
  LIMITS_PATH,
  TENANTS_PATH,
  tenantPaths,
} from './components/paths.ts'
import { permissionsOfPage, renderPermitted } from './components/permitted.tsx'
import { allOf } from './components/resource-names.ts'
import { TenantStateNotice } from './components/tenant-state.tsx'
import { isPermitted, type Permission } from './contract/permissions.ts'
import type { Administrator } from './env.ts'
import { visibleName, withMarks } from './hidden-characters.ts'

export type NavigationItem =
  | 'overview'
  | 'connect'
  | 'directory'
  | 'apiKeys'
  | 'sources'
  | 'webhooks'
  | 'log'
  | 'deleted'
  | 'undo'
  | 'schemas'
  | 'transfer'
  | 'settings'
  | 'tenants'
  | 'limits'
  | 'administrators'
  | 'audit'

/** The tenant of a page, and the types of its resources. */
export type PageTenant = TenantSummary & { readonly resourceTypes: readonly StoredResourceType[] }

export interface LayoutProps {
  readonly title: string
  /** Undefined on pages without sign-in. */
  readonly administrator: Administrator | undefined
  /** The tenant of the page, if the page belongs to one. */
  readonly tenant?: (Pick<PageTenant, 'id' | 'name' | 'resourceTypes'> & Partial<PageTenant>) | undefined
  readonly current?: NavigationItem | undefined
  /** The path to open at once. */
  readonly refreshTo?: string
  readonly children: Child
}

/** An HTML document. Hidden characters in its text are marked. */
export function Layout({ title, administrator, tenant, current, refreshTo, children }: LayoutProps) {
  const assets = assetPaths()
  const parts = [title, tenant && visibleName(tenant.name, tenant.id), 'scim-worker'].filter(
    (part) => part !== undefined,
  )
  const document = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>{parts.join(' · ')}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {refreshTo && <meta http-equiv="refresh" content={`0; url=${refreshTo}`} />}
        <link rel="stylesheet" href={assets.style} />
        <link rel="icon" href={assets.icon} type="image/svg+xml" />
        <script src={assets.script} defer></script>
      </head>
      <body class={administrator === undefined ? 'alone' : ''}>
        <a class="skip" href="#content">
          Skip to the content
        </a>
        {administrator && <Sidebar administrator={administrator} tenant={tenant} current={current} />}
        <main id="content" tabindex={-1}>
          {tenant && <TenantStateNotice tenant={{ state: 'ready', importedLines: null, ...tenant }} />}
          {children}
        </main>
        <p id="toast" class="toast" aria-live="polite"></p>
      </body>
    </html>
  )
  const html = renderPermitted(permissionsOfPage(administrator, tenant?.id), document)
  return raw(`<!doctype html>${withMarks(html)}`)
}

function Sidebar({
  administrator,
  tenant,
  current,
}: Pick<LayoutProps, 'tenant' | 'current'> & { administrator: Administrator }) {
  return (
    <header class="sidebar">
      <a class="brand" href="/admin">
        <Logo />
        <span>scim-worker</span>
      </a>
      {/* On a narrow screen the menu opens above the page. A browser without popovers shows it in its place. */}
      <button type="button" class="quiet menu-button" popovertarget="menu">
        Menu
      </button>
      {tenant && <TenantSwitch name={visibleName(tenant.name, tenant.id)} />}
      <div class="menu" id="menu" popover="auto">
        <button type="button" class="quiet menu-button" popovertarget="menu" popovertargetaction="hide">
          Close
        </button>
        <nav aria-label="Dashboard">
          {tenant && <NavigationList links={navigation(tenant)} current={current} />}
          {tenant && (
            <p class="nav-label" id="nav-server">
              Server
            </p>
          )}
          <NavigationList
            links={installation(administrator)}
            current={current}
            labelledBy={tenant && 'nav-server'}
          />
        </nav>
        <button type="button" class="link shortcuts" id="shortcuts" hidden>
          Keyboard shortcuts
        </button>
        <SignOut administrator={administrator} />
      </div>
    </header>
  )
}

function NavigationList(props: {
  readonly links: readonly NavigationLink[]
  readonly current: NavigationItem | undefined
  readonly labelledBy?: string | undefined
}) {
  const { links, current, labelledBy } = props
  return (
    <ul {...(labelledBy === undefined ? {} : { 'aria-labelledby': labelledBy })}>
      {links.map(({ item, label, href, key }) => (
        <li>
          <a
            href={href}
            data-key={key}
            {...(item === 'directory' ? { 'data-search': '' } : {})}
            {...(item === current ? { 'aria-current': 'page' } : {})}
          >
            {label}
          </a>
        </li>
      ))}
    </ul>
  )
}

/** The name of the tenant, and a search for another one. */
function TenantSwitch({ name }: { name: string }) {
  return (
    <div class="tenant">
      <span class="tenant-name">{name}</span>
      <details>
        <summary>Switch tenant</summary>
        <form method="get" action={TENANTS_PATH} data-tenants>
          <label for="switch">Id or name</label>
          <div class="copy">
            <input id="switch" name="q" autocomplete="off" spellcheck={false} />
            <button type="submit" name="open" value="first" class="quiet">
              Switch
            </button>
          </div>
          <ul class="switch-found"></ul>
        </form>
        <a href={TENANTS_PATH}>All tenants</a>
      </details>
    </div>
  )
}

interface NavigationLink {
  readonly item: NavigationItem
  readonly label: string
  readonly href: string
  /** The page opens when this is typed after "g". */
  readonly key: string
}

/** Pages about a tenant. Each key is used once: test/admin/layout.test.ts. */
function navigation(tenant: NonNullable<LayoutProps['tenant']>): readonly NavigationLink[] {
  const paths = tenantPaths(tenant.id)
  return [
    { item: 'overview', label: 'Overview', href: paths.overview, key: 'o' },
    { item: 'connect', label: 'Connect', href: paths.connect, key: 'c' },
    { item: 'directory', label: allOf(tenant.resourceTypes), href: paths.directory, key: 'u' },
    { item: 'apiKeys', label: 'API Keys', href: paths.apiKeys, key: 'k' },
    { item: 'sources', label: 'Sources', href: paths.sources, key: 's' },
    { item: 'webhooks', label: 'Webhooks', href: paths.webhooks, key: 'w' },
    { item: 'log', label: 'Provisioning log', href: paths.log, key: 'l' },
    { item: 'deleted', label: 'Deleted', href: paths.deleted, key: 'd' },
    { item: 'undo', label: 'Undo', href: paths.undo, key: 'z' },
    { item: 'schemas', label: 'Schemas', href: paths.schemas, key: 'a' },
    { item: 'transfer', label: 'Export and import', href: paths.transfer, key: 'x' },
    { item: 'settings', label: 'Settings', href: paths.settings, key: 'e' },
  ]
}

/** Pages about the whole installation, for those who may see them. */
function installation({ grants }: Administrator): readonly NavigationLink[] {
  const tenants: NavigationLink = { item: 'tenants', label: 'Tenants', href: TENANTS_PATH, key: 't' }
  const links: readonly (NavigationLink & { readonly needs: Permission })[] = [
    { item: 'limits', label: 'Limits', href: LIMITS_PATH, key: 'm', needs: 'read installation' },
    {
      item: 'administrators',
      label: 'Administrators',
      href: ADMINISTRATORS_PATH,
      key: 'p',
      needs: 'own installation',
    },
    { item: 'audit', label: 'Audit trail', href: AUDIT_PATH, key: 'h', needs: 'own installation' },
  ]
  return [tenants, ...links.filter(({ needs }) => isPermitted(grants, needs, undefined))]
}

function SignOut({ administrator }: { administrator: Administrator }) {
  const { name, via, grants } = administrator
  const role = <span class="hint block">{grantsText(grants)}</span>
  if (via === 'Cloudflare Access') {
    return (
      <p class="account">
        <span>
          {name} {role}
        </span>
        <a href="/cdn-cgi/access/logout">Sign out</a>
      </p>
    )
  }
  return (
    <form class="account" method="post" action="/admin/sign-out">
      <span>
        {name} {role}
      </span>
      <button type="submit" class="link">
        Sign out
      </button>
    </form>
  )
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <rect width="24" height="24" rx="6" />
      <circle cx="9" cy="9" r="3" />
      <path d="M4 18.5c0-3 2.2-5 5-5s5 2 5 5M14 8h6M16 12h4M18 16h2" />
    </svg>
  )
}
