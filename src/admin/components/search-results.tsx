/**
 * What a search has found, and what it has looked at.
 */
import type { Child } from 'hono/jsx'
import { hasMembers, pluralOf } from '../../scim/schema/resource-type.ts'
import { searchFieldsOf } from '../../storage/resources/directory-lists.ts'
import { MAX_FOUND } from '../../storage/search/directory-search.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { addressOf, type Found, type ListView } from '../list-view.ts'
import { EmptyState, Notice } from './blocks.tsx'
import { searchedIn } from './list-controls.tsx'
import { number } from './number.ts'
import { countedOf, labelOf } from './resource-names.ts'

export interface SearchResultsProps {
  readonly view: ListView
  /** The path of the list. */
  readonly path: string
  /** Undefined if the text was too long to search for. */
  readonly found: Found | undefined
  /** The number of resources that could be found. */
  readonly count: number
  /** The address of the provisioning log with the text. */
  readonly logPath: string
  /** The rows. */
  readonly children: Child
}

/** The result of a search in all fields, or in one. */
export function SearchResults(props: SearchResultsProps) {
  const { view, found, children } = props
  if (found === undefined) {
    return (
      <EmptyState title="The text is too long.">
        <p>A search has up to 256 bytes, which are at least 64 characters.</p>
      </EmptyState>
    )
  }
  return (
    <>
      {found.search?.isIncomplete && <Preparing view={view} />}
      {found.items.length === 0 ? <NothingFound {...props} /> : <Summary {...props} found={found} />}
      {found.items.length > 0 && children}
    </>
  )
}

function Preparing({ view }: { view: ListView }) {
  return (
    <Notice tone="warn" title="The search is being prepared.">
      <p>
        The hourly run still collects words of earlier {pluralOf(view.type).toLowerCase()}. Until then, they
        are found by the beginning of their names and ids, and not all of them by other words.
      </p>
    </Notice>
  )
}

function Summary({ view, path, found }: SearchResultsProps & { found: Found }) {
  const { search, items } = found
  if (search === undefined) return null
  if (!search.isCut) {
    return (
      <p class="muted" role="status">
        {number(items.length)} found.
      </p>
    )
  }
  return (
    <p class="muted" role="status">
      {search.hasMore
        ? `The first ${MAX_FOUND} are shown. There are more:`
        : `${number(items.length)} found. There may be more:`}{' '}
      type more of the name{view.groupId === undefined && <FieldLinks view={view} path={path} />}.
    </p>
  )
}

function FieldLinks({ view, path }: { view: ListView; path: string }) {
  const fields = searchFieldsOf(view.type)
  return (
    <>
      , or see all that begin with “{view.text}” in one field:{' '}
      {fields.map((field, i) => (
        <>
          {i > 0 && ', '}
          <a href={addressOf(path, { ...view, field })}>{labelOf(field.name).toLowerCase()}</a>
        </>
      ))}
    </>
  )
}

function NothingFound({ view, found, count, logPath }: SearchResultsProps) {
  const { type, text, field, groupId } = view
  const total = groupId === undefined ? countedOf(type, count) : 'the members of this group'
  const search = found?.search
  if (search?.isCut) {
    return (
      <EmptyState title={`No match for “${text}” so far.`}>
        <p>
          Too many {pluralOf(type).toLowerCase()} begin with these words to look at all of them. Type more of
          the name, or its parts in the order in which they are written.
        </p>
      </EmptyState>
    )
  }
  return (
    <EmptyState title={`No match for “${text}” among ${total}.`}>
      <p>
        {field === undefined
          ? searchedIn(type)
          : `Compared with the beginning of: ${labelOf(field.name).toLowerCase()}.`}
        {search?.isScanned && ' This directory is so small that the middle of words was compared, too.'} Other
        attributes are not searched.
      </p>
      {search?.isScanned === false && <p>{notCompared(type)}</p>}
      <p>
        A client may have sent it and been refused:{' '}
        <a href={logPath}>search the provisioning log for “{text}”</a>. Otherwise check in the identity
        provider whether it is assigned to the application and in scope.
      </p>
    </EmptyState>
  )
}

/** What an index does not find, as a sentence. */
function notCompared(type: StoredResourceType): string {
  const common = `the middle of words, letters without their accents, and what follows about ten words of a long name`
  if (hasMembers(type)) return `Not compared: ${common}.`
  const emails = type.table.texts?.indexed.filter(([name]) => name === 'emails').length ?? 0
  return `Not compared: ${common}; of an e-mail address also the later parts of its domain, and of the addresses after the first ${emails} everything but their beginning.`
}
