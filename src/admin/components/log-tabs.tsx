/**
 * The two parts of the log of a tenant. They are pages of their own: clients write the one, in the database of the tenant, and
 * administrators the other, in the first database.
 */
import { tenantPaths } from './paths.ts'

export function LogTabs({ tenantId, current }: { tenantId: string; current: 'clients' | 'administrators' }) {
  const { log, audit } = tenantPaths(tenantId)
  const tabs = [
    { of: 'clients', label: 'By clients', href: log },
    { of: 'administrators', label: 'By administrators', href: audit },
  ] as const
  return (
    <nav class="tabs" aria-label="Who did it">
      {tabs.map(({ of, label, href }) => (
        <a href={href} {...(of === current ? { 'aria-current': 'page' } : {})}>
          {label}
        </a>
      ))}
    </nav>
  )
}
