/**
 * Settings: what an administrator changes of a tenant, and how the server is configured.
 */

import type { Child } from 'hono/jsx'
import type { ProfileName } from '../../scim/profile.ts'
import type { TenantSummary } from '../../storage/tenant-queries.ts'
import { Badge, PageHead, Section } from '../components/blocks.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { counted, number } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import type { Administrator } from '../env.ts'
import { Layout } from '../layout.tsx'

/** A fact of the configuration: what it is, its value, and where it is set. */
export interface ConfigurationFact {
  readonly name: string
  readonly value: Child
  readonly where: string
}

export interface SettingsProps {
  readonly administrator: Administrator
  readonly tenant: TenantSummary
  readonly form: {
    readonly name: string
    readonly groupLimit: string
    /** "true" or "false". */
    readonly uniqueGroupNames: string | undefined
    readonly profile: string | undefined
  }
  readonly error?: FormError | undefined
  /** What was typed to confirm the deletion, and what is wrong with it. */
  readonly confirmation?: string | undefined
  readonly deletionError?: FormError | undefined
  readonly done?: string | undefined
  readonly facts: readonly ConfigurationFact[]
}

export function SettingsPage(props: SettingsProps) {
  const { administrator, tenant, done, facts } = props
  return (
    <Layout title="Settings" administrator={administrator} tenant={tenant} current="settings">
      <PageHead title="Settings" lead={tenant.name} />
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      <StateSection tenant={tenant} />
      <TenantForm {...props} />
      <Section id="configuration" title="Configuration and limits">
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Value</th>
              <th scope="col">Set by</th>
            </tr>
          </thead>
          <tbody>
            {facts.map(({ name, value, where }) => (
              <tr>
                <th scope="row">{name}</th>
                <td data-label="Value">{value}</td>
                <td data-label="Set by" class="muted">
                  {where}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      <DeleteForm {...props} />
    </Layout>
  )
}

const GROUP_NAMES = [
  ['true', 'Unique'],
  ['false', 'Several groups may share one'],
] as const

const PROFILES = [
  ['tolerant', 'Tolerant: any client'],
  ['entra', 'Microsoft Entra ID'],
  ['okta', 'Okta'],
  ['strict', 'Strict: RFC 7643 and RFC 7644 to the letter'],
] as const satisfies readonly (readonly [ProfileName, string])[]

function TenantForm({ tenant, form, error }: SettingsProps) {
  return (
    <Section id="tenant" title="Tenant">
      <FormNotice error={error} fields={['name', 'groupLimit', 'uniqueGroupNames', 'profile']} />
      <form method="post" action={tenantPaths(tenant.id).settings} class="row-form">
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
          hint={`${counted(tenant.groupCount, 'group')} now. A lower limit only stops new ones.`}
          error={error}
          control={(attributes) => (
            <input {...attributes} value={form.groupLimit} inputmode="numeric" required class="number" />
          )}
        />
        <Field
          id="tenant-group-names"
          name="uniqueGroupNames"
          label="Names of groups"
          hint="Without regard to case. Matching by displayName needs unique names."
          error={error}
          control={(attributes) => (
            <Select attributes={attributes} value={form.uniqueGroupNames} options={GROUP_NAMES} />
          )}
        />
        <Field
          id="tenant-profile"
          name="profile"
          label="Profile"
          hint="What clients may send beyond the RFCs. Holds from the next request on."
          error={error}
          control={(attributes) => <Select attributes={attributes} value={form.profile} options={PROFILES} />}
        />
        <button type="submit" class="primary">
          Save
        </button>
      </form>
    </Section>
  )
}

/** The ways out of a state in which clients are not let in. */
function StateSection({ tenant: { id, state } }: Pick<SettingsProps, 'tenant'>) {
  if (state === 'ready') return null
  if (state === 'deleting') {
    return (
      <Section id="state" title="Being deleted">
        <p>The deletion goes on by itself every hour. Confirm it below once more to go on at once.</p>
      </Section>
    )
  }
  return (
    <Section id="state" title="Import">
      <p>
        {state === 'importing'
          ? 'Send the same file again, or the rest of it, and the import goes on. Or undo it: what was imported is deleted; tokens and the provisioning log stay.'
          : 'The import is being undone, and that goes on by itself every hour.'}
      </p>
      <form method="post" action={tenantPaths(id).undoImport}>
        <button type="submit" class="danger">
          {state === 'importing' ? 'Undo the import' : 'Go on now'}
        </button>
      </form>
    </Section>
  )
}

function DeleteForm({ tenant, confirmation, deletionError }: SettingsProps) {
  return (
    <Section id="delete" title="Delete this tenant">
      <p>
        Deletes {counted(tenant.userCount, 'user')}, {counted(tenant.groupCount, 'group')}, every token and
        the provisioning log. Clients are refused at once. It cannot be undone.
      </p>
      <form method="post" action={`${tenantPaths(tenant.id).overview}/delete`} class="row-form">
        <Field
          id="delete-name"
          name="confirmation"
          label={`Type “${tenant.name}” to confirm`}
          error={deletionError}
          control={(attributes) => (
            <input {...attributes} value={confirmation ?? ''} required autocomplete="off" />
          )}
        />
        <button type="submit" class="danger">
          Delete tenant
        </button>
      </form>
    </Section>
  )
}

/** Whether something is configured. */
export function YesNo({ isSet, off }: { isSet: boolean; off: string }) {
  return isSet ? <Badge tone="ok">Set</Badge> : <Badge tone="off">{off}</Badge>
}

/** Bytes as MiB. */
export function mebibytes(bytes: number): string {
  return `${number(bytes / (1024 * 1024))} MiB`
}
