/**
 * The form with the filters of the audit trail.
 */
import { type FormError, FormNotice } from './form.tsx'
import { FilterButtons, TextFilter, TimeFilter } from './log-filters.tsx'

/** The values of the form, by query parameter. */
export interface AuditFilterForm extends Readonly<Record<string, string | undefined>> {
  readonly q: string | undefined
  readonly to: string | undefined
}

export function AuditFilters(props: {
  readonly path: string
  readonly form: AuditFilterForm
  readonly error: FormError | undefined
}) {
  const { path, form, error } = props
  return (
    <form class="panel filters" method="get" action={path} aria-label="Filters">
      <FormNotice error={error} fields={['q', 'to']} />
      <div class="grid">
        <TextFilter label="Text in name, operation, id or reason" value={form.q} error={error} />
        <TimeFilter name="to" label="Before (UTC)" value={form.to} error={error} />
        <FilterButtons path={path} isFiltered={Boolean(form.q || form.to)} />
      </div>
    </form>
  )
}
