/**
 * The form with the filters of the provisioning log.
 */
import type { ResourceType } from '../../scim/schema/definition.ts'
import { pluralOf } from '../../scim/schema/resource-type.ts'
import type { OfferedClient } from '../../storage/access/clients.ts'
import { LOG_ACTIONS } from '../../storage/log/log-entry.ts'
import { visibleName } from '../hidden-characters.ts'
import { Field, type FormError, FormNotice, Select } from './form.tsx'
import { allOf } from './resource-names.ts'

/** The values of the form, by query parameter. */
export interface LogFilterForm extends Readonly<Record<string, string | undefined>> {
  readonly q: string | undefined
  readonly action: string | undefined
  readonly outcome: string | undefined
  readonly type: string | undefined
  readonly client: string | undefined
  /** Set only by links of entries; the form has no field for it. */
  readonly token: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly resource: string | undefined
}

/** Filters that are hidden until one of them is used. */
const MORE = ['action', 'type', 'client', 'from', 'to']

const OUTCOMES = [
  ['', 'Any outcome'],
  ['accepted', 'Accepted'],
  ['refused', 'Refused'],
] as const

export function LogFilters(props: {
  readonly path: string
  readonly types: readonly ResourceType[]
  readonly clients: readonly OfferedClient[]
  readonly form: LogFilterForm
  readonly error: FormError | undefined
}) {
  const { path, types, clients, form, error } = props
  const isFiltered = Object.values(form).some((value) => value !== undefined && value !== '')
  return (
    <form class="panel filters" method="get" action={path} aria-label="Filters">
      <FormNotice error={error} fields={['q', 'from', 'to', 'action', 'outcome', 'type', 'client']} />
      {form.resource && (
        <p class="chip">
          Only entries of <code>{form.resource}</code>
          <input type="hidden" name="resource" value={form.resource} />
        </p>
      )}
      {form.token && (
        <p class="chip">
          Only entries of the credential <code>{form.token}</code>
          <input type="hidden" name="token" value={form.token} />
        </p>
      )}
      <div class="grid">
        <TextFilter label="Text in name, id, reason or request id" value={form.q} error={error} />
        <Choice name="outcome" label="Outcome" value={form.outcome} options={OUTCOMES} error={error} />
        <FilterButtons path={path} isFiltered={isFiltered} />
      </div>
      <details open={MORE.some((name) => Boolean(form[name]))}>
        <summary>More filters</summary>
        <div class="grid">
          <Choice
            name="action"
            label="Action"
            value={form.action}
            options={[['', 'Any action'], ...LOG_ACTIONS.map((action) => [action, action] as const)]}
            error={error}
          />
          <Choice
            name="type"
            label="Resource"
            value={form.type}
            options={[['', allOf(types)], ...types.map((type) => [type.name, pluralOf(type)] as const)]}
            error={error}
          />
          <Choice
            name="client"
            label="Client"
            value={form.client}
            options={[
              ['', 'Any client'],
              ...clients.map(({ id, name }) => [id, visibleName(name, id)] as const),
            ]}
            error={error}
          />
          <TimeFilter name="from" label="From (UTC)" value={form.from} error={error} />
          <TimeFilter name="to" label="To (UTC)" value={form.to} error={error} />
        </div>
      </details>
    </form>
  )
}

export function FilterButtons({ path, isFiltered }: { path: string; isFiltered: boolean }) {
  return (
    <div class="field submit">
      <button type="submit" class="primary">
        Filter
      </button>
      {isFiltered && (
        <a class="button quiet" href={path}>
          Clear
        </a>
      )}
    </div>
  )
}

export function TextFilter(props: {
  readonly label: string
  readonly value: string | undefined
  readonly error: FormError | undefined
}) {
  const { label, value, error } = props
  return (
    <Field
      id="filter-q"
      name="q"
      label={label}
      error={error}
      control={(attributes) => <input {...attributes} type="search" value={value ?? ''} />}
    />
  )
}

function Choice(props: {
  readonly name: string
  readonly label: string
  readonly value: string | undefined
  readonly options: readonly (readonly [string, string])[]
  readonly error: FormError | undefined
}) {
  const { name, label, value, options, error } = props
  return (
    <Field
      id={`filter-${name}`}
      name={name}
      label={label}
      error={error}
      control={(attributes) => <Select attributes={attributes} value={value} options={options} />}
    />
  )
}

export function TimeFilter(props: {
  readonly name: string
  readonly label: string
  readonly value: string | undefined
  readonly error: FormError | undefined
}) {
  const { name, label, value, error } = props
  return (
    <Field
      id={`filter-${name}`}
      name={name}
      label={label}
      error={error}
      control={(attributes) => <input {...attributes} type="datetime-local" value={value ?? ''} />}
    />
  )
}
