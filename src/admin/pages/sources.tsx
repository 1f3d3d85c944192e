/**
 * The sources of a directory: what each client has written, and the conflicts between them.
 */
import type { Child } from 'hono/jsx'
import { pluralOf } from '../../scim/schema/resource-type.ts'
import type { OfferedClient } from '../../storage/access/clients.ts'
import type { SourceSweep } from '../../storage/sources/sweep.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { Badge, EmptyState, Notice, PageHead, Section } from '../components/blocks.tsx'
import { ConflictList, type ConflictView } from '../components/conflict-list.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { counted } from '../components/number.ts'
import { withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface HandOverForm {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly after: string
}

export interface SourcesProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  /** That may write. */
  readonly clients: readonly OfferedClient[]
  readonly sweep: SourceSweep | undefined
  /** The oldest open conflicts. */
  readonly conflicts: readonly ConflictView[]
  /** Whether there are more. */
  readonly hasMore: boolean
  readonly done?: string | undefined
  readonly error?: FormError | undefined
  /** The values of a hand-over that is not complete, and the id after which it goes on. */
  readonly handOver: HandOverForm | undefined
}

export function SourcesPage(props: SourcesProps) {
  const { administrator, tenant, conflicts, hasMore, done } = props
  const total = hasMore ? `${conflicts.length}+` : String(conflicts.length)
  return (
    <Layout title="Sources" administrator={administrator} tenant={tenant} current="sources">
      <PageHead
        title="Sources"
        lead="The clients that write to this directory, and the conflicts between them."
      />
      {done && <Notice tone="ok" title={done} />}
      <Section
        id="conflicts"
        title="Open conflicts"
        aside={conflicts.length > 0 && <Badge tone="warn">{total}</Badge>}
      >
        {conflicts.length === 0 ? (
          <EmptyState title="No open conflicts.">
            <p>
              A conflict opens when two clients create the same user or group, or keep changing a value back
              and forth. The event feed reports it as <code>source.conflict</code>.
            </p>
          </EmptyState>
        ) : (
          <ConflictList tenantId={tenant.id} types={tenant.resourceTypes} conflicts={conflicts} />
        )}
      </Section>
      <Clients {...props} />
      <Owners {...props} />
    </Layout>
  )
}

function Clients({ tenant, clients, sweep }: SourcesProps) {
  const paths = tenantPaths(tenant.id)
  return (
    <Section id="clients" title="Clients">
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Client</th>
            {tenant.resourceTypes.map((type) => (
              <th scope="col" class="number">
                {pluralOf(type)} created
              </th>
            ))}
            <th scope="col" class="number">
              Memberships
            </th>
            <th scope="col">Last write</th>
          </tr>
        </thead>
        <tbody>
          {clients.map(({ id, name }) => (
            <SourceRow
              name={<a href={withQuery(paths.log, { client: id })}>{name}</a>}
              types={tenant.resourceTypes}
              count={sweep?.counts == null ? undefined : (sweep.counts[id] ?? NONE)}
              listOf={(type) => withQuery(paths.listOf(type), { source: id })}
            />
          ))}
          {sweep?.counts?.[''] && (
            <SourceRow name="Imports, or unknown" types={tenant.resourceTypes} count={sweep.counts['']} />
          )}
        </tbody>
      </table>
      <ChangeForm action={`${paths.sources}/count`} class="actions">
        <button type="submit" class="quiet small">
          {sweep?.countedAt == null ? 'Count now' : 'Count again'}
        </button>
        <span class="hint">
          {sweep?.countedAt == null ? (
            'Not counted yet. The server counts once a day.'
          ) : (
            <>
              Counted <Time at={sweep.countedAt} />, without what was deleted. The last write is one that no
              other client has overwritten.
            </>
          )}
        </span>
      </ChangeForm>
    </Section>
  )
}

/** A client that has nothing. */
const NONE = { created: {}, memberships: 0, lastWrittenAt: null }

/** @param props.count undefined if nothing was counted yet */
function SourceRow({
  name,
  types,
  count,
  listOf,
}: {
  readonly name: Child
  readonly types: readonly StoredResourceType[]
  readonly count: NonNullable<SourceSweep['counts']>[string] | undefined
  /** The address of the list of what the client has written. */
  readonly listOf?: (type: StoredResourceType) => string
}) {
  const time = count?.lastWrittenAt
  return (
    <tr>
      <th scope="row">{name}</th>
      {types.map((type) => (
        <td class="number" data-label={`${pluralOf(type)} created`}>
          {count === undefined ? '—' : <Counted type={type} count={count} listOf={listOf} />}
        </td>
      ))}
      <td class="number" data-label="Memberships">
        {count === undefined ? '—' : count.memberships}
      </td>
      <td data-label="Last write">{time == null ? '—' : <Time at={time} />}</td>
    </tr>
  )
}

const MODES = [
  ['observe', 'Every client'],
  ['owner', 'Only the client that created it'],
] as const

const MODE_HINTS = {
  observe:
    'If you choose only the client that created it, the writes of all others are refused with 409 and logged.',
  owner: 'The writes of all other clients are refused with 409 and logged. Reads are not affected.',
} as const

function Owners({ tenant, clients, handOver, error }: SourcesProps) {
  const paths = tenantPaths(tenant.id)
  const options = clients.map(({ id, name }) => [id, name] as const)
  return (
    <Section needs="change" id="owners" title="Owners">
      <FormNotice error={error} fields={['from', 'to']} />
      <ChangeForm action={`${paths.sources}/mode`} class="row-form">
        <Field
          id="source-mode"
          name="sourceMode"
          label="Who may change a user or a group"
          hint={MODE_HINTS[tenant.sourceMode]}
          control={(attributes) => (
            <Select attributes={attributes} value={tenant.sourceMode} options={MODES} />
          )}
        />
        <button type="submit" class="primary">
          Save
        </button>
      </ChangeForm>
      <details open={handOver !== undefined}>
        <summary>Hand over everything that a client has created</summary>
        <ChangeForm action={`${paths.sources}/hand-over`} class="row-form">
          {handOver && <input type="hidden" name="after" value={handOver.after} />}
          <Field
            id="hand-over-from"
            name="from"
            label="From"
            error={error}
            control={(attributes) => (
              <Select
                attributes={attributes}
                value={handOver?.from}
                options={[['', 'Imports, or unknown'], ...options]}
              />
            )}
          />
          <Field
            id="hand-over-to"
            name="to"
            label="To"
            error={error}
            control={(attributes) => (
              <Select attributes={attributes} value={handOver?.to} options={[...options, ['', 'Nobody']]} />
            )}
          />
          <button type="submit" class="quiet">
            Hand over
          </button>
        </ChangeForm>
      </details>
      <p class="hint">
        {counted(options.length, 'client')} may write. A single user or group is handed over on its own page.
      </p>
    </Section>
  )
}

function Counted(props: {
  readonly type: StoredResourceType
  readonly count: NonNullable<SourceSweep['counts']>[string]
  readonly listOf: ((type: StoredResourceType) => string) | undefined
}) {
  const { type, count, listOf } = props
  const created = count.created[type.name] ?? 0
  return created > 0 && listOf && type.table.hasSources ? <a href={listOf(type)}>{created}</a> : created
}
