/**
 * Export and import: the file of an export, the check and the import of a file, and the move to another database, each with
 * its progress.
 */
import type { RecordCounts } from '../../provider/transfer/directory-lines.ts'
import type { Job } from '../../storage/tenants/jobs.ts'
import { Notice, PageHead, Section } from '../components/blocks.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { JobProgress } from '../components/job-progress.tsx'
import { counted, number } from '../components/number.ts'
import { TENANTS_PATH, tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

/** Bytes of a file that is checked within a request. An import checks each line itself. */
export const MAX_CHECKED_BYTES = 25_000_000

export interface TransferProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  /** The database of the tenant, and the others. */
  readonly database: { readonly name: string; readonly others: readonly string[] }
  /** The latest job of the tenant, of any kind, and its latest export. */
  readonly job: Job | undefined
  readonly latestExport: Job | undefined
  /** Whether the file of the latest export can be downloaded. */
  readonly hasFile: boolean
  /** The records of a file that was checked, by kind. */
  readonly checked?: RecordCounts | undefined
  readonly exportError?: FormError | undefined
  readonly importError?: FormError | undefined
  readonly moveError?: FormError | undefined
  readonly done?: string | undefined
}

export function TransferPage(props: TransferProps) {
  const { administrator, tenant, done } = props
  return (
    <Layout title="Export and import" administrator={administrator} tenant={tenant} current="transfer">
      <PageHead
        title="Export and import"
        lead="A file with all users, groups and memberships of the tenant, with their ids."
      />
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      <StateSection {...props} />
      <ExportSection {...props} />
      <ImportSection {...props} />
      <RestoreSection {...props} />
      <MoveSection {...props} />
    </Layout>
  )
}

/** The latest job, or an import that is not a job, and what ends it. */
function StateSection({ tenant, job }: TransferProps) {
  if (tenant.state === 'ready' && job === undefined) return null
  return (
    <Section id="state" title="Latest job">
      <div id="progress" data-progress>
        {job && <JobProgress job={job} />}
      </div>
      <StateText tenant={tenant} job={job} />
    </Section>
  )
}

function StateText({ tenant: { id, state }, job }: Pick<TransferProps, 'tenant' | 'job'>) {
  if (job?.kind === 'move' && job.state === 'running') return <MoveText tenantId={id} />
  if (state === 'deleting') return <p>The deletion continues by itself.</p>
  const isJob = job?.kind === 'import' && job.state === 'running'
  if (isJob) {
    return (
      <CancelForm action={tenantPaths(id).undoImport} button="Cancel the import">
        The import continues by itself, and you can leave this page. Cancelling it deletes the imported data.
      </CancelForm>
    )
  }
  if (state === 'importing') {
    return (
      <CancelForm action={tenantPaths(id).undoImport} button="Undo the import">
        To continue the import, send the same file again or the rest of it to the admin API. Undoing the
        import deletes the imported data; tokens and the provisioning log are kept.
      </CancelForm>
    )
  }
  if (state !== 'undoing') return null
  return (
    <CancelForm action={tenantPaths(id).undoImport} button="Continue now">
      The import is being undone. This continues by itself.
    </CancelForm>
  )
}

function MoveText({ tenantId }: { tenantId: string }) {
  return (
    <CancelForm action={tenantPaths(tenantId).cancelMove} button="Cancel the move">
      During the move, clients can read. Writes get 503 and are repeated by the client.
    </CancelForm>
  )
}

function CancelForm(props: { readonly action: string; readonly button: string; readonly children: string }) {
  return (
    <>
      <p>{props.children}</p>
      <ChangeForm action={props.action}>
        <button type="submit" class="danger">
          {props.button}
        </button>
      </ChangeForm>
    </>
  )
}

function ExportSection({ tenant, job, latestExport, hasFile, exportError }: TransferProps) {
  const paths = tenantPaths(tenant.id)
  return (
    <Section needs="export" id="export" title="Export">
      <FormNotice error={exportError} fields={[]} />
      <p>
        The server writes the file by itself, and keeps it for 24 hours. It is JSON Lines: one user, group or
        membership in each line, and a last line that proves that the file is complete.
      </p>
      {hasFile && latestExport && (
        <p>
          <a href={paths.file(latestExport.id)} download>
            Download the export
          </a>{' '}
          of <Time at={latestExport.createdAt} />
        </p>
      )}
      <ChangeForm action={paths.export}>
        <button type="submit" class={hasFile ? 'quiet' : 'primary'} disabled={job?.state === 'running'}>
          {hasFile ? 'Export again' : 'Export'}
        </button>
      </ChangeForm>
    </Section>
  )
}

function ImportSection(props: TransferProps) {
  const { tenant, job, importError, checked } = props
  const isEmpty = tenant.userCount + tenant.groupCount === 0
  const paths = tenantPaths(tenant.id)
  return (
    <Section needs="change" id="import" title="Import">
      <div id="result" aria-live="polite">
        <FormNotice error={importError} fields={[]} />
        {checked && <Checked {...props} checked={checked} />}
      </div>
      <p>
        {isEmpty
          ? 'The file must be an export. Until its last line is stored, clients get 503. If a line is refused, you see its number and the reason, and nothing of the file stays.'
          : `An import needs an empty tenant, and this one has ${counted(tenant.userCount, 'user')} and ${counted(tenant.groupCount, 'group')}. You can still check a file here.`}{' '}
        {!isEmpty && <a href={`${TENANTS_PATH}#create`}>Create a tenant for it</a>}
      </p>
      <ChangeForm action={paths.import} enctype="multipart/form-data" data-upload>
        <Field
          id="import-file"
          name="file"
          label="File"
          hint="An export, also compressed with gzip."
          control={(attributes) => (
            <input {...attributes} type="file" accept=".jsonl,.gz,.ndjson,.json" required />
          )}
        />
        <p class="actions">
          <button type="submit" class="quiet" formaction={paths.checkImport}>
            Check the file
          </button>
          {isEmpty && (
            <button type="submit" class="primary" disabled={job?.state === 'running'}>
              Import
            </button>
          )}
        </p>
        <div class="uploading" hidden>
          <progress aria-label="Upload" max={1} value={0} />
          <p class="hint"></p>
        </div>
      </ChangeForm>
    </Section>
  )
}

/** What the file has, and what would keep the tenant from taking it. */
function Checked({ tenant, checked }: TransferProps & { readonly checked: RecordCounts }) {
  const records = Object.entries(checked).map(([kind, count]) => counted(count, kind))
  const groups = checked.group ?? 0
  return (
    <Notice tone="ok" title="The file is complete and unchanged">
      <p>It has {listOf(records)}. Nothing was imported.</p>
      {groups > tenant.groupLimit && (
        <p class="warn-text">
          This tenant may have {number(tenant.groupLimit)} groups. Raise the group limit under{' '}
          <a href={tenantPaths(tenant.id).settings}>Settings</a> before the import.
        </p>
      )}
    </Notice>
  )
}

/** "1 user, 2 groups and 3 memberships" */
function listOf(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`
}

function RestoreSection({ tenant }: Pick<TransferProps, 'tenant'>) {
  const paths = tenantPaths(tenant.id)
  return (
    <Section needs="change" id="restore" title="Restore">
      <ul>
        <li>
          <a href={paths.deleted}>Restore a user or a group</a> that a client deleted, with its memberships.
        </li>
        <li>
          <a href={paths.undo}>Undo the changes of a client</a>, after a preview of what they were.
        </li>
        <li>
          <a href={paths.drift}>Compare an export of the source</a> with the directory, without changing it.
        </li>
        <li>
          To go back to an export of this page, check the file above, and import it into an empty tenant.
        </li>
      </ul>
    </Section>
  )
}

/** With several databases: the database of the tenant, and a form to move it. */
function MoveSection({ tenant: { id }, database: { name, others }, moveError, job }: TransferProps) {
  if (others.length === 0) return null
  return (
    <Section needs="change" id="database" title="Move to another database">
      <FormNotice error={moveError} fields={['database']} />
      <p>
        The tenant is stored in <span class="mono">{name}</span>. A move takes all of its data, including
        tokens and the provisioning log. During the move, clients can read; writes get 503.
      </p>
      <ChangeForm action={tenantPaths(id).move} class="row-form">
        <Field
          id="tenant-database"
          name="database"
          label="Move to"
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
      </ChangeForm>
    </Section>
  )
}
