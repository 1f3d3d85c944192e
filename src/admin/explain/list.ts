/** The explanation of a list: of a GET of an endpoint, or of a search. */
import { withReferences } from '../../provider/call.ts'
import type { OpenDatabase } from '../../runtime.ts'
import { ScimError } from '../../scim/error.ts'
import { type ListParameters, parseListRequest, parseSearchRequest } from '../../scim/search-request.ts'
import { noFigures } from '../../storage/database/database.ts'
import { type ExplainedList, explainList } from '../../storage/lists/explained-list.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { type Actor, type TenantContext, withTenant } from '../../storage/tenants/context.ts'
import type { ExplainInput } from './input.ts'

interface ExplainedTenant {
  readonly actor: Actor
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  readonly openDatabase: OpenDatabase
}

/** @returns null for another request, and for one that is refused before a list begins */
export async function explainedListOf(
  { actor, resourceTypes, openDatabase }: ExplainedTenant,
  url: URL,
  input: Pick<ExplainInput, 'method' | 'body'>,
): Promise<ExplainedList | null> {
  const endpoint = endpointOf(url, input.method)
  if (endpoint === undefined) return null
  const open = (name: string | undefined) => openDatabase(name, noFigures())
  const request = { actor, resourceTypes, openDatabase: open, openCatalogue: () => open(undefined) }
  try {
    return await withTenant(request, (tenant) => explain(tenant, endpoint, url, input))
  } catch (error) {
    if (error instanceof ScimError) return null
    throw error
  }
}

/** @returns "" for a list across types; undefined for a request that is not a list */
function endpointOf({ pathname }: URL, method: string): string | undefined {
  const path = pathname.replace(/^\/scim\/v2/, '').replace(/\/+$/, '')
  if (method === 'POST') return path.endsWith('/.search') ? path.slice(0, -'/.search'.length) : undefined
  return method === 'GET' ? path : undefined
}

async function explain(
  { tenantId, database, resourceTypes, profile }: TenantContext,
  endpoint: string,
  url: URL,
  { method, body }: Pick<ExplainInput, 'method' | 'body'>,
): Promise<ExplainedList | null> {
  const types = resourceTypes.filter(
    (type) => endpoint === '' || type.endpoint.toLowerCase() === endpoint.toLowerCase(),
  )
  if (types.length === 0) return null
  const parameters = method === 'GET' ? parametersOf(url) : parseSearchRequest(body, profile)
  const { sources, page } = parseListRequest(parameters, types, profile)
  const parts = sources.map(({ type, filter, sort, projection }) => ({
    ...{ type, filter, sort },
    withReferences: withReferences(projection, type),
  }))
  const slice =
    page.kind === 'index'
      ? { offset: page.startIndex - 1, limit: page.count }
      : { from: undefined, isBackwards: false, limit: page.count }
  return await explainList({ tenantId, database }, parts, slice)
}

function parametersOf({ searchParams }: URL): ListParameters {
  const text = (name: string) => searchParams.get(name) ?? undefined
  const names = (name: string) => {
    const found = searchParams.getAll(name).flatMap((value) => value.split(',').map((one) => one.trim()))
    return found.some(Boolean) ? found.filter(Boolean) : undefined
  }
  return {
    filter: text('filter'),
    sortBy: text('sortBy'),
    sortOrder: text('sortOrder'),
    startIndex: text('startIndex'),
    count: text('count'),
    cursor: text('cursor'),
    attributes: names('attributes'),
    excludedAttributes: names('excludedAttributes'),
  }
}
