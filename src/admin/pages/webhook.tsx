/**
 * One webhook: its health, its deliveries, its secrets, and the forms to change, try out and replay it.
 */
import type { Child } from 'hono/jsx'
import { MAX_WEBHOOK_SECRETS } from '../../scim/limits.ts'
import type { Delivery, Webhook } from '../../storage/webhooks/webhooks.ts'
import { Badge, EmptyState, Notice, PageHead, Section } from '../components/blocks.tsx'
import { Confirmation, type Confirmed } from '../components/confirmation.tsx'
import { CopyField } from '../components/copy-field.tsx'
import { Fact } from '../components/fact.tsx'
import { Field, type FormError, FormNotice } from '../components/form.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm, Permitted } from '../components/permitted.tsx'
import { ActionsHead } from '../components/row-table.tsx'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'
import { Behind, receiverOf, WebhookFields, type WebhookForm, WebhookState } from './webhooks.tsx'

export interface WebhookProps {
  readonly administrator: Administrator
  readonly now: number
  readonly tenant: PageTenant
  readonly webhook: Webhook
  /** Newest first. */
  readonly deliveries: readonly Delivery[]
  /** The types of events. */
  readonly types: readonly string[]
  /** The id of the secret that a form adds. */
  readonly newId: string
  readonly form: WebhookForm
  readonly error: FormError | undefined
  /** A message about the last action. */
  readonly done: string | undefined
}

/** The fields of the forms of this page. An error about anything else is shown above them. */
const FIELDS = ['url', 'after']

export function WebhookPage(props: WebhookProps) {
  const { administrator, tenant, webhook, types, form, error, done } = props
  const { webhooks } = tenantPaths(tenant.id)
  const path = `${webhooks}/${webhook.id}`
  return (
    <Layout title={receiverOf(webhook)} administrator={administrator} tenant={tenant} current="webhooks">
      <PageHead
        title={receiverOf(webhook)}
        lead={<WebhookState webhook={webhook} />}
        parent={['Webhooks', webhooks]}
      >
        <Action path={`${path}/test`} label="Send a test event" />
        {webhook.state === 'active' ? (
          <Action path={`${path}/state`} label="Disable" value="disabled" />
        ) : (
          <Action path={`${path}/state`} label="Enable" value="active" />
        )}
        <Permitted>
          <a class="button quiet danger-text" href={`${path}/delete`}>
            Delete
          </a>
        </Permitted>
      </PageHead>
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      <FormNotice error={error} fields={FIELDS} />
      {webhook.disabledReason !== null && (
        <Notice tone="danger" title="The webhook was disabled">
          <p>{webhook.disabledReason}</p>
        </Notice>
      )}
      <Health {...props} />
      <Deliveries {...props} path={path} />
      <Secrets {...props} path={path} />
      <Section needs="change" id="change" title="Change">
        <ChangeForm action={path}>
          <WebhookFields form={form} types={types} error={error} />
          <button type="submit" class="primary">
            Save
          </button>
        </ChangeForm>
      </Section>
    </Layout>
  )
}

/** A button that is a form. @param value of the field "state" */
function Action({ path, label, value }: { path: string; label: string; value?: string }) {
  return (
    <ChangeForm action={path}>
      {value && <input type="hidden" name="state" value={value} />}
      <button type="submit" class="quiet">
        {label}
      </button>
    </ChangeForm>
  )
}

function Health({ webhook: { types, health, createdAt }, now }: WebhookProps) {
  const time = (at: number | null, without: string) => (at === null ? without : <Time at={at} />)
  const facts: readonly (readonly [string, Child])[] = [
    ['Behind', <Behind lag={health} now={now} />],
    ['Last success', time(health.lastSuccessAt, 'Never')],
    ['Last attempt', time(health.lastAttemptAt, 'Never')],
    ['Last error', health.lastError ?? 'None'],
    ...(health.attempts > 0
      ? [
          ['Failed attempts', `${health.attempts}`] as const,
          ['Failing since', time(health.failingSince, '—')] as const,
          ['Next attempt', time(health.nextAttemptAt, 'None')] as const,
        ]
      : []),
    ['Events', types === null ? 'All' : types.join(', ')],
    ['Created', <Time at={createdAt} />],
  ]
  return (
    <Section id="health" title="Health" live>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <Fact name={name}>{value}</Fact>
        ))}
      </dl>
    </Section>
  )
}

function Deliveries({ deliveries, error, path }: WebhookProps & { path: string }) {
  return (
    <Section id="deliveries" title="Deliveries">
      {deliveries.length === 0 ? (
        <EmptyState title="No deliveries yet.">
          <p>The deliveries begin with the next change of the directory.</p>
        </EmptyState>
      ) : (
        <div class="scroll">
          <table class="stack tokens compact">
            <thead>
              <tr>
                <th scope="col">Event</th>
                <th scope="col">Time</th>
                <th scope="col">Attempt</th>
                <th scope="col">Outcome</th>
                <th scope="col">Duration</th>
                <ActionsHead />
              </tr>
            </thead>
            <tbody>
              {deliveries.map((delivery) => (
                <DeliveryRow delivery={delivery} path={path} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <ChangeForm class="row-form" action={`${path}/replay`}>
        <Field
          id="replay-after"
          name="after"
          label="Send again all events after"
          hint="The id of an event, or a cursor. If empty, all events that are kept."
          error={error}
          control={(attributes) => <input {...attributes} autocomplete="off" spellcheck={false} />}
        />
        <button type="submit" class="quiet">
          Replay
        </button>
      </ChangeForm>
    </Section>
  )
}

function DeliveryRow({ delivery, path }: { delivery: Delivery; path: string }) {
  const { time, eventId, type, attempt, status, error, durationMs } = delivery
  const before = eventId === null ? undefined : eventBefore(eventId)
  return (
    <tr>
      <th scope="row">
        {type ?? 'No longer stored'}
        {eventId !== null && <code class="block muted">{eventId}</code>}
      </th>
      <td data-label="Time">
        <Time at={time} />
      </td>
      <td data-label="Attempt" class="number">
        {attempt}
      </td>
      <td data-label="Outcome" class="outcome">
        <span>
          {error === null ? <Badge tone="ok">{`${status}`}</Badge> : <span class="error">{error}</span>}
        </span>
      </td>
      <td data-label="Duration" class="number">
        {durationMs} ms
      </td>
      <td class="row-actions">
        {before !== undefined && (
          <ChangeForm class="actions" action={`${path}/replay`}>
            <input type="hidden" name="after" value={before} />
            <button
              type="submit"
              class="quiet small"
              aria-label={`Resend from here: send ${eventId} and all later events again`}
            >
              Resend from here
            </button>
          </ChangeForm>
        )}
      </td>
    </tr>
  )
}

/** The id of the event before an event: their numbers have no gaps. @returns undefined for a test event */
function eventBefore(id: string): string | undefined {
  const [, head, number] = /^(evt_.+_)(\d+)$/.exec(id) ?? []
  return head === undefined || head.startsWith('evt_test_') ? undefined : `${head}${Number(number) - 1}`
}

function Secrets({ webhook: { secrets }, newId, path }: WebhookProps & { path: string }) {
  return (
    <Section id="secrets" title="Secrets">
      <p class="muted">
        Each delivery is signed with every secret. To rotate: add a secret, enter it in the receiver, remove
        the old one.
      </p>
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Secret</th>
            <th scope="col">Created</th>
            <ActionsHead />
          </tr>
        </thead>
        <tbody>
          {secrets.map(({ id, createdAt }, i) => (
            <tr>
              <th scope="row">
                Secret {i + 1} <code class="block muted">{id}</code>
              </th>
              <td data-label="Created">
                <Time at={createdAt} />
              </td>
              <td class="row-actions">
                {secrets.length > 1 && (
                  <ChangeForm class="actions" action={`${path}/secrets/${id}/remove`}>
                    <button
                      type="submit"
                      class="quiet small danger-text"
                      aria-label={`Remove secret ${i + 1}`}
                    >
                      Remove
                    </button>
                  </ChangeForm>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {secrets.length < MAX_WEBHOOK_SECRETS && (
        <ChangeForm action={`${path}/secrets`}>
          <input type="hidden" name="id" value={newId} />
          <button type="submit" class="quiet">
            Add a secret
          </button>
        </ChangeForm>
      )}
    </Section>
  )
}

/** The only page that shows a secret. */
export function NewSecretPage(
  props: Confirmed & {
    readonly webhookId: string
    readonly secret: string
    /** False if the webhook has other secrets. */
    readonly isFirst: boolean
  },
) {
  const { administrator, tenant, webhookId, secret, isFirst } = props
  return (
    <Layout title="Your new secret" administrator={administrator} tenant={tenant} current="webhooks">
      <PageHead title="Your new secret" />
      <Notice tone="warn" title="Copy the secret now. It will not be shown again.">
        <p>The receiver verifies deliveries with it.</p>
      </Notice>
      <section class="panel" aria-label="Secret">
        <CopyField id="webhook-secret" label="Secret" value={secret} />
        <p>
          Enter it in the receiver. Every library for Standard Webhooks accepts it as it is.
          {!isFirst && ' Deliveries are signed with the older secrets too, until you remove them.'}
        </p>
        <p class="actions">
          <a class="button primary" href={`${tenantPaths(tenant.id).webhooks}/${webhookId}`}>
            I have copied it
          </a>
        </p>
      </section>
    </Layout>
  )
}

/** Asks for confirmation before a webhook is deleted. */
export function DeleteWebhookPage(props: Confirmed & { readonly webhook: Webhook }) {
  const { webhook, ...confirmed } = props
  const path = `${tenantPaths(props.tenant.id).webhooks}/${webhook.id}`
  return (
    <Confirmation
      {...confirmed}
      current="webhooks"
      title="Delete a webhook"
      question={`Delete the webhook “${receiverOf(webhook)}”?`}
      action="delete"
      button="Delete"
      back={path}
    >
      Its position, its secrets and the list of its deliveries are deleted. A new webhook for the same
      receiver begins with the next event. To stop deliveries for a while, disable it instead.
    </Confirmation>
  )
}
