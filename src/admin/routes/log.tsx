/**
 * The provisioning log: its pages, the page of an entry, and downloads.
 */
import { Hono } from 'hono'
import { shorten } from '../../scim/error.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { offeredClientsQuery } from '../../storage/access/clients.ts'
import { LOG_ACTIONS } from '../../storage/log/log-entry.ts'
import {
  type LogFilters,
  logEntryQuery,
  logPageQuery,
  streamLog,
  unindexedConditions,
} from '../../storage/log/log-pages.ts'
import { logScanQuery, withNames } from '../../storage/log/log-scan.ts'
import { attachment } from '../attachment.ts'
import type { FormError } from '../components/form.tsx'
import type { LogFilterForm } from '../components/log-filters.tsx'
import { tenantPaths } from '../components/paths.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import { logCsvOf, logJsonOf } from '../log-download.ts'
import { LogEntryPage, ProvisioningLogPage } from '../pages/provisioning-log.tsx'
import { streamOf } from '../stream-of.ts'
import { loadWithTenant, PageNotFound, parseTime } from './request.ts'

const PAGE_SIZE = 50
const NOTHING = { entries: [], next: undefined, hasStopped: false } as const
const DOWNLOADS = {
  csv: { type: 'text/csv; charset=utf-8', write: logCsvOf },
  json: { type: 'application/json; charset=utf-8', write: logJsonOf },
} as const

export const log = new Hono<AdminEnv>()

log.get('/:tenant/log', async (c) => {
  const form = filterForm(c)
  const filters = parseFilters(form, c.get('resourceTypes'))
  const isUsable = !('message' in filters)
  const before = cursorOf(c)
  const isScan = isUsable && unindexedConditions(filters).length > 0
  const { tenant, clients, page } = await loadWithTenant(c, (tenantId) => {
    const request = { tenantId, before, size: PAGE_SIZE }
    const nothing = { statements: [], read: () => NOTHING }
    const query = isScan ? logScanQuery : logPageQuery
    return {
      clients: offeredClientsQuery(tenantId, 'all', form.client),
      page: isUsable ? query({ ...request, filters }) : nothing,
    }
  })
  return c.html(
    <ProvisioningLogPage
      administrator={c.get('administrator')}
      tenant={tenant}
      clients={clients}
      form={form}
      error={isUsable ? undefined : filters}
      page={isScan ? await withNames(c.get('db'), tenant.id, page) : page}
      isFirst={before === undefined}
    />,
    isUsable ? 200 : 400,
  )
})

for (const [extension, { type, write }] of Object.entries(DOWNLOADS)) {
  log.get(`/:tenant/log.${extension}`, async (c) => {
    const filters = parseFilters(filterForm(c), c.get('resourceTypes'))
    if ('message' in filters) throw new AdminError(400, 'invalid', filters.message)
    const { tenant } = await loadWithTenant(c, () => ({}))
    const day = new Date(c.env.now()).toISOString().slice(0, 10)
    return c.body(streamOf(write(streamLog(c.get('db'), tenant.id, filters))), 200, {
      'Content-Type': type,
      'Content-Disposition': attachment(`provisioning-log-${tenant.id}-${day}.${extension}`),
    })
  })
}

log.get('/:tenant/log/:id', async (c) => {
  const id = c.req.param('id')
  const { tenant, entry } = await loadWithTenant(c, (tenantId) => ({ entry: logEntryQuery(tenantId, id) }))
  if (entry === undefined) {
    throw new PageNotFound(
      `There is no entry “${shorten(id)}” in this log. It may be older than the retention time of the log.`,
      [['Provisioning log', tenantPaths(tenant.id).log]],
    )
  }
  return c.html(<LogEntryPage administrator={c.get('administrator')} tenant={tenant} entry={entry} />)
})

function cursorOf(c: AdminContext): string | undefined {
  const before = c.req.query('before')
  return before !== undefined && /^[0-9a-f-]{36}$/.test(before) ? before : undefined
}

function filterForm(c: AdminContext): LogFilterForm {
  const { q, action, outcome, type, client, token, from, to, resource } = c.req.query()
  return { q, action, outcome, type, client, token, from, to, resource }
}

/** The filters in a form, or the first error in it. */
function parseFilters(form: LogFilterForm, types: readonly ResourceType[]): LogFilters | FormError {
  try {
    return {
      text: form.q?.trim() || undefined,
      action: oneOf('action', form.action, LOG_ACTIONS),
      outcome: oneOf('outcome', form.outcome, ['accepted', 'refused']),
      resourceType: oneOf(
        'type',
        form.type,
        types.map(({ name }) => name),
      ),
      clientId: form.client || undefined,
      tokenId: form.token || undefined,
      resourceId: form.resource || undefined,
      from: parseTime('from', form.from),
      to: parseTime('to', form.to),
    }
  } catch (error) {
    if (error instanceof AdminError) return { field: error.field, message: error.message }
    throw error
  }
}

function oneOf(field: string, value: string | undefined, allowed: readonly string[]): string | undefined {
  if (value === undefined || value === '' || allowed.includes(value)) return value || undefined
  throw new AdminError(400, 'invalid', `Must be one of: ${allowed.join(', ')}`, field)
}
