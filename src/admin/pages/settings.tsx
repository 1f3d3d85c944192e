/**
 * The settings of a tenant, and its deletion.
 */
import type { ProfileName } from '../../scim/profile.ts'
import { PageHead, Section } from '../components/blocks.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { counted } from '../components/number.ts'
import { LIMITS_PATH, tenantPaths } from '../components/paths.ts'
import { ChangeForm, Permitted } from '../components/permitted.tsx'
import type { Administrator } from '../env.ts'
import { isTypeable, visibleName } from '../hidden-characters.ts'
import { Layout, type PageTenant } from '../layout.tsx'
import { tenantValues } from '../limits/tenant-values.ts'

/** As typed; all empty without a guard. */
export interface GuardFormValues {
  /** In percent. */
  readonly share: string
  readonly count: string
  readonly windowMinutes: string
}

export interface SettingsProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly form: {
    readonly name: string
    readonly groupLimit: string
    /** "true" or "false". */
    readonly uniqueGroupNames: string | undefined
    readonly profile: string | undefined
  }
  readonly error?: FormError | undefined
  readonly guard: GuardFormValues
  readonly guardError?: FormError | undefined
  /** The confirmation of the deletion, as typed. */
  readonly confirmation?: string | undefined
  readonly deletionError?: FormError | undefined
  readonly done?: string | undefined
}

export function SettingsPage(props: SettingsProps) {
  const { administrator, tenant, done } = props
  return (
    <Layout title="Settings" administrator={administrator} tenant={tenant} current="settings">
      <PageHead title="Settings" lead={visibleName(tenant.name, tenant.id)} />
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      <TenantForm {...props} />
      <GuardForm {...props} />
      <InForce tenant={tenant} />
      <DeleteForm {...props} />
    </Layout>
  )
}

const GROUP_NAMES = [
  ['true', 'Unique'],
  ['false', 'Not unique'],
] as const

const PROFILES = [
  ['tolerant', 'Tolerant: any client'],
  ['entra', 'Microsoft Entra ID'],
  ['okta', 'Okta'],
  ['strict', 'Strict: RFC 7643 and RFC 7644 to the letter'],
] as const satisfies readonly (readonly [ProfileName, string])[]

function TenantForm({ tenant, form, error }: SettingsProps) {
  return (
    <Section needs="change" id="tenant" title="Tenant">
      <FormNotice error={error} fields={['name', 'groupLimit', 'uniqueGroupNames', 'profile']} />
      <ChangeForm action={tenantPaths(tenant.id).settings} class="row-form">
        <Field
          id="tenant-name"
          name="name"
          label="Name"
          error={error}
          control={(attributes) => (
            <input {...attributes} value={form.name} required maxlength={100} autocomplete="organization" />
          )}
        />
        <Field
          id="tenant-limit"
          name="groupLimit"
          label="Group limit"
          hint={`${counted(tenant.groupCount, 'group')} now. A lower limit keeps existing groups and refuses new ones.`}
          error={error}
          control={(attributes) => (
            <input {...attributes} value={form.groupLimit} inputmode="numeric" required class="number" />
          )}
        />
        <Field
          id="tenant-group-names"
          name="uniqueGroupNames"
          label="Group names"
          hint="Compared regardless of case. Matching by displayName requires unique names."
          error={error}
          control={(attributes) => (
            <Select attributes={attributes} value={form.uniqueGroupNames} options={GROUP_NAMES} />
          )}
        />
        <Field
          id="tenant-profile"
          name="profile"
          label="Profile"
          hint="The deviations from the RFCs that clients may use. Takes effect with the next request."
          error={error}
          control={(attributes) => <Select attributes={attributes} value={form.profile} options={PROFILES} />}
        />
        <button type="submit" class="primary">
          Save
        </button>
      </ChangeForm>
    </Section>
  )
}

const GUARD_FIELDS = [
  ['share', 'Share, in percent', 'Of the active users, the groups or the memberships.'],
  ['count', 'Number', 'Both the share and the number must be exceeded.'],
  ['windowMinutes', 'Window, in minutes', 'Up to 1,440.'],
] as const

function GuardForm({ tenant, guard, guardError }: SettingsProps) {
  return (
    <Section needs="change" id="guard" title="Guard against unusual deprovisioning">
      <FormNotice error={guardError} fields={GUARD_FIELDS.map(([name]) => name)} />
      <p>
        Holds requests of a client that disable or delete more users, delete more groups or remove more
        memberships than this, until the window has passed or you let them pass. While they are held, leavers
        keep their access. Leave all fields empty to turn the guard off.
      </p>
      <ChangeForm action={`${tenantPaths(tenant.id).overview}/guard`} class="row-form">
        {GUARD_FIELDS.map(([name, label, hint]) => (
          <Field
            id={`guard-${name}`}
            name={name}
            label={label}
            hint={hint}
            error={guardError}
            control={(attributes) => (
              <input {...attributes} value={guard[name]} inputmode="numeric" class="number" />
            )}
          />
        ))}
        <button type="submit">Save guard</button>
      </ChangeForm>
    </Section>
  )
}

/** What the tenant has set, as the admin API names it. */
function InForce({ tenant }: Pick<SettingsProps, 'tenant'>) {
  return (
    <Section
      id="in-force"
      title="In force for this tenant"
      aside={
        <Permitted to="read installation">
          <a href={LIMITS_PATH}>Limits and settings of the server</a>
        </Permitted>
      }
    >
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Value</th>
            <th scope="col">Name in the admin API</th>
          </tr>
        </thead>
        <tbody>
          {tenantValues(tenant).map(({ name, words, value }) => (
            <tr>
              <th scope="row">{words}</th>
              <td data-label="Value">{value}</td>
              <td data-label="Name" class="mono muted">
                {name}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  )
}

/** What is typed to confirm a deletion: the name of the tenant; its id if the name cannot be typed as it is read. */
export function confirmationOf({ id, name }: Pick<PageTenant, 'id' | 'name'>): string {
  return isTypeable(name) ? name : id
}

function DeleteForm({ tenant, confirmation, deletionError }: SettingsProps) {
  return (
    <Section needs="own" id="delete" title="Delete this tenant">
      <p>
        Deletes {counted(tenant.userCount, 'user')}, {counted(tenant.groupCount, 'group')}, every token and
        the provisioning log. Clients are refused at once. This cannot be undone.
      </p>
      <ChangeForm needs="own" action={`${tenantPaths(tenant.id).overview}/delete`} class="row-form">
        <Field
          id="delete-name"
          name="confirmation"
          label={`Type “${confirmationOf(tenant)}” to confirm`}
          error={deletionError}
          control={(attributes) => (
            <input {...attributes} value={confirmation ?? ''} required autocomplete="off" />
          )}
        />
        <button type="submit" class="danger">
          Delete tenant
        </button>
      </ChangeForm>
    </Section>
  )
}
