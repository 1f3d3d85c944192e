/**
 * The controls of a list of resources: search, conditions, and orders. Links and a form, because a script is not required.
 */
import { hasMembers, pluralOf } from '../../scim/schema/resource-type.ts'
import type { Writer } from '../../storage/access/clients.ts'
import { type ListOrder, listOrdersOf, searchFieldsOf } from '../../storage/resources/directory-lists.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { visibleName } from '../hidden-characters.ts'
import { addressOf, isDescendingFirst, isOrdered, type ListView, type Shown, shownOf } from '../list-view.ts'
import { Select } from './form.tsx'
import { labelOf } from './resource-names.ts'

interface ControlsProps {
  readonly view: ListView
  /** The path of the list. */
  readonly path: string
}

/** Searches in all fields, or in one. Among the members of a group, in all. */
export function SearchForm({ view, path }: ControlsProps) {
  const { type, text, field, groupId } = view
  const fields = searchFieldsOf(type).map(({ name }) => [name, labelOf(name)] as const)
  return (
    <search>
      <form class="search" method="get" action={path}>
        <div class="field grow">
          <label for="q">
            Search {groupId === undefined ? pluralOf(type).toLowerCase() : 'these members'}
          </label>
          <input id="q" name="q" type="search" value={text} aria-describedby="q-hint" />
        </div>
        {groupId === undefined ? (
          <div class="field">
            <label for="in">In</label>
            <Select
              attributes={{ id: 'in', name: 'in' }}
              value={field?.name}
              options={[['', 'All fields'], ...fields]}
            />
          </div>
        ) : (
          <input type="hidden" name="group" value={groupId} />
        )}
        <button type="submit" class="quiet">
          Search
        </button>
        <p class="hint" id="q-hint">
          {searchedIn(type)}
        </p>
      </form>
    </search>
  )
}

/** What a search in all fields compares, as a sentence. */
export function searchedIn(type: StoredResourceType): string {
  const names = hasMembers(type) ? 'the display name' : 'names, user names and e-mail addresses'
  return `Finds the beginning of words in ${names}, and the beginning of ids.`
}

const SHOWN: Readonly<Record<Shown, string>> = {
  active: 'Active',
  inactive: 'Inactive',
  conflict: 'In an open conflict',
}

/** The conditions and the orders of a list that is not a search. */
export function ListControls({
  view,
  path,
  writers,
}: ControlsProps & { readonly writers: readonly Writer[] }) {
  return (
    <>
      {view.sourceId === undefined && <Choices view={view} path={path} />}
      {writers.length > 0 && <SourceForm view={view} path={path} writers={writers} />}
    </>
  )
}

/** Lists what one client has written. */
function SourceForm({ view, path, writers }: ControlsProps & { readonly writers: readonly Writer[] }) {
  const named = writers.map(
    ({ id, name, isDeleted }) => [id, `${visibleName(name, id)}${isDeleted ? ' (deleted)' : ''}`] as const,
  )
  return (
    <form class="search" method="get" action={path}>
      <div class="field source">
        <label for="source">Created or last changed by</label>
        <Select
          attributes={{ id: 'source', name: 'source' }}
          value={view.sourceId}
          options={[['', 'Anyone'], ...named]}
        />
      </div>
      <button type="submit" class="quiet">
        Show
      </button>
    </form>
  )
}

function Choices({ view, path }: ControlsProps) {
  const conditions = [undefined, ...shownOf(view.type)]
  return (
    <div class="list-controls">
      <nav aria-labelledby="show-label">
        <span class="muted" id="show-label">
          Show
        </span>
        <ul class="choices">
          {conditions.map((shown) => (
            <li>
              <a
                href={addressOf(path, { ...view, shown })}
                {...(shown === view.shown ? { 'aria-current': 'true' } : {})}
              >
                {shown === undefined ? 'All' : SHOWN[shown]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {isOrdered(view) ? <OrderLinks view={view} path={path} /> : <p class="muted">{fixedOrder(view)}</p>}
    </div>
  )
}

const ORDERS: Readonly<Record<ListOrder['name'], readonly [string, readonly [string, string]]>> = {
  name: ['', ['A to Z', 'Z to A']],
  displayName: ['Display name', ['A to Z', 'Z to A']],
  created: ['Created', ['newest first', 'oldest first']],
  modified: ['Changed', ['latest first', 'earliest first']],
}

/** The name of an order: that of its attribute, or of the time. */
function orderLabel({ name, path }: ListOrder): string {
  return ORDERS[name][0] || labelOf(path)
}

/** A link for each order. That of the current one reverses it. */
function OrderLinks({ view, path }: ControlsProps) {
  const { order, isDescending } = view
  return (
    <nav aria-labelledby="sort-label">
      <span class="muted" id="sort-label">
        Sort by
      </span>
      <ul class="choices">
        {listOrdersOf(view.type).map((each) => {
          const isCurrent = each.name === order.name
          const direction = isCurrent === (isDescending !== isDescendingFirst(each)) ? 1 : 0
          const descending = isCurrent ? !isDescending : isDescendingFirst(each)
          return (
            <li>
              <a
                href={addressOf(path, { ...view, order: each, isDescending: descending })}
                {...(isCurrent ? { 'aria-current': 'true' } : {})}
              >
                {orderLabel(each)}
                {isCurrent && <span class="muted">, {ORDERS[each.name][1][direction]}</span>}
              </a>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

function fixedOrder({ shown }: ListView): string {
  return shown === 'conflict' ? 'The oldest conflicts first.' : 'In the order of their ids: the oldest first.'
}
