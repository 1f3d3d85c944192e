/**
 * The state of a tenant whose clients have no access, or read access only.
 */
import type { Tenant, TenantState } from '../../storage/tenants/tenants.ts'
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

/** The state as a badge; none for a tenant that is ready. */
export function TenantStateBadge({ state }: Pick<Tenant, 'state'>) {
  return state === 'ready' ? null : <Badge tone="warn">{WORDS[state]}</Badge>
}

/** Shown on each page of a tenant that is not ready, because its data may be incomplete. */
export function TenantStateNotice({ tenant }: { tenant: Pick<Tenant, 'id' | 'state' | 'importedLines'> }) {
  if (tenant.state === 'ready') return null
  return (
    <Notice tone="warn" title={WORDS[tenant.state]}>
      <p>
        {SENTENCES[tenant.state](tenant.importedLines ?? 0)}{' '}
        <a href={`${tenantPaths(tenant.id).transfer}#state`}>See the progress</a>
      </p>
    </Notice>
  )
}

const SENTENCES: Readonly<Record<keyof typeof WORDS, (lines: number) => string>> = {
  importing: (lines) =>
    `Stored so far: ${counted(lines, 'line')} of the file. Clients get 503 until the last line is stored.`,
  undoing: () => 'The imported data is being deleted. Clients get 503 until the deletion is complete.',
  deleting: () => 'All tokens of this tenant are invalid, and new ones cannot be generated.',
  moving: () => MOVING,
  arriving: () => MOVING,
  moved: () => MOVING,
}

const MOVING =
  'The tenant is being moved to another database. Clients can read; writes get 503 until the move is complete.'
