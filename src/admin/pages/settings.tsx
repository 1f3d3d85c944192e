/**
 * The settings of a tenant, its deletion and its move, and the configuration of the server.
 */

import type { Child } from 'hono/jsx'
import type { ProfileName } from '../../scim/profile.ts'
import type { Job } from '../../storage/tenants/jobs.ts'
import { Badge, PageHead, Section } from '../components/blocks.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { JobProgress } from '../components/job-progress.tsx'
import { counted, number } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import { TransferSection } from '../components/transfer-section.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

/** A fact of the configuration, with the setting that determines it. */
export interface ConfigurationFact {
  readonly name: string
  readonly value: Child
  readonly where: string
}

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
  /** The database of the tenant, and the others. */
  readonly database: { readonly name: string; readonly others: readonly string[] }
  readonly moveError?: FormError | undefined
  /** The latest job of the tenant, and its latest export. */
  readonly job: Job | undefined
  readonly latestExport: Job | undefined
  readonly hasFile: boolean
  readonly exportError?: FormError | undefined
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
      <StateSection tenant={tenant} job={props.job} />
      <TenantForm {...props} />
      <GuardForm {...props} />
      <TransferSection
        tenantId={tenant.id}
        job={props.job}
        latestExport={props.latestExport}
        hasFile={props.hasFile}
        error={props.exportError}
      />
      <DatabaseSection {...props} />
      <Section id="configuration" title="Configuration and limits">
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">Name</th>
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
      </form>
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
    <Section id="guard" title="Guard against unusual deprovisioning">
      <FormNotice error={guardError} fields={GUARD_FIELDS.map(([name]) => name)} />
      <p>
        Holds requests of a client that disable or delete more users, delete more groups or remove more
        memberships than this, until the window has passed or you let them pass. While they are held, leavers
        keep their access. Leave all fields empty to turn the guard off.
      </p>
      <form method="post" action={`${tenantPaths(tenant.id).overview}/guard`} class="row-form">
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
      </form>
    </Section>
  )
}

/** The state of a tenant that is not ready, and the actions that end it. */
function StateSection({ tenant: { id, state }, job }: Pick<SettingsProps, 'tenant' | 'job'>) {
  if (state === 'ready') return null
  if (state === 'moving' || state === 'arriving' || state === 'moved') {
    return (
      <Section id="state" title="Being moved">
        <p>
          Clients can read. Writes get 503 and are repeated by the client. See{' '}
          <a href="#database">Database</a>.
        </p>
      </Section>
    )
  }
  if (state === 'deleting') {
    return (
      <Section id="state" title="Being deleted">
        <p>The deletion continues by itself.</p>
        {job && <JobProgress job={job} />}
      </Section>
    )
  }
  const isJob = state === 'importing' && job?.kind === 'import' && job.state === 'running'
  return (
    <Section id="state" title="Import">
      <p>
        {isJob
          ? 'The import continues by itself. Cancelling it deletes the imported data.'
          : state === 'importing'
            ? 'To continue the import, send the same file again or the rest of it. Undoing the import deletes the imported data; tokens and the provisioning log are kept.'
            : 'The import is being undone. This continues by itself.'}
      </p>
      {job && isJob && <JobProgress job={job} />}
      <form method="post" action={tenantPaths(id).undoImport}>
        <button type="submit" class="danger">
          {isJob ? 'Cancel the import' : state === 'importing' ? 'Undo the import' : 'Continue now'}
        </button>
      </form>
    </Section>
  )
}

/** With several databases: the database of the tenant, a form to move it, and the progress of a move. */
function DatabaseSection({ tenant: { id }, database: { name, others }, moveError, job }: SettingsProps) {
  if (others.length === 0) return null
  const isMoving = job?.kind === 'move' && job.state === 'running'
  return (
    <Section id="database" title="Database">
      <FormNotice error={moveError} fields={['database']} />
      <p>
        The tenant is stored in <span class="mono">{name}</span>.
      </p>
      {job?.kind === 'move' && <JobProgress job={job} />}
      {isMoving ? (
        <form method="post" action={tenantPaths(id).cancelMove}>
          <button type="submit">Cancel the move</button>
        </form>
      ) : (
        <form method="post" action={tenantPaths(id).move} class="row-form">
          <Field
            id="tenant-database"
            name="database"
            label="Move to"
            hint="Moves all data, including tokens and the provisioning log. During the move, clients can read; writes get 503."
            error={moveError}
            control={(attributes) => (
              <Select
                attributes={attributes}
                value={others[0]}
                options={others.map((other) => [other, other] as const)}
              />
            )}
          />
          <button type="submit" disabled={job?.state === 'running'}>
            Move tenant
          </button>
        </form>
      )}
    </Section>
  )
}

function DeleteForm({ tenant, confirmation, deletionError }: SettingsProps) {
  return (
    <Section id="delete" title="Delete this tenant">
      <p>
        Deletes {counted(tenant.userCount, 'user')}, {counted(tenant.groupCount, 'group')}, every token and
        the provisioning log. Clients are refused at once. This cannot be undone.
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

/** A badge that says whether a setting is set. */
export function YesNo({ isSet, off }: { isSet: boolean; off: string }) {
  return isSet ? <Badge tone="ok">Set</Badge> : <Badge tone="off">{off}</Badge>
}

/** "2 MiB", for a number of bytes. */
export function mebibytes(bytes: number): string {
  return `${number(bytes / (1024 * 1024))} MiB`
}
