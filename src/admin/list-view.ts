/**
 * What a list of resources shows, as its address says: a search, or a list with an order and a condition. Only what an index
 * answers is offered, so a condition other than "active" has its own order.
 */
import { canBeDisabled } from '../scim/active.ts'
import { hasMembers } from '../scim/schema/resource-type.ts'
import type { Query } from '../storage/database/query.ts'
import {
  fieldQuery,
  type ListCursor,
  type ListedPage,
  type ListOrder,
  type ListPage,
  listOrdersOf,
  listQuery,
  type SearchField,
  searchFieldsOf,
} from '../storage/resources/directory-lists.ts'
import { type SearchResult, searchQuery } from '../storage/search/directory-search.ts'
import {
  conflictingQuery,
  inactiveQuery,
  membersOfQuery,
  ofSourceQuery,
} from '../storage/search/filtered-lists.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { withQuery } from './components/pagination.tsx'

/** The conditions of a list. */
export type Shown = 'active' | 'inactive' | 'conflict'

export interface ListView {
  readonly type: StoredResourceType
  /** Searched for; empty for a list. */
  readonly text: string
  /** The only field that is searched; undefined: all. */
  readonly field: SearchField | undefined
  /** Undefined: all resources. */
  readonly shown: Shown | undefined
  /** Only members of this group. */
  readonly groupId: string | undefined
  /** Only what this client created or wrote last. Not together with another condition. */
  readonly sourceId: string | undefined
  readonly order: ListOrder
  readonly isDescending: boolean
}

/** The orders of time begin with the latest. */
export function isDescendingFirst({ name }: ListOrder): boolean {
  return name === 'created' || name === 'modified'
}

/** The conditions that a type has. */
export function shownOf(type: StoredResourceType): readonly Shown[] {
  const states = canBeDisabled(type) && type.table.values?.active ? (['active', 'inactive'] as const) : []
  return [...states, 'conflict']
}

type Parameters = Readonly<Record<string, string | undefined>>

/** The view of an address. Values that are not offered, alone or together, are ignored. */
export function listViewOf(type: StoredResourceType, parameters: Parameters): ListView {
  const orders = listOrdersOf(type)
  const order = orders.find(({ name }) => name === parameters.sort) ?? (orders[0] as ListOrder)
  const text = (parameters.q ?? '').trim()
  const groupId = !hasMembers(type) && UUID.test(parameters.group ?? '') ? parameters.group : undefined
  const isListed = text === '' && groupId === undefined
  const sourceId =
    isListed && type.table.hasSources && CLIENT_ID.test(parameters.source ?? '')
      ? parameters.source
      : undefined
  return {
    type,
    text,
    field:
      text === '' || groupId !== undefined
        ? undefined
        : searchFieldsOf(type).find(({ name }) => name === parameters.in),
    shown:
      isListed && sourceId === undefined
        ? shownOf(type).find((shown) => shown === parameters.show)
        : undefined,
    groupId,
    sourceId,
    order,
    isDescending: isDescendingFirst(order) !== (parameters.reverse === '1'),
  }
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/
/** The id of a tenant has at most 40 characters, and what follows it 33. */
const CLIENT_ID = /^[\w-]{1,73}$/

/** Whether the list is in the chosen order: a search, and most conditions, have an order of their own. */
export function isOrdered({ text, shown, groupId, sourceId }: ListView): boolean {
  return (
    text === '' &&
    groupId === undefined &&
    sourceId === undefined &&
    (shown === undefined || shown === 'active')
  )
}

/** Whether the page offers the clients whose resources can be listed. */
export function hasSourceList({ type, text, groupId }: ListView): boolean {
  return type.table.hasSources && text === '' && groupId === undefined
}

/** The address of a view. @param more parameters */
export function addressOf(path: string, view: ListView, more: Parameters = {}): string {
  const { text, field, shown, groupId, sourceId, order, isDescending } = view
  const sort = order.name === 'name' ? undefined : order.name
  const reverse = isDescending === isDescendingFirst(order) ? undefined : '1'
  const ordered = isOrdered(view) ? { sort, reverse } : {}
  const listed = text === '' ? { show: shown, source: sourceId, ...ordered } : { q: text, in: field?.name }
  return withQuery(path, { ...listed, group: groupId, ...more })
}

/** What a page shows. */
export interface Found extends ListedPage {
  /** Of a search in all fields. */
  readonly search: Omit<SearchResult, 'items'> | undefined
}

export interface PageEdges {
  readonly tenantId: string
  readonly size: number
  readonly after?: ListCursor | undefined
  readonly before?: ListCursor | undefined
}

/** The resources of a page of a view. @returns undefined if the text is too long to search for */
export function foundQuery(view: ListView, edges: PageEdges): Query<Found> | undefined {
  if (view.text === '' || view.field !== undefined) {
    return mapped(pageQuery(view, edges), (page) => ({ ...page, search: undefined }))
  }
  const { type, text, groupId } = view
  const query = searchQuery({ type, tenantId: edges.tenantId, text, groupId })
  return (
    query &&
    mapped(query, ({ items, ...search }) => ({ items, next: undefined, previous: undefined, search }))
  )
}

/** Whether the list consists of users with a value in `user_values`. */
export function isByValue({ type, field, shown }: ListView): boolean {
  return shown === 'inactive' || (field !== undefined && type.table.values?.[field.path] !== undefined)
}

/** A page of a view that is not a search in all fields. */
export function pageQuery(view: ListView, edges: PageEdges): Query<ListedPage> {
  const { type, text, field, shown, groupId, sourceId, order, isDescending } = view
  const page: ListPage = { type, ...edges }
  if (field !== undefined) return fieldQuery(page, field, text)
  if (groupId !== undefined) return membersOfQuery(page, groupId)
  if (sourceId !== undefined) return ofSourceQuery(page, sourceId)
  if (shown === 'inactive') return inactiveQuery(page)
  if (shown === 'conflict') return conflictingQuery(page)
  return listQuery({ ...page, order, isDescending, isActive: shown === 'active' })
}

function mapped<From, To>(query: Query<From>, to: (from: From) => To): Query<To> {
  return { statements: query.statements, read: (results) => to(query.read(results)) }
}
