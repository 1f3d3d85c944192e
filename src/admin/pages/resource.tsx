/**
 * The page of one resource: attributes, groups or members, and entries of the provisioning log.
 */
import { canBeDisabled, isActive } from '../../scim/active.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import { pluralOf } from '../../scim/schema/resource-type.ts'
import type { OfferedClient } from '../../storage/access/clients.ts'
import type { EmergencyDisable } from '../../storage/guard/emergency.ts'
import type { ListedEntry } from '../../storage/log/log-pages.ts'
import type { StoredResource } from '../../storage/resources/directory-details.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { Attributes } from '../components/attributes.tsx'
import { EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { ActiveBadge } from '../components/directory-table.tsx'
import { EmergencyAction, EmergencyNote } from '../components/emergency.tsx'
import { Fact } from '../components/fact.tsx'
import { Field, Select } from '../components/form.tsx'
import { LogEntries } from '../components/log-entry.tsx'
import { withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { ResourceJson } from '../components/resource-json.tsx'
import { Groups, type GroupsProps, Members, type MembersProps } from '../components/resource-memberships.tsx'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { visibleName } from '../hidden-characters.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface ResourceProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly type: StoredResourceType
  readonly resource: StoredResource
  readonly groups: GroupsProps['groups']
  readonly groupsAfter: string
  readonly indirect: GroupsProps['indirect']
  /** Undefined if the type has no members. */
  readonly members: MembersProps['members'] | undefined
  readonly membersAfter: string
  readonly nested: MembersProps['nested'] | undefined
  readonly log: readonly ListedEntry[]
  /** That may own it. */
  readonly clients: readonly OfferedClient[]
  readonly emergency: EmergencyDisable | undefined
}

export function ResourcePage(props: ResourceProps) {
  const { administrator, tenant, type, resource, log, members, nested } = props
  const paths = tenantPaths(tenant.id)
  const emergency = { isActive: isActive(resource.resource), emergency: props.emergency }
  const { displayName, active, [type.nameAttribute]: ownName } = resource.resource
  const own = ownName === undefined ? undefined : String(ownName)
  const name = visibleName(displayName === undefined ? undefined : String(displayName), own, resource.id)
  return (
    <Layout title={name} administrator={administrator} tenant={tenant} current="directory">
      <PageHead
        title={name}
        lead={own === name ? undefined : own}
        parent={[pluralOf(type), paths.listOf(type)]}
      >
        {canBeDisabled(type) && <ActiveBadge isActive={typeof active === 'boolean' ? active : undefined} />}
        {canBeDisabled(type) && (
          <EmergencyAction {...emergency} path={`${paths.listOf(type)}/${pathSegment(resource.id)}`} />
        )}
      </PageHead>
      <EmergencyNote {...emergency} />
      <div class="columns">
        <div>
          <Section id="attributes" title="Attributes">
            <Attributes resource={resource.resource} urn={type.schema.id} />
            <Metadata resource={resource} />
            <OwnerForm {...props} />
            <ResourceJson resource={resource} />
          </Section>
        </div>
        <div>
          {members && nested && <Members {...props} members={members} nested={nested} />}
          <Groups {...props} />
          <Section
            id="log"
            title="Provisioning log"
            aside={
              <span class="actions">
                <a href={paths.historyOf(resource.id)}>History</a>
                <a href={withQuery(paths.log, { resource: resource.id })}>All entries</a>
              </span>
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
      <Fact name="id" class="mono">
        {resource.id}
      </Fact>
      <Fact name="Created">
        <Time at={resource.createdAt} /> by {visibleName(resource.createdByName, 'an import, or unknown')}
      </Fact>
      <Fact name="Last changed">
        <Time at={resource.lastModified} /> by {visibleName(resource.modifiedByName, 'an import, or unknown')}
      </Fact>
      <Fact name="Version" class="number">
        {resource.version}
      </Fact>
    </dl>
  )
}

/** In the mode "owner": hands the resource over. */
function OwnerForm({ tenant, type, resource, clients }: ResourceProps) {
  if (tenant.sourceMode !== 'owner') return null
  const options = clients.map(({ id, name }) => [id, name] as const)
  const path = `${tenantPaths(tenant.id).listOf(type)}/${pathSegment(resource.id)}`
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
