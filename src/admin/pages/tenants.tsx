/**
 * The list of tenants, and a form to create one. Other changes are on the settings page of a tenant.
 */
import type { Page } from '../../storage/database/query.ts'
import { SEARCHED_NAMES, type TenantSummary } from '../../storage/tenants/queries.ts'
import { EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { Field, type FormError, FormNotice } from '../components/form.tsx'
import { number } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { TENANTS_PATH, tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { TenantStateBadge } from '../components/tenant-state.tsx'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { visibleName } from '../hidden-characters.ts'
import { Layout } from '../layout.tsx'

/** The values of the form. */
export interface TenantForm {
  readonly id: string
  readonly name: string
  readonly groupLimit: string
}

export interface TenantsProps {
  readonly administrator: Administrator
  readonly tenants: Page<TenantSummary>
  readonly isFirst: boolean
  /** Whether a search has found every tenant that matches. */
  readonly isComplete: boolean
  /** Empty: all tenants. */
  readonly search: string
  readonly form: TenantForm
  readonly error?: FormError | undefined
  readonly done?: string | undefined
}

export function TenantsPage(props: TenantsProps) {
  const { administrator, tenants, isFirst, isComplete, search, form, error, done } = props
  return (
    <Layout title="Tenants" administrator={administrator} current="tenants">
      <PageHead
        title="Tenants"
        lead="Each tenant is the directory of one organisation. All share one Tenant URL; the token names the tenant."
      />
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      <Section id="all" title={search === '' ? 'All tenants' : 'Tenants found'}>
        <TenantSearch search={search} />
        {tenants.items.length === 0 ? (
          <NoTenants isFirst={isFirst} isComplete={isComplete} search={search} />
        ) : (
          <TenantTable tenants={tenants.items} />
        )}
        {!isComplete && tenants.items.length > 0 && (
          <p class="muted">More tenants may match. Type more of the id or the name.</p>
        )}
        <Pagination
          first={isFirst ? undefined : TENANTS_PATH}
          next={tenants.next && withQuery(TENANTS_PATH, { after: tenants.next })}
          label="tenants"
        />
      </Section>
      <Section needs="own installation" id="create" title="Create a tenant">
        <FormNotice error={error} fields={['id', 'name', 'groupLimit']} />
        <ChangeForm needs="own installation" action={TENANTS_PATH} class="row-form">
          <Field
            id="tenant-id"
            name="id"
            label="Id"
            hint="1 to 40 of a-z, 0-9 and “-”, beginning with a letter. Part of every token; cannot be changed."
            error={error}
            control={(attributes) => (
              <input
                {...attributes}
                class="mono"
                value={form.id}
                required
                autocomplete="off"
                maxlength={40}
              />
            )}
          />
          <Field
            id="tenant-name"
            name="name"
            label="Name"
            error={error}
            control={(attributes) => (
              <input {...attributes} value={form.name} required autocomplete="organization" maxlength={100} />
            )}
          />
          <Field
            id="tenant-limit"
            name="groupLimit"
            label="Group limit"
            error={error}
            control={(attributes) => (
              <input {...attributes} value={form.groupLimit} inputmode="numeric" required class="number" />
            )}
          />
          <button type="submit" class="primary">
            Create tenant
          </button>
        </ChangeForm>
      </Section>
    </Layout>
  )
}

function TenantSearch({ search }: { search: string }) {
  return (
    <form method="get" action={TENANTS_PATH} class="search">
      <div class="field grow">
        <label for="tenant-search">Id or name</label>
        <input
          id="tenant-search"
          type="search"
          name="q"
          value={search}
          autocomplete="off"
          aria-describedby="tenant-search-hint"
        />
      </div>
      <button type="submit">Search</button>
      {search !== '' && (
        <a class="button quiet" href={TENANTS_PATH}>
          Show all
        </a>
      )}
      <p class="hint" id="tenant-search-hint">
        The beginning of an id, or of words of a name. In the first {number(SEARCHED_NAMES)} tenants, any part
        of a name.
      </p>
    </form>
  )
}

function NoTenants({ isFirst, isComplete, search }: Pick<TenantsProps, 'isFirst' | 'isComplete' | 'search'>) {
  if (!isFirst) return <EmptyState title="No more tenants." />
  if (search !== '' && !isComplete) {
    return (
      <EmptyState title={`No tenant with “${search}” was found.`}>
        <p>Not all tenants were searched. Type more of the id or the name.</p>
      </EmptyState>
    )
  }
  if (search !== '') return <EmptyState title={`No tenant matches “${search}”.`} />
  return (
    <EmptyState title="No tenants.">
      <p>Create one below. A tenant holds users, groups and tokens.</p>
    </EmptyState>
  )
}

function TenantTable({ tenants }: { tenants: readonly TenantSummary[] }) {
  return (
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Id</th>
          <th scope="col" class="number">
            Users
          </th>
          <th scope="col" class="number">
            Groups
          </th>
          <th scope="col">Created</th>
        </tr>
      </thead>
      <tbody>
        {tenants.map((tenant) => (
          <tr>
            <th scope="row">
              <a href={tenantPaths(tenant.id).overview}>{visibleName(tenant.name, tenant.id)}</a>{' '}
              <TenantStateBadge state={tenant.state} />
            </th>
            <td data-label="Id">
              <span class="mono">{tenant.id}</span>
            </td>
            <td class="number" data-label="Users">
              {number(tenant.userCount)}
            </td>
            <td class="number" data-label="Groups">
              {number(tenant.groupCount)} of {number(tenant.groupLimit)}
            </td>
            <td class="number" data-label="Created">
              <Time at={tenant.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
