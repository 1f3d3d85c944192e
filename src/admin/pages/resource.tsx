/**
 * The page of one user or one group: attributes, groups or members, and its part of the provisioning log.
 */
import type { NamedReference, StoredResource } from '../../storage/directory-details.ts'
import type { DirectoryTable } from '../../storage/directory-lists.ts'
import type { ListedEntry } from '../../storage/log-pages.ts'
import type { Page } from '../../storage/query.ts'
import type { TenantSummary } from '../../storage/tenant-queries.ts'
import { Attributes } from '../components/attributes.tsx'
import { EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { ActiveBadge } from '../components/directory-table.tsx'
import { LogEntries } from '../components/log-entry.tsx'
import { counted } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { References } from '../components/references.tsx'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { Layout } from '../layout.tsx'

export interface ResourceProps {
  readonly administrator: Administrator
  readonly tenant: TenantSummary
  readonly table: DirectoryTable
  readonly resource: StoredResource
  /** The groups that it is in. */
  readonly groups: Page<NamedReference>
  readonly groupsAfter: string
  /** The members of a group. */
  readonly members: Page<NamedReference> | undefined
  readonly membersAfter: string
  readonly log: readonly ListedEntry[]
}

export function ResourcePage(props: ResourceProps) {
  const { administrator, tenant, table, resource, log } = props
  const paths = tenantPaths(tenant.id)
  const { userName, displayName, active } = resource.resource
  const name = String(displayName ?? userName ?? resource.id)
  return (
    <Layout title={name} administrator={administrator} tenant={tenant} current="directory">
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={paths[table]}>{table === 'users' ? 'Users' : 'Groups'}</a> <span aria-hidden="true">/</span>
      </nav>
      <PageHead
        title={name}
        lead={table === 'users' && displayName !== undefined ? String(userName) : undefined}
      >
        {table === 'users' && <ActiveBadge isActive={typeof active === 'boolean' ? active : undefined} />}
      </PageHead>
      <div class="columns">
        <div>
          <Section id="attributes" title="Attributes">
            <Attributes resource={resource.resource} />
            <Metadata resource={resource} />
            <details id="as-json">
              <summary>As JSON</summary>
              <pre tabindex={0}>{JSON.stringify({ ...resource.resource, id: resource.id }, null, 2)}</pre>
            </details>
          </Section>
        </div>
        <div>
          {props.members && <Members {...props} members={props.members} />}
          {(table === 'users' || props.groups.items.length > 0) && <Groups {...props} />}
          <Section
            id="log"
            title="Provisioning log"
            aside={<a href={withQuery(paths.log, { resource: resource.id })}>All its entries</a>}
          >
            {log.length === 0 ? (
              <EmptyState title="Nothing in the log.">
                <p>Its entries are older than the log is kept.</p>
              </EmptyState>
            ) : (
              <LogEntries tenantId={tenant.id} entries={log} />
            )}
          </Section>
        </div>
      </div>
    </Layout>
  )
}

function Metadata({ resource }: { resource: StoredResource }) {
  return (
    <dl class="attributes meta">
      <div>
        <dt>id</dt>
        <dd class="mono">{resource.id}</dd>
      </div>
      <div>
        <dt>Created</dt>
        <dd>
          <Time at={resource.createdAt} />
        </dd>
      </div>
      <div>
        <dt>Last changed</dt>
        <dd>
          <Time at={resource.lastModified} />
        </dd>
      </div>
      <div>
        <dt>Version</dt>
        <dd class="number">{resource.version}</dd>
      </div>
    </dl>
  )
}

function Groups({ tenant, table, resource, groups, groupsAfter }: ResourceProps) {
  const path = `${tenantPaths(tenant.id)[table]}/${resource.id}`
  return (
    <Section id="groups" title={table === 'users' ? 'Groups' : 'Member of'}>
      {groups.items.length === 0 ? (
        <EmptyState title="In no group." />
      ) : (
        <References tenantId={tenant.id} references={groups.items} areMixed={false} />
      )}
      <Pagination
        first={groupsAfter === '' ? undefined : `${path}#groups`}
        next={groups.next && `${withQuery(path, { groups: groups.next })}#groups`}
        label="groups"
      />
    </Section>
  )
}

function Members(props: ResourceProps & { members: Page<NamedReference> }) {
  const { tenant, resource, members, membersAfter } = props
  const path = `${tenantPaths(tenant.id).groups}/${resource.id}`
  return (
    <Section
      id="members"
      title="Members"
      aside={<span class="muted number">{counted(resource.memberCount, 'member')}</span>}
    >
      {members.items.length === 0 ? (
        <EmptyState title={membersAfter === '' ? 'No members.' : 'No more members.'}>
          {membersAfter === '' && <p>Entra sends members after it has created the group.</p>}
        </EmptyState>
      ) : (
        <References tenantId={tenant.id} references={members.items} areMixed />
      )}
      <Pagination
        first={membersAfter === '' ? undefined : `${path}#members`}
        next={members.next && `${withQuery(path, { members: members.next })}#members`}
        label="members"
      />
    </Section>
  )
}
