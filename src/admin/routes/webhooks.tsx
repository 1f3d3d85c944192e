/**
 * Webhooks: creates, changes, tries out, replays and deletes them, and shows how far each consumer of events has got.
 */
import { Hono } from 'hono'
import { shorten } from '../../scim/error.ts'
import { eventTypes } from '../../scim/events.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import { feedReadersQuery } from '../../storage/events/feed-readers.ts'
import { deliveriesQuery, webhookQuery, webhooksQuery } from '../../storage/webhooks/webhooks.ts'
import { tenantPaths } from '../components/paths.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { DeleteWebhookPage, NewSecretPage, WebhookPage } from '../pages/webhook.tsx'
import { type WebhookForm, WebhooksPage } from '../pages/webhooks.tsx'
import { noteTarget } from '../people/audit-note.ts'
import {
  addSecretOf,
  changeWebhookOf,
  createWebhookOf,
  deleteWebhookOf,
  removeSecretOf,
  replayWebhookOf,
  SentBefore,
  testWebhookOf,
  visibleWebhook,
} from '../webhooks.ts'
import { doneMessage, formErrorOf, loadWithTenant, PageNotFound, readForm, requireUuid } from './request.ts'

const DONE: Readonly<Record<string, string>> = {
  known: 'This form was sent before. Its secret was shown then and is not shown again.',
  deleted: 'The webhook is deleted.',
  saved: 'Saved. A delivery that is under way may still follow the old values for half a minute.',
  active: 'The webhook is enabled. It goes on with the first event that was not delivered.',
  disabled: 'The webhook is disabled. Its position is kept.',
  removed: 'The secret is removed. Deliveries are no longer signed with it.',
  replayed: 'The events are being sent again.',
  tested: 'A test event was sent. Its outcome is the first of the deliveries.',
}

/** The names of the check boxes for types begin with this. */
const TYPE_FIELD = 'type:'

type Form = Readonly<Record<string, string | undefined>>

export const webhooks = new Hono<AdminEnv>()

webhooks.get('/:tenant/webhooks', (c) => listPage(c, undefined, undefined))

webhooks.post('/:tenant/webhooks', async (c) => {
  const input = await readForm(c)
  const [tenantId, form] = [tenantOf(c), formOf(input)]
  try {
    const { webhook, secret } = await createWebhookOf(c, tenantId, inputOf(form), requireUuid(input.id))
    noteTarget(c, webhook.id)
    return await newSecretPage(c, webhook.id, secret, true)
  } catch (error) {
    if (error instanceof SentBefore) return c.redirect(`${pathOf(c)}?done=known`, 303)
    return await listPage(c, form, formErrorOf(error))
  }
})

webhooks.get('/:tenant/webhooks/:id', (c) => detailPage(c, undefined, undefined))

webhooks.post('/:tenant/webhooks/:id', async (c) => {
  const form = formOf(await readForm(c))
  try {
    await changeWebhookOf(c, tenantOf(c), idOf(c), inputOf(form))
    return done(c, 'saved')
  } catch (error) {
    return await detailPage(c, form, formErrorOf(error))
  }
})

webhooks.post('/:tenant/webhooks/:id/state', async (c) => {
  const { state } = await readForm(c)
  const wanted = state === 'active' ? 'active' : 'disabled'
  await changeWebhookOf(c, tenantOf(c), idOf(c), { state: wanted })
  return done(c, wanted)
})

webhooks.post('/:tenant/webhooks/:id/test', async (c) => {
  await testWebhookOf(c, tenantOf(c), idOf(c))
  return done(c, 'tested')
})

webhooks.post('/:tenant/webhooks/:id/replay', async (c) => {
  const { after = '' } = await readForm(c)
  try {
    await replayWebhookOf(c, tenantOf(c), idOf(c), after.trim() || null)
    return done(c, 'replayed')
  } catch (error) {
    return await detailPage(c, undefined, formErrorOf(error))
  }
})

webhooks.post('/:tenant/webhooks/:id/secrets', async (c) => {
  const { id } = await readForm(c)
  try {
    const { secret } = await addSecretOf(c, tenantOf(c), idOf(c), requireUuid(id))
    return await newSecretPage(c, idOf(c), secret, false)
  } catch (error) {
    if (error instanceof SentBefore) return done(c, 'known')
    return await detailPage(c, undefined, formErrorOf(error))
  }
})

webhooks.post('/:tenant/webhooks/:id/secrets/:secret/remove', async (c) => {
  try {
    await removeSecretOf(c, tenantOf(c), idOf(c), c.req.param('secret'))
    return done(c, 'removed')
  } catch (error) {
    return await detailPage(c, undefined, formErrorOf(error))
  }
})

webhooks.get('/:tenant/webhooks/:id/delete', async (c) => {
  const { tenant, webhook } = await load(c)
  return c.html(
    <DeleteWebhookPage administrator={c.get('administrator')} tenant={tenant} webhook={webhook} />,
  )
})

webhooks.post('/:tenant/webhooks/:id/delete', async (c) => {
  await deleteWebhookOf(c, tenantOf(c), idOf(c))
  return c.redirect(`${pathOf(c)}?done=deleted`, 303)
})

function tenantOf(c: AdminContext): string {
  return c.req.param('tenant') ?? ''
}

function idOf(c: AdminContext): string {
  return c.req.param('id') ?? ''
}

function pathOf(c: AdminContext): string {
  return tenantPaths(tenantOf(c)).webhooks
}

function done(c: AdminContext, what: string): Response {
  return c.redirect(`${pathOf(c)}/${pathSegment(idOf(c))}?done=${what}`, 303)
}

function formOf(input: Form): WebhookForm {
  const types = Object.keys(input).filter((name) => name.startsWith(TYPE_FIELD))
  return { url: input.url ?? '', types: types.map((name) => name.slice(TYPE_FIELD.length)) }
}

/** No check box stands for all types. */
function inputOf({ url, types }: WebhookForm) {
  return { url: url.trim(), types: types.length === 0 ? null : [...types] }
}

async function load(c: AdminContext) {
  const id = idOf(c)
  const { webhook, deliveries, ...rest } = await loadWithTenant(c, (tenantId) => ({
    webhook: webhookQuery(tenantId, id),
    deliveries: deliveriesQuery(tenantId, id),
  }))
  if (webhook === undefined || deliveries === undefined) {
    throw new PageNotFound(`There is no webhook with the id “${shorten(id)}” in this tenant.`, [
      ['Webhooks', pathOf(c)],
    ])
  }
  return { ...rest, webhook: visibleWebhook(c, rest.tenant.id, webhook), deliveries }
}

async function listPage(
  c: AdminContext,
  form: WebhookForm | undefined,
  error: ReturnType<typeof formErrorOf> | undefined,
): Promise<Response> {
  const { tenant, all, readers } = await loadWithTenant(c, (tenantId) => ({
    all: webhooksQuery(tenantId),
    readers: feedReadersQuery(tenantId),
  }))
  return c.html(
    <WebhooksPage
      administrator={c.get('administrator')}
      now={c.env.now()}
      tenant={tenant}
      webhooks={all.map((webhook) => visibleWebhook(c, tenant.id, webhook))}
      readers={readers}
      types={eventTypes(c.get('resourceTypes'))}
      newId={c.env.newId()}
      form={form}
      error={error}
      done={doneMessage(c, DONE)}
    />,
    error?.status ?? 200,
  )
}

async function detailPage(
  c: AdminContext,
  form: WebhookForm | undefined,
  error: ReturnType<typeof formErrorOf> | undefined,
): Promise<Response> {
  const { tenant, webhook, deliveries } = await load(c)
  return c.html(
    <WebhookPage
      administrator={c.get('administrator')}
      now={c.env.now()}
      tenant={tenant}
      webhook={webhook}
      deliveries={deliveries}
      types={eventTypes(c.get('resourceTypes'))}
      newId={c.env.newId()}
      form={form ?? { url: webhook.url, types: webhook.types ?? [] }}
      error={error}
      done={doneMessage(c, DONE)}
    />,
    error?.status ?? 200,
  )
}

/** Shows a secret. It appears only in the response to this POST. */
async function newSecretPage(
  c: AdminContext,
  webhookId: string,
  secret: string,
  isFirst: boolean,
): Promise<Response> {
  const { tenant } = await loadWithTenant(c, () => ({}))
  return c.html(
    <NewSecretPage
      administrator={c.get('administrator')}
      tenant={tenant}
      webhookId={webhookId}
      secret={secret}
      isFirst={isFirst}
    />,
    201,
  )
}
