/** The progress of a job, as a bar, or the reason why it failed. */
import type { Job } from '../../storage/tenants/jobs.ts'
import { Meter } from './meter.tsx'
import { number } from './number.ts'
import { tenantPaths } from './paths.ts'

export function JobProgress({ job }: { job: Job }) {
  const { kind, state, step, done, total, error, tenantId } = job
  const what = nameOf(job)
  if (state === 'running') {
    const counted = `${number(Math.min(done, total))} of about ${number(total)}`
    return (
      <>
        <p role="status">
          {what}: {step}, {counted} {kind === 'import' ? 'lines' : 'rows'}.{' '}
          <a href={tenantPaths(tenantId).settings}>Refresh</a>
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

function nameOf({ kind, target }: Job): string {
  if (kind === 'move') return `Move to ${target}`
  if (kind === 'export') return 'Export'
  if (kind === 'restore') return 'Restore'
  if (kind === 'undo') return 'Undo'
  return kind === 'import' ? 'Import' : 'Deletion'
}
