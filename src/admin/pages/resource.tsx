/**
 * The page of one resource: attributes, groups or members, and entries of the provisioning log.
 */
import { canBeDisabled, isActive } from '../../scim/active.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { showsGroups } from '../../scim/schema/resource-type.ts'
import type { Client } from '../../storage/access/clients.ts'
import type { Page } from '../../storage/database/query.ts'
import type { EmergencyDisable } from '../../storage/guard/emergency.ts'
import type { ListedEntry } from '../../storage/log/log-pages.ts'
import type { NamedReference, StoredResource } from '../../storage/resources/directory-details.ts'
import { Attributes } from '../components/attributes.tsx'
import { EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { ActiveBadge } from '../components/directory-table.tsx'
import { EmergencyAction, EmergencyNote } from '../components/emergency.tsx'
import { Field, Select } from '../components/form.tsx'
import { LogEntries } from '../components/log-entry.tsx'
import { counted } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { References } from '../components/references.tsx'
import { pluralOf } from '../components/resource-names.ts'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { visibleName } from '../hidden-characters.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface ResourceProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly type: ResourceType
  readonly resource: StoredResource
  /** The groups of which it is a member. */
  readonly groups: Page<NamedReference>
  readonly groupsAfter: string
  /** The members of a group. */
  readonly members: Page<NamedReference> | undefined
  readonly membersAfter: string
  readonly log: readonly ListedEntry[]
  readonly clients: readonly Client[]
  readonly emergency: EmergencyDisable | undefined
}

export function ResourcePage(props: ResourceProps) {
  const { administrator, tenant, type, resource, log } = props
  const paths = tenantPaths(tenant.id)
  const emergency = { isActive: isActive(resource.resource), emergency: props.emergency }
  const { displayName, active, [type.nameAttribute]: ownName } = resource.resource
  const own = ownName === undefined ? undefined : String(ownName)
  const name = visibleName(displayName === undefined ? undefined : String(displayName), own, resource.id)
  return (
    <Layout title={name} administrator={administrator} tenant={tenant} current="directory">
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={paths.listOf(type)}>{pluralOf(type)}</a> <span aria-hidden="true">/</span>
      </nav>
      <PageHead title={name} lead={own === name ? undefined : own}>
        {canBeDisabled(type) && <ActiveBadge isActive={typeof active === 'boolean' ? active : undefined} />}
        {canBeDisabled(type) && (
          <EmergencyAction {...emergency} path={`${paths.listOf(type)}/${resource.id}`} />
        )}
      </PageHead>
      <EmergencyNote {...emergency} />
      <div class="columns">
        <div>
          <Section id="attributes" title="Attributes">
            <Attributes resource={resource.resource} />
            <Metadata resource={resource} />
            <OwnerForm {...props} />
            <details id="as-json">
              <summary>As JSON</summary>
              <pre tabindex={0}>{JSON.stringify({ ...resource.resource, id: resource.id }, null, 2)}</pre>
            </details>
          </Section>
        </div>
        <div>
          {props.members && <Members {...props} members={props.members} />}
          {(showsGroups(type) || props.groups.items.length > 0) && <Groups {...props} />}
          <Section
            id="log"
            title="Provisioning log"
            aside={
              <>
                <a href={paths.historyOf(resource.id)}>History</a>{' '}
                <a href={withQuery(paths.log, { resource: resource.id })}>All entries</a>
              </>
            }
          >
            {log.length === 0 ? (
              <EmptyState title="No entries.">
                <p>The entries of this resource are older than the retention time of the log.</p>
              </EmptyState>
            ) : (
              <LogEntries tenantId={tenant.id} types={tenant.resourceTypes} entries={log} />
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
          <Time at={resource.createdAt} /> by {resource.createdByName ?? 'an import, or unknown'}
        </dd>
      </div>
      <div>
        <dt>Last changed</dt>
        <dd>
          <Time at={resource.lastModified} /> by {resource.modifiedByName ?? 'an import, or unknown'}
        </dd>
      </div>
      <div>
        <dt>Version</dt>
        <dd class="number">{resource.version}</dd>
      </div>
    </dl>
  )
}

/** In the mode "owner": hands the resource over. */
function OwnerForm({ tenant, type, resource, clients }: ResourceProps) {
  if (tenant.sourceMode !== 'owner') return null
  const options = clients
    .filter(({ scope }) => scope === 'provision')
    .map(({ id, name }) => [id, name] as const)
  const path = `${tenantPaths(tenant.id).listOf(type)}/${resource.id}`
  return (
    <ChangeForm action={`${path}/owner`} class="row-form">
      <Field
        id="owner"
        name="clientId"
        label="Owner"
        hint="The only client that may change it."
        control={(attributes) => (
          <Select
            attributes={attributes}
            value={resource.sources?.createdBy ?? undefined}
            options={[['', 'Every client'], ...options]}
          />
        )}
      />
      <button type="submit" class="quiet">
        Hand over
      </button>
    </ChangeForm>
  )
}

function Groups({ tenant, type, resource, groups, groupsAfter }: ResourceProps) {
  const path = `${tenantPaths(tenant.id).listOf(type)}/${resource.id}`
  return (
    <Section id="groups" title={showsGroups(type) ? 'Groups' : 'Member of'}>
      {groups.items.length === 0 ? (
        <EmptyState title="Not in any group." />
      ) : (
        <References
          tenantId={tenant.id}
          types={tenant.resourceTypes}
          references={groups.items}
          areMixed={false}
        />
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
  const { tenant, type, resource, members, membersAfter } = props
  const path = `${tenantPaths(tenant.id).listOf(type)}/${resource.id}`
  return (
    <Section
      id="members"
      title="Members"
      aside={<span class="muted number">{counted(resource.memberCount, 'member')}</span>}
    >
      {members.items.length === 0 ? (
        <EmptyState title={membersAfter === '' ? 'No members.' : 'No more members.'}>
          {membersAfter === '' && <p>Entra creates a group first, and then sends its members.</p>}
        </EmptyState>
      ) : (
        <References tenantId={tenant.id} types={tenant.resourceTypes} references={members.items} areMixed />
      )}
      <Pagination
        first={membersAfter === '' ? undefined : `${path}#members`}
        next={members.next && `${withQuery(path, { members: members.next })}#members`}
        label="members"
      />
    </Section>
  )
}
