/** The export of a tenant into a file, and the progress of its import. */
import type { Job } from '../../storage/tenants/jobs.ts'
import { Section } from './blocks.tsx'
import { type FormError, FormNotice } from './form.tsx'
import { JobProgress } from './job-progress.tsx'
import { tenantPaths } from './paths.ts'
import { Time } from './time.tsx'

export interface TransferProps {
  readonly tenantId: string
  /** The latest job of the tenant, of any kind. */
  readonly job: Job | undefined
  /** Its latest export. */
  readonly latestExport: Job | undefined
  /** Whether the file of the latest export can be downloaded. */
  readonly hasFile: boolean
  readonly error?: FormError | undefined
}

export function TransferSection({ tenantId, job, latestExport, hasFile, error }: TransferProps) {
  const paths = tenantPaths(tenantId)
  return (
    <Section id="transfer" title="Export and import">
      <FormNotice error={error} fields={[]} />
      <p>
        An export is a file with all users, groups and memberships (JSON Lines). It can be downloaded for 24
        hours and imported into an empty tenant with <code>POST /admin/api/tenants/…/imports</code>.
      </p>
      {job?.kind === 'import' && <JobProgress job={job} />}
      {latestExport && <JobProgress job={latestExport} />}
      {hasFile && latestExport && (
        <p>
          <a href={paths.file(latestExport.id)}>Download the export</a> of{' '}
          <Time at={latestExport.createdAt} />
        </p>
      )}
      <form method="post" action={paths.export}>
        <button type="submit" disabled={job?.state === 'running'}>
          Export
        </button>
      </form>
    </Section>
  )
}
