/**
 * What a tenant is in the middle of, when its clients are not let in.
 */
import type { Tenant, TenantState } from '../../storage/tenants.ts'
import { Badge, Notice } from './blocks.tsx'
import { counted } from './number.ts'
import { tenantPaths } from './paths.ts'

const WORDS: Readonly<Record<Exclude<TenantState, 'ready'>, string>> = {
  importing: 'Being imported',
  undoing: 'Import being undone',
  deleting: 'Being deleted',
  moving: 'Being moved',
  arriving: 'Being moved',
  moved: 'Being moved',
}

/** The state in a word; nothing for a tenant that is ready. */
export function TenantStateBadge({ state }: Pick<Tenant, 'state'>) {
  return state === 'ready' ? null : <Badge tone="warn">{WORDS[state]}</Badge>
}

/** On each page of the tenant, because what it shows is not whole. */
export function TenantStateNotice({ tenant }: { tenant: Pick<Tenant, 'id' | 'state' | 'importedLines'> }) {
  if (tenant.state === 'ready') return null
  return (
    <Notice tone="warn" title={WORDS[tenant.state]}>
      <p>
        {SENTENCES[tenant.state](tenant.importedLines ?? 0)}{' '}
        <a href={`${tenantPaths(tenant.id).settings}#state`}>What can be done</a>
      </p>
    </Notice>
  )
}

const SENTENCES: Readonly<Record<keyof typeof WORDS, (lines: number) => string>> = {
  importing: (lines) =>
    `Stored so far: ${counted(lines, 'line')} of the file. Clients get 503 until the last line is stored.`,
  undoing: () => 'What was imported is being deleted. Clients get 503 until all of it is deleted.',
  deleting: () => 'No token of this tenant is valid, and none can be made.',
  moving: () => MOVING,
  arriving: () => MOVING,
  moved: () => MOVING,
}

const MOVING =
  'The tenant is being moved to another database. Clients can read; who writes gets 503 until it has arrived.'
