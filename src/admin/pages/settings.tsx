/**
 * Settings: what an administrator changes of a tenant, and how the server is configured.
 */

import type { Child } from 'hono/jsx'
import type { ProfileName } from '../../scim/profile.ts'
import type { Job } from '../../storage/jobs.ts'
import type { TenantSummary } from '../../storage/tenant-queries.ts'
import { Badge, PageHead, Section } from '../components/blocks.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { Meter } from '../components/meter.tsx'
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
  /** Where the tenant lives, and where it could. */
  readonly database: { readonly name: string; readonly others: readonly string[] }
  readonly moveError?: FormError | undefined
  /** The newest job of the tenant, if there may be one. */
  readonly job: Job | undefined
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
      <DatabaseSection {...props} />
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
function StateSection({ tenant: { id, state }, job }: Pick<SettingsProps, 'tenant' | 'job'>) {
  if (state === 'ready') return null
  if (state === 'moving' || state === 'arriving' || state === 'moved') {
    return (
      <Section id="state" title="Being moved">
        <p>
          Clients can read. Who writes gets 503, and tries again. See <a href="#database">Database</a>.
        </p>
      </Section>
    )
  }
  if (state === 'deleting') {
    return (
      <Section id="state" title="Being deleted">
        <p>The deletion goes on by itself.</p>
        {job && <JobProgress job={job} />}
      </Section>
    )
  }
  return (
    <Section id="state" title="Import">
      <p>
        {state === 'importing'
          ? 'Send the same file again, or the rest of it, and the import goes on. Or undo it: what was imported is deleted; tokens and the provisioning log stay.'
          : 'The import is being undone, and that goes on by itself.'}
      </p>
      <form method="post" action={tenantPaths(id).undoImport}>
        <button type="submit" class="danger">
          {state === 'importing' ? 'Undo the import' : 'Go on now'}
        </button>
      </form>
    </Section>
  )
}

/** Where the tenant lives; where there are several databases, a form that moves it, and how far a move has come. */
function DatabaseSection({ tenant: { id }, database: { name, others }, moveError, job }: SettingsProps) {
  if (others.length === 0) return null
  const isMoving = job?.kind === 'move' && job.state === 'running'
  return (
    <Section id="database" title="Database">
      <FormNotice error={moveError} fields={['database']} />
      <p>
        The tenant lives in <span class="mono">{name}</span>.
      </p>
      {job?.kind === 'move' && <JobProgress job={job} />}
      {isMoving ? (
        <form method="post" action={tenantPaths(id).cancelMove}>
          <button type="submit">Give the move up</button>
        </form>
      ) : (
        <form method="post" action={tenantPaths(id).move} class="row-form">
          <Field
            id="tenant-database"
            name="database"
            label="Move to"
            hint="Tokens and the provisioning log go along. Clients can read meanwhile; who writes gets 503 and tries again."
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

/** How far a job has come, as a bar. */
function JobProgress({ job }: { job: Job }) {
  const { kind, state, step, target, done, total, error, tenantId } = job
  const what = kind === 'move' ? `Move to ${target}` : 'Deletion'
  if (state === 'running') {
    return (
      <>
        <p role="status">
          {what}: {step}, {number(Math.min(done, total))} of about {number(total)} rows.{' '}
          <a href={tenantPaths(tenantId).settings}>Look again</a>
        </p>
        <Meter label={what} value={Math.min(done, total)} max={total} isHigh={false} />
        {error && <p class="muted">{error}</p>}
      </>
    )
  }
  return state === 'failed' ? (
    <p class="notice warn">
      {what} failed: {error}
    </p>
  ) : null
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
