/**
 * Webhooks: the webhooks and the readers of the event feed with their health, and the form for a new webhook.
 */
import type { FeedReader, Lag } from '../../storage/events/feed-readers.ts'
import type { Webhook } from '../../storage/webhooks/webhooks.ts'
import { Badge, EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { TimeOrNever } from '../components/credential-table.tsx'
import { Field, type FormError, FormNotice } from '../components/form.tsx'
import { counted } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { type Column, RowTable } from '../components/row-table.tsx'
import { Ago, Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

/** The values of the form. */
export interface WebhookForm {
  readonly url: string
  /** Empty for all types. */
  readonly types: readonly string[]
}

export interface WebhooksProps {
  readonly administrator: Administrator
  readonly now: number
  readonly tenant: PageTenant
  readonly webhooks: readonly Webhook[]
  readonly readers: readonly FeedReader[]
  /** The types of events. */
  readonly types: readonly string[]
  /** The id of the webhook that the form creates. */
  readonly newId: string
  /** The sent form, if it was refused. */
  readonly form: WebhookForm | undefined
  readonly error: FormError | undefined
  /** A message about the last action. */
  readonly done: string | undefined
}

export function WebhooksPage(props: WebhooksProps) {
  const { administrator, tenant, webhooks, readers, types, newId, now, form, error, done } = props
  const paths = tenantPaths(tenant.id)
  return (
    <Layout title="Webhooks" administrator={administrator} tenant={tenant} current="webhooks">
      <PageHead
        title="Webhooks"
        lead="Each webhook gets every change to the directory, signed and in order."
      />
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      <Section id="webhooks" title="Webhooks">
        {webhooks.length === 0 ? (
          <EmptyState title="No webhooks.">
            <p>
              Applications can also read the same events from <code>/events</code>. They need a token for
              that.
            </p>
          </EmptyState>
        ) : (
          <WebhookTable webhooks={webhooks} now={now} path={paths.webhooks} />
        )}
      </Section>
      {readers.length > 0 && (
        <Section id="readers" title="Readers of the event feed">
          <ReaderTable readers={readers} now={now} />
        </Section>
      )}
      <Section needs="change" id="create" title="Create a webhook">
        <ChangeForm action={paths.webhooks}>
          <FormNotice error={error} fields={['url']} />
          <input type="hidden" name="id" value={newId} />
          <WebhookFields form={form ?? { url: '', types: [] }} types={types} error={error} />
          <button type="submit" class="primary">
            Create
          </button>
        </ChangeForm>
      </Section>
    </Layout>
  )
}

function WebhookTable(props: {
  readonly webhooks: readonly Webhook[]
  readonly now: number
  readonly path: string
}) {
  const { webhooks, now, path } = props
  const head = {
    label: 'Receiver',
    cell: (webhook: Webhook) => (
      <a class="clamp" href={`${path}/${webhook.id}`}>
        {receiverOf(webhook)}
      </a>
    ),
  }
  const columns: readonly Column<Webhook>[] = [
    { label: 'State', cell: (webhook) => <WebhookState webhook={webhook} /> },
    { label: 'Behind', cell: ({ health }) => <Behind lag={health} now={now} /> },
    { label: 'Last success', cell: ({ health }) => <TimeOrNever at={health.lastSuccessAt} /> },
    { label: 'Last error', cell: ({ health }) => health.lastError ?? '—' },
  ]
  return <RowTable rows={webhooks} head={head} columns={columns} />
}

function ReaderTable({ readers, now }: { readers: readonly FeedReader[]; now: number }) {
  const columns: readonly Column<FeedReader>[] = [
    { label: 'Behind', cell: (reader) => <Behind lag={reader} now={now} /> },
    { label: 'Last read', cell: ({ readAt }) => <Time at={readAt} /> },
  ]
  return <RowTable rows={readers} head={{ label: 'Client', cell: ({ name }) => name }} columns={columns} />
}

/** The receiver without the query of the URL, which may hold a credential. */
export function receiverOf({ url }: Pick<Webhook, 'url'>): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname === '/' ? '' : pathname}`
}

export function WebhookState({ webhook: { state, health } }: { webhook: Webhook }) {
  if (state === 'disabled') return <Badge tone="off">Disabled</Badge>
  return health.attempts > 0 ? <Badge tone="danger">Failing</Badge> : <Badge tone="ok">Active</Badge>
}

/** How far a consumer is behind, in events and in time. */
export function Behind({ lag: { eventsBehind, behindSince }, now }: { lag: Lag; now: number }) {
  if (eventsBehind === 0 || behindSince === null) return <>Up to date</>
  return (
    <>
      {counted(eventsBehind, 'event')}, oldest: <Ago at={behindSince} now={now} />
    </>
  )
}

/** The fields of the forms that create and change a webhook. */
export function WebhookFields(props: {
  readonly form: WebhookForm
  readonly types: readonly string[]
  readonly error: FormError | undefined
}) {
  const { form, types, error } = props
  return (
    <>
      <Field
        id="webhook-url"
        name="url"
        label="URL"
        hint="With https and the name of a public host."
        error={error}
        control={(attributes) => (
          <input
            {...attributes}
            type="url"
            value={form.url}
            required
            autocomplete="off"
            placeholder="https://receiver.example.com/events"
          />
        )}
      />
      <fieldset class="field">
        <legend>Events</legend>
        <p class="hint">If none is selected, all events are sent, those of later versions included.</p>
        <div class="checks">
          {types.map((type) => (
            <label>
              <input type="checkbox" name={`type:${type}`} checked={form.types.includes(type)} />
              <code>{type}</code>
            </label>
          ))}
        </div>
      </fieldset>
    </>
  )
}
