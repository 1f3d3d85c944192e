/** The progress of a job as a bar, or how it ended. */
import type { Job } from '../../storage/tenants/jobs.ts'
import { number, percent } from './number.ts'
import { tenantPaths } from './paths.ts'
import { Time } from './time.tsx'

/** In a section marked data-progress, the script refreshes it until the job ends. */
export function JobProgress({ job }: { job: Job }) {
  const { state, error, finishedAt } = job
  if (state === 'running') return <RunningJob job={job} />
  const when = finishedAt !== null && <Time at={finishedAt} />
  return state === 'failed' ? (
    <p class="notice warn">
      {nameOf(job)} failed: {error} {when}
    </p>
  ) : (
    <p>
      {nameOf(job)} finished {when}
    </p>
  )
}

function RunningJob({ job }: { job: Job }) {
  const { kind, step, done, total, error, tenantId } = job
  const value = Math.min(done, total)
  return (
    <>
      <p>
        {nameOf(job)}: {step}, {number(value)} of about {number(total)} {kind === 'import' ? 'lines' : 'rows'}
        {total > 0 && ` (${percent(value / total)})`}. <a href={tenantPaths(tenantId).transfer}>Refresh</a>
      </p>
      <progress aria-label={nameOf(job)} max={Math.max(total, 1)} value={value} />
      {error && <p class="muted">{error}</p>}
    </>
  )
}

function nameOf({ kind, target }: Job): string {
  if (kind === 'move') return `Move to ${target}`
  if (kind === 'export') return 'Export'
  if (kind === 'restore') return 'Restore'
  if (kind === 'undo') return 'Undo'
  return kind === 'import' ? 'Import' : 'Deletion'
}
