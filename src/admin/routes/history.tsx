/** The pages Deleted and Undo, and the histories of users and groups. */
import { Hono } from 'hono'
import { historyViewQuery, pastOf, pastQuery, SCANNED_ON_PAGE } from '../../provider/history/history.ts'
import { deletedQuery, previewRestore } from '../../provider/history/restore.ts'
import { DAY_MS } from '../../scim/duration.ts'
import { shorten } from '../../scim/error.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import { NO_EXTENSIONS } from '../../scim/schema/tenant-extensions.ts'
import { NOTHING } from '../../storage/database/query.ts'
import { actorsQuery, type UndoWindow, type WindowSource } from '../../storage/events/undo.ts'
import { extensionsQuery } from '../../storage/extensions/stored-extensions.ts'
import { tombstoneQuery, tombstonesQuery } from '../../storage/resources/tombstones.ts'
import { extendedTypes } from '../../storage/tables/resource-tables.ts'
import type { FormError } from '../components/form.tsx'
import { tenantPaths } from '../components/paths.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { invalidField, toAdminError } from '../errors.ts'
import { visibleName } from '../hidden-characters.ts'
import { DeletedPage, ErasePage, RestorePage } from '../pages/deleted.tsx'
import { HistoryPage } from '../pages/history.tsx'
import { type UndoForm, UndoFormPage, UndoResultPage } from '../pages/undo.tsx'
import { noteTarget } from '../people/audit-note.ts'
import { eraseOf, restoreOf } from '../tombstones.ts'
import {
  cancelUndoOf,
  previewOf,
  previewSource,
  startUndoOf,
  type UndoExtent,
  undoPageQueries,
  undoResultFrom,
  undoResultQueries,
} from '../undo.ts'
import { doneMessage, formErrorOf, loadWithTenant, PageNotFound, readForm } from './request.ts'

const PAGE_SIZE = 50
/** Members of a group as it was; the admin API has all of them. */
const MEMBERS_ON_PAGE = 100

const DONE: Readonly<Record<string, string>> = {
  restored: 'It is restored.',
  started: 'It is being restored, together with its memberships.',
  erased: 'It is erased.',
}

export const history = new Hono<AdminEnv>()

history.get('/:tenant/deleted', (c) => deletedPage(c, undefined))

history.get('/:tenant/deleted/:id/restore', async (c) => {
  const [db, id] = [c.get('db'), idOf(c)]
  const { tenant, stored, deleted } = await loadWithTenant(c, (tenantId) => ({
    stored: extensionsQuery(tenantId),
    deleted: deletedQuery(tenantId, id),
  }))
  if (deleted === undefined) throw notKept(c, id)
  const types = extendedTypes(c.get('resourceTypes'), stored?.extensions ?? NO_EXTENSIONS)
  const preview = await previewRestore(db, types, tenant.id, deleted)
  return c.html(<RestorePage {...{ administrator: c.get('administrator'), tenant, preview }} />)
})

history.post('/:tenant/deleted/:id/restore', async (c) => {
  try {
    const { job } = await restoreOf(c, tenantOf(c), idOf(c))
    return c.redirect(`${pathsOf(c).deleted}?done=${job === undefined ? 'restored' : 'started'}`, 303)
  } catch (error) {
    return await deletedPage(c, formErrorOf(toAdminError(error)))
  }
})

history.get('/:tenant/deleted/:id/erase', async (c) => {
  const id = idOf(c)
  const { tenant, tombstone } = await loadWithTenant(c, (tenantId) => ({
    tombstone: tombstoneQuery(tenantId, id),
  }))
  if (tombstone === undefined) throw notKept(c, id)
  const name = visibleName(tombstone.name, id)
  return c.html(<ErasePage administrator={c.get('administrator')} tenant={tenant} id={id} name={name} />)
})

history.post('/:tenant/deleted/:id/erase', async (c) => {
  await eraseOf(c, tenantOf(c), idOf(c))
  return c.redirect(`${pathsOf(c).deleted}?done=erased`, 303)
})

async function deletedPage(c: AdminContext, error: (FormError & { readonly status: 400 | 409 }) | undefined) {
  const before = positionOf(c)
  const { tenant, page } = await loadWithTenant(c, (id) => ({
    page: tombstonesQuery(id, { before, size: PAGE_SIZE }),
  }))
  const shared = { administrator: c.get('administrator'), tenant, page, before, error }
  const days = c.env.settings.tombstoneDays
  return c.html(<DeletedPage {...shared} days={days} done={doneMessage(c, DONE)} />, error?.status ?? 200)
}

history.get('/:tenant/history/:id', async (c) => {
  const [id, before, at] = [idOf(c), positionOf(c), c.req.query('at') ?? '']
  const time = timeIn(at)
  const { tenant, stored, view, found } = await loadWithTenant(c, (tenantId) => {
    const request = { types: c.get('resourceTypes'), tenantId, id }
    return {
      stored: extensionsQuery(tenantId),
      view: historyViewQuery(request, before, SCANNED_ON_PAGE),
      found: time === undefined ? NOTHING : pastQuery(request, time),
    }
  })
  if (view.resource === undefined && view.entries.length === 0 && view.next === undefined)
    throw notKept(c, id)
  const shared = { administrator: c.get('administrator'), tenant, id, view, before, at }
  try {
    if (at === '') return c.html(<HistoryPage {...shared} past={undefined} error={undefined} />)
    const types = extendedTypes(c.get('resourceTypes'), stored?.extensions ?? NO_EXTENSIONS)
    const request = { types, tenantId: tenant.id, id }
    const then = timeOf(at, 'at')
    const past = found && (await pastOf(c.get('db'), request, then, found, { size: MEMBERS_ON_PAGE }))
    return c.html(<HistoryPage {...shared} past={past} error={undefined} />)
  } catch (cause) {
    const error = formErrorOf(toAdminError(cause))
    return c.html(
      <HistoryPage {...shared} past={undefined} error={{ ...error, field: 'at' }} />,
      error.status,
    )
  }
})

history.get('/:tenant/undo', async (c) => {
  const { client = '', from = '', to = '' } = c.req.query()
  const form = { client, from, to }
  if (from === '' && to === '') return await undoPage(c, { form: { client, ...lastDay(c.env.now()) } })
  const before = positionOf(c)
  const problem = (error: unknown) => undoPage(c, { form, error: formErrorOf(error) })
  let request: UndoWindow
  let source: WindowSource
  try {
    request = windowOf(form)
    source = previewSource(tenantOf(c), request)
  } catch (error) {
    return await problem(error)
  }
  const extent = extentOf(c)
  const { tenant, actors, ...found } = await loadWithTenant(c, (id) => ({
    actors: actorsQuery(id, form.client),
    ...undoPageQueries(c, id, source, { before, extent }),
  }))
  try {
    const preview = await previewOf(c, tenant.id, request, found, extent)
    const shared = { administrator: c.get('administrator'), tenant, actors, form, before, extent }
    return c.html(<UndoFormPage {...shared} preview={preview} error={undefined} />)
  } catch (error) {
    return await problem(error)
  }
})

history.post('/:tenant/undo', async (c) => {
  const { client = '', from = '', to = '' } = await readForm(c)
  const form = { client, from, to }
  try {
    const job = await startUndoOf(c, tenantOf(c), windowOf(form))
    noteTarget(c, job.id)
    return c.redirect(`${pathsOf(c).undo}/${pathSegment(job.id)}`, 303)
  } catch (error) {
    return await undoPage(c, { form, error: formErrorOf(error) })
  }
})

history.post('/:tenant/undo/cancel', async (c) => {
  const { id } = await cancelUndoOf(c, tenantOf(c))
  return c.redirect(`${pathsOf(c).undo}/${pathSegment(id)}`, 303)
})

history.get('/:tenant/undo/:id', async (c) => {
  const [before, id] = [positionOf(c), idOf(c)]
  const extent = extentOf(c)
  const queries = await undoResultQueries(c, tenantOf(c), id, { before, extent })
  const { tenant, ...found } = await loadWithTenant(c, () => queries)
  const result = await undoResultFrom(c, tenant.id, id, found, extent)
  return c.html(
    <UndoResultPage
      administrator={c.get('administrator')}
      tenant={tenant}
      before={before}
      extent={extent}
      {...result}
    />,
  )
})

async function undoPage(
  c: AdminContext,
  {
    form,
    error,
  }: {
    readonly form: UndoForm
    readonly error?: FormError & { readonly status: 400 | 409 }
  },
) {
  const { tenant, actors } = await loadWithTenant(c, (id) => ({ actors: actorsQuery(id, form.client) }))
  const shared = { administrator: c.get('administrator'), tenant, actors, form, error }
  return c.html(
    <UndoFormPage {...shared} before={undefined} extent={undefined} preview={undefined} />,
    error?.status ?? 200,
  )
}

/** What a link on the page asks for, beyond what a page tells by itself. */
function extentOf(c: AdminContext): UndoExtent {
  return {
    countsAll: c.req.query('counts') !== undefined,
    checksMembers: c.req.query('members') !== undefined,
    looksFar: c.req.query('far') !== undefined,
  }
}

function windowOf({ client, from, to }: UndoForm): UndoWindow {
  return { clientId: client, from: timeOf(from, 'from'), to: timeOf(to, 'to') }
}

/** The period that an empty form proposes. */
function lastDay(now: number): Omit<UndoForm, 'client'> {
  return { from: fieldTime(now - DAY_MS), to: fieldTime(now) }
}

/** A time for a field for times, in UTC. */
function fieldTime(time: number): string {
  return new Date(time).toISOString().slice(0, 19)
}

/** A time of a field for times, in UTC. @returns undefined if it is none */
function timeIn(text: string): number | undefined {
  const time = Date.parse(/Z$/i.test(text) ? text : `${text}Z`)
  return Number.isNaN(time) ? undefined : time
}

/** The same. @throws {AdminError} 400 */
function timeOf(text: string, field: string): number {
  const time = timeIn(text)
  if (time === undefined) throw invalidField(field, 'a time such as "2026-11-27T02:00"', text)
  return time
}

function positionOf(c: AdminContext): number | undefined {
  const text = c.req.query('before') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function notKept(c: AdminContext, id: string): PageNotFound {
  return new PageNotFound(`Nothing is kept of a user or group “${shorten(id)}”.`, [
    ['Deleted', pathsOf(c).deleted],
  ])
}

function tenantOf(c: AdminContext): string {
  return c.req.param('tenant') ?? ''
}

function idOf(c: AdminContext): string {
  return c.req.param('id') ?? ''
}

function pathsOf(c: AdminContext) {
  return tenantPaths(tenantOf(c))
}
