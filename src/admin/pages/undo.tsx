/** Undo: the form, the preview of what an undo would change, and its progress and result. */
import type { UndoOfResource } from '../../provider/undo/resource-undo.ts'
import type { Actor } from '../../storage/events/undo.ts'
import type { Job } from '../../storage/tenants/jobs.ts'
import { EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { counted, number } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import type { Administrator } from '../env.ts'
import { visibleName } from '../hidden-characters.ts'
import { Layout, type PageTenant } from '../layout.tsx'
import { FAR, type UndoExtent, type UndoPage, type UndoPreview } from '../undo.ts'
import { shown } from './history.tsx'

/** The values of the form; times in UTC, without their zone. */
export interface UndoForm {
  readonly client: string
  readonly from: string
  readonly to: string
}

interface PageProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
}

export interface UndoFormProps extends PageProps {
  readonly actors: readonly Actor[]
  readonly form: UndoForm
  readonly preview: UndoPreview | undefined
  /** The position of the page of the preview; undefined for the first one. */
  readonly before: number | undefined
  /** Undefined without a preview. */
  readonly extent: UndoExtent | undefined
  readonly error: FormError | undefined
}

export function UndoFormPage(props: UndoFormProps) {
  const { administrator, tenant, actors, form, preview, before, extent, error } = props
  const path = tenantPaths(tenant.id).undo
  const time = (id: 'from' | 'to', label: string) => (
    <Field
      id={id}
      name={id}
      label={`${label} (UTC)`}
      error={error}
      control={(attributes) => (
        <input {...attributes} type="datetime-local" step="1" value={form[id]} required />
      )}
    />
  )
  return (
    <Layout title="Undo" administrator={administrator} tenant={tenant} current="undo">
      <PageHead
        title="Undo"
        lead="Reverts what one client changed in a period. What others have changed since then stays."
      />
      <Section id="window" title="What to undo">
        <form method="get" action={path}>
          <FormNotice error={error} fields={['clientId', 'from', 'to']} />
          <Field
            id="client"
            name="clientId"
            label="Client"
            error={error}
            control={(attributes) => (
              <Select
                attributes={{ ...attributes, name: 'client' }}
                value={form.client}
                options={actors.map(({ id, name }) => [id, visibleName(name, id)] as const)}
              />
            )}
          />
          {time('from', 'From')}
          {time('to', 'To')}
          <button type="submit" class="primary">
            Preview
          </button>
        </form>
      </Section>
      {preview && (
        <Section id="preview" title="Preview">
          <Counts
            preview={preview}
            isOfPage={extent?.countsAll === false}
            all={withQuery(path, { ...form, counts: 'all' })}
          />
          <Resources
            tenantId={tenant.id}
            check={withQuery(path, { ...form, ...positionOf(before), members: 'all' })}
            resources={preview.resources}
            empty={preview.next === undefined ? 'Nothing is to be undone.' : 'Nothing was found so far.'}
            far={farOf(preview, path, { ...form })}
          />
          <Pagination
            first={before === undefined ? undefined : withQuery(path, { ...form })}
            next={
              preview.next === undefined || preview.resources.length === 0
                ? undefined
                : withQuery(path, { ...form, before: String(preview.next) })
            }
            label="the preview"
          />
          {hasChanges(preview) && (
            <ChangeForm action={path}>
              <input type="hidden" name="client" value={form.client} />
              <input type="hidden" name="from" value={form.from} />
              <input type="hidden" name="to" value={form.to} />
              <button type="submit" class="danger">
                Undo all changes in this period
              </button>
            </ChangeForm>
          )}
        </Section>
      )}
    </Layout>
  )
}

/** A page may be empty although there are changes on others. */
function hasChanges({ counts, resources }: UndoPreview): boolean {
  const { isComplete, ...found } = counts
  return !isComplete || resources.length > 0 || Object.values(found).some((count) => count > 0)
}

const KINDS = ['created', 'changed', 'enabled', 'disabled', 'deleted'] as const

interface CountsProps {
  readonly preview: UndoPreview
  /** Whether only the resources on the page are counted. */
  readonly isOfPage: boolean
  /** The address at which all changes are counted. */
  readonly all: string
}

function Counts({ preview: { clientName, counts }, isOfPage, all }: CountsProps) {
  const { joined, left } = counts
  const found = [
    ...KINDS.filter((kind) => counts[kind] > 0).map((kind) => `${number(counts[kind])} ${kind}`),
    ...(joined > 0 ? [`${counted(joined, 'membership')} added`] : []),
    ...(left > 0 ? [`${counted(left, 'membership')} removed`] : []),
  ]
  const text = found.length === 0 ? 'none' : found.join(', ')
  if (isOfPage && !counts.isComplete) {
    return (
      <p>
        Changes of {clientName} on this page: {text}. <a href={all}>Count all changes</a>
      </p>
    )
  }
  return (
    <p>
      Changes of {clientName}: {text}
      {!counts.isComplete && ', and more'}.
    </p>
  )
}

export interface UndoResultProps extends PageProps, UndoPage {
  readonly job: Job
  readonly before: number | undefined
  readonly extent: UndoExtent
}

export function UndoResultPage({ administrator, tenant, job, resources, next, before }: UndoResultProps) {
  const path = tenantPaths(tenant.id).undo
  const own = `${path}/${job.id}`
  const open = resources.filter((resource) => resource.left.length > 0 || !isDone(resource))
  return (
    <Layout title="Undo" administrator={administrator} tenant={tenant} current="undo">
      <PageHead title="Result of an undo" parent={['Undo', path]} />
      {job.state === 'running' ? (
        <>
          <div id="progress" data-progress="">
            <p role="status">
              In progress: {job.step}, {number(job.done)} resources done. <a href={own}>Refresh</a>
            </p>
            <progress aria-label="Undo" />
          </div>
          <ChangeForm action={`${path}/cancel`}>
            <button type="submit" class="quiet">
              Cancel
            </button>
          </ChangeForm>
        </>
      ) : (
        <p class={job.state === 'done' ? 'notice ok' : 'notice warn'} role="status">
          {job.state === 'done'
            ? 'The undo is complete.'
            : `The undo ended: ${job.error}. It can be started again.`}
        </p>
      )}
      <Section id="left" title={job.state === 'running' ? 'Still to do, and not undone' : 'Not undone'}>
        <Resources
          tenantId={tenant.id}
          check={withQuery(own, { ...positionOf(before), members: 'all' })}
          resources={open}
          empty={emptyOf(job, next)}
          far={farOf({ next }, own, {})}
        />
        <Pagination
          first={before === undefined ? undefined : own}
          next={
            next === undefined || open.length === 0 ? undefined : withQuery(own, { before: String(next) })
          }
          label="the result"
        />
      </Section>
    </Layout>
  )
}

/** What an empty page of the result says. More pages may follow it. */
function emptyOf({ state }: Job, next: number | undefined): string {
  if (state === 'running') return 'Nothing was found so far.'
  return next === undefined ? 'Everything was undone.' : 'Everything that was looked at so far is undone.'
}

/** The next page, which looks at more events. */
function farOf({ next }: Pick<UndoPage, 'next'>, path: string, query: Readonly<Record<string, string>>) {
  return next === undefined ? undefined : withQuery(path, { ...query, before: String(next), far: 'yes' })
}

function positionOf(before: number | undefined) {
  return before === undefined ? {} : { before: String(before) }
}

function isDone({ existence, values, added, removed, unchecked, isUnread }: UndoOfResource): boolean {
  const changes = Object.keys(values).length + added.length + removed.length + unchecked
  return existence === undefined && changes === 0 && isUnread !== true
}

function Resources({
  resources,
  tenantId,
  check,
  empty,
  far,
}: {
  readonly resources: readonly UndoOfResource[]
  readonly tenantId: string
  /** The address at which the members of all groups are checked. */
  readonly check: string
  /** What an empty page says. */
  readonly empty: string
  /** The address at which the next page looks at more events; undefined if there is none. */
  readonly far: string | undefined
}) {
  if (resources.length === 0) {
    return (
      <EmptyState title={empty}>
        {far && (
          <p>
            Only the newest changes of the period were looked at.{' '}
            <a href={far}>Look at the {number(FAR)} changes before it</a>
          </p>
        )}
      </EmptyState>
    )
  }
  return (
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Resource</th>
          <th scope="col">Undo</th>
          <th scope="col">Not undone</th>
        </tr>
      </thead>
      <tbody>
        {resources.map((resource) => (
          <tr>
            <th scope="row">
              <a href={tenantPaths(tenantId).historyOf(resource.id)}>
                {visibleName(resource.name, resource.id)}
              </a>
            </th>
            <td data-label="Undo">
              <div>
                {resource.isUnread ? (
                  <p>
                    It has too many changes for this page. <a href={check}>Check them</a>
                  </p>
                ) : (
                  <Actions resource={resource} />
                )}
                {resource.unchecked > 0 && (
                  <p>
                    Up to {counted(resource.unchecked, 'member')} added or removed.{' '}
                    <a href={check}>Check them</a>
                  </p>
                )}
              </div>
            </td>
            <td data-label="Not undone">
              <div>{leftOf(resource) || (resource.isUnread ? 'Not known' : 'Nothing')}</div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Actions({ resource }: { readonly resource: UndoOfResource }) {
  const actions = actionsOf(resource)
  if (actions.length === 0) return resource.unchecked === 0 ? <>Nothing</> : null
  return (
    <ul class="values">
      {actions.map((action) => (
        <li>
          <bdi>{action}</bdi>
        </li>
      ))}
    </ul>
  )
}

function actionsOf({ existence, values, added, removed }: UndoOfResource): readonly string[] {
  return [
    ...(existence === 'restore' ? ['Restore'] : []),
    ...(existence === 'delete' ? ['Delete'] : []),
    ...valuesOf(values).map(([name, value]) => `${name}: ${shown(value)}`),
    ...(added.length > 0 ? [`Add ${counted(added.length, 'member')}`] : []),
    ...(removed.length > 0 ? [`Remove ${counted(removed.length, 'member')}`] : []),
  ]
}

/** `schemas` follows from the extensions, so it is shown only if nothing else changes. */
function valuesOf(values: UndoOfResource['values']) {
  const all = Object.entries(values)
  return all.length === 1 ? all : all.filter(([name]) => name !== 'schemas')
}

const MAX_SHOWN_LEFT = 5

function leftOf({ left }: UndoOfResource): string {
  const texts = left.slice(0, MAX_SHOWN_LEFT).map(({ what, of, reason }) => `${of ?? what} (${reason})`)
  return [...texts, ...(left.length > MAX_SHOWN_LEFT ? [`${left.length - MAX_SHOWN_LEFT} more`] : [])].join(
    ', ',
  )
}
