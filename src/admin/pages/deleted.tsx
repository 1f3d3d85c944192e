/** Deleted: the users and groups that clients deleted, to restore or to erase. */
import type { RestorePreview } from '../../provider/history/restore.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import type { Page } from '../../storage/database/query.ts'
import type { Tombstone } from '../../storage/resources/tombstones.ts'
import { typeNamed } from '../../storage/tables/resource-tables.ts'
import { Attributes } from '../components/attributes.tsx'
import { EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { Confirmation, type Confirmed } from '../components/confirmation.tsx'
import { type FormError, FormNotice } from '../components/form.tsx'
import { counted } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm, Permitted } from '../components/permitted.tsx'
import { type Column, RowTable } from '../components/row-table.tsx'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { visibleName } from '../hidden-characters.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface DeletedProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly page: Page<Tombstone, number>
  /** The position of the page; undefined for the first one. */
  readonly before: number | undefined
  /** TOMBSTONE_DAYS. */
  readonly days: number
  readonly error: FormError | undefined
  readonly done: string | undefined
}

export function DeletedPage({ administrator, tenant, page, before, days, error, done }: DeletedProps) {
  const path = tenantPaths(tenant.id).deleted
  return (
    <Layout title="Deleted" administrator={administrator} tenant={tenant} current="deleted">
      <PageHead
        title="Deleted"
        lead={
          days === 0
            ? 'Deleted users and groups are not kept, because TOMBSTONE_DAYS is 0.'
            : `Deleted users and groups can be restored for ${counted(days, 'day')}. Clients do not see them.`
        }
      />
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      <FormNotice error={error} fields={[]} />
      <Section id="deleted" title="Users and groups">
        {page.items.length === 0 ? (
          <EmptyState title="Nothing has been deleted.">
            <p>What a client deletes is listed here.</p>
          </EmptyState>
        ) : (
          <DeletedTable tombstones={page.items} path={path} tenantId={tenant.id} />
        )}
        <Pagination
          first={before === undefined ? undefined : path}
          next={page.next === undefined ? undefined : withQuery(path, { before: String(page.next) })}
          label="deleted users and groups"
        />
      </Section>
    </Layout>
  )
}

function DeletedTable(props: {
  readonly tombstones: readonly Tombstone[]
  readonly path: string
  readonly tenantId: string
}) {
  const { tombstones, path, tenantId } = props
  const head = {
    label: 'Name',
    cell: ({ id, name }: Tombstone) => (
      <a href={tenantPaths(tenantId).historyOf(id)}>{visibleName(name, id)}</a>
    ),
  }
  return (
    <RowTable
      rows={tombstones}
      head={head}
      columns={COLUMNS}
      actions={(tombstone) => <Actions tombstone={tombstone} path={path} />}
    />
  )
}

const COLUMNS: readonly Column<Tombstone>[] = [
  {
    label: 'Type',
    cell: ({ resourceType, memberCount }) =>
      resourceType === 'Group' ? `Group of ${counted(memberCount, 'member')}` : resourceType,
  },
  { label: 'Deleted', cell: ({ deletedAt }) => <Time at={deletedAt} /> },
  { label: 'By', cell: ({ clientName, clientId }) => visibleName(clientName, clientId, 'Unknown') },
]

function Actions({
  tombstone: { id, isRestored },
  path,
}: {
  readonly tombstone: Tombstone
  readonly path: string
}) {
  const own = `${path}/${pathSegment(id)}`
  return (
    <Permitted>
      <div class="actions">
        <a class="button quiet small" href={`${own}/restore`}>
          {isRestored ? 'Restore the rest' : 'Restore'}
        </a>
        <a class="button quiet small danger-text" href={`${own}/erase`}>
          Erase
        </a>
      </div>
    </Permitted>
  )
}

/** What a restore would bring back, and what keeps it from that. */
export function RestorePage(props: {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly preview: RestorePreview
}) {
  const { administrator, tenant, preview } = props
  const { tombstone, attributes, memberships, holder } = preview
  const { id, resourceType, deletedAt, clientId, clientName } = tombstone
  const name = visibleName(tombstone.name, id)
  const paths = tenantPaths(tenant.id)
  const type = typeNamed(tenant.resourceTypes, resourceType)
  return (
    <Layout title="Restore" administrator={administrator} tenant={tenant} current="deleted">
      <PageHead
        title={`Restore “${name}”?`}
        parent={['Deleted', paths.deleted]}
        lead={
          <>
            {resourceType}, deleted <Time at={deletedAt} /> by{' '}
            {visibleName(clientName, clientId, 'an unknown client')}
          </>
        }
      />
      <Section id="preview" title="What comes back">
        {holder !== undefined && (
          <p class="notice warn">
            It cannot be restored, because{' '}
            <a href={`${paths.listOf(type)}/${holder}`}>another {resourceType.toLowerCase()}</a> has its name.
            Rename or delete that one first.
          </p>
        )}
        <p>
          The {resourceType.toLowerCase()} with its id.{' '}
          {memberships === 0
            ? 'It had no memberships.'
            : `Of its ${counted(memberships, 'membership')}, those whose other side still exists come back too.`}
        </p>
        <ChangeForm class="actions" action={`${paths.deleted}/${pathSegment(id)}/restore`}>
          <button type="submit" class="primary" disabled={holder !== undefined}>
            Restore
          </button>
          <a class="button quiet" href={paths.deleted}>
            Keep it deleted
          </a>
        </ChangeForm>
        <Attributes resource={attributes} />
      </Section>
    </Layout>
  )
}

export function ErasePage(props: Confirmed & { readonly id: string; readonly name: string }) {
  const { id, name, ...shared } = props
  return (
    <Confirmation
      {...shared}
      title="Erase"
      question={`Erase “${name}”?`}
      action={`${pathSegment(id)}/erase`}
      button="Erase"
      back={tenantPaths(props.tenant.id).deleted}
      current="deleted"
    >
      After that, it cannot be restored, and its history has no previous values.
    </Confirmation>
  )
}
