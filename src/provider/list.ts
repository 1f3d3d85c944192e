/**
 * Lists of resources: of one type, or across types (RFC 7644 §3.4.2, §3.4.3), by index or by cursor
 * (RFC 9865).
 */
import { MAX_WORK_UNITS } from '../scim/limits.ts'
import type { Page } from '../scim/list-response.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import type * as scim from '../scim/search-request.ts'
import { Work } from '../scim/work.ts'
import { clientOf } from '../storage/access/tokens.ts'
import type { Listed } from '../storage/lists/list.ts'
import * as storage from '../storage/lists/list.ts'
import type { ListPart, Position, Slice } from '../storage/lists/list-request.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { type Call, renderJson, withReferences } from './call.ts'
import { type CursorOwner, openCursor, sealCursor } from './cursor.ts'

type ListRequest = scim.ListRequest<StoredResourceType>
type ListSource = scim.ListSource<StoredResourceType>

/** A page of resources. @throws {ScimError} invalidCursor, expiredCursor */
export async function listResources(call: Call, request: ListRequest): Promise<Page> {
  return await pageOf(call, request, async (slice) => {
    const { total, listed, hasMore } = await read(call, request, slice)
    const onPage = renderedPage(call, request, listed)
    return { total, hasMore: hasMore || onPage.length < listed.length, listed: onPage }
  })
}

/** The resources from the first one on, until their projection has taken MAX_WORK_UNITS: at least one. */
function renderedPage(call: Call, request: ListRequest, listed: readonly Listed[]): readonly RenderedItem[] {
  const counted = { ...call, projecting: new Work('tooMany', Number.POSITIVE_INFINITY) }
  const onPage: RenderedItem[] = []
  for (const one of listed) {
    if (counted.projecting.spent > MAX_WORK_UNITS) break
    onPage.push(...rendered(counted, request, one))
  }
  return onPage
}

/** A resource of a list as JSON text, with its position. */
export interface RenderedItem {
  readonly json: string
  readonly position: Position
}

/** A page by index or by cursor. @param read see storage.ListedPage @throws {ScimError} invalidCursor, expiredCursor */
export async function pageOf(
  call: Call,
  { page, sources }: scim.ListRequest<ResourceType>,
  read: (slice: Slice) => Promise<{ total: number; listed: readonly RenderedItem[]; hasMore: boolean }>,
): Promise<Page> {
  if (page.kind === 'index') {
    const { total, listed } = await read({ offset: page.startIndex - 1, limit: page.count })
    return { totalResults: total, startIndex: page.startIndex, resources: listed.map(({ json }) => json) }
  }
  const { identity } = page
  const cursor = page.cursor === '' ? undefined : await openCursor(page.cursor, identity, await ownerOf(call))
  const isBackwards = cursor?.isBackwards ?? false
  const slice = { from: cursor?.position, isBackwards, limit: page.count, total: cursor?.total }
  const { total, listed, hasMore } = await read(slice)
  const onPage = isBackwards ? listed.toReversed() : listed
  const isFiltered = sources.some(({ filter }) => filter !== undefined)
  return {
    totalResults: total,
    resources: onPage.map(({ json }) => json),
    // A page that was reached backwards has a next one; a page that was reached by a cursor has a previous one.
    nextCursor: await seal(hasMore || isBackwards, onPage.at(-1), false),
    previousCursor: await seal(isBackwards ? hasMore : cursor !== undefined, onPage[0], true),
  }

  async function seal(
    isWanted: boolean,
    at: RenderedItem | undefined,
    isBackwards: boolean,
  ): Promise<string | undefined> {
    if (!isWanted || at === undefined) return undefined
    const next = { position: at.position, isBackwards, total: isFiltered ? total : undefined }
    return await sealCursor(next, identity, await ownerOf(call))
  }
}

/** The client is known from the batch that read the page; a first request with a cursor costs a batch of its own. */
async function ownerOf({ tenant }: Call): Promise<CursorOwner> {
  const { cursorKey } = await clientOf(tenant)
  return { tenantId: tenant.tenantId, cursorKey, now: tenant.actor.now }
}

async function read({ tenant }: Call, { sources }: ListRequest, slice: Slice) {
  return await storage.listResources(tenant, sources.map(partOf), slice)
}

function partOf({ type, filter, sort, projection }: ListSource): ListPart {
  return { type, filter, sort, withReferences: withReferences(projection, type) }
}

function rendered(
  call: Call & { readonly projecting: Work },
  { sources }: ListRequest,
  { type, stored, position }: Listed,
): RenderedItem[] {
  const source = sources.find((candidate) => candidate.type === type)
  return source === undefined
    ? []
    : [{ json: renderJson(call, stored, source.type, source.projection), position }]
}
