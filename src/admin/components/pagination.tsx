/**
 * Links to the first, the previous and the next page of a list. Cursors have no page numbers.
 */
export function Pagination({
  first,
  firstLabel = '« First page',
  previous,
  next,
  label,
}: {
  /** Undefined on the first page. */
  first: string | undefined
  firstLabel?: string | undefined
  previous?: string | undefined
  next: string | undefined
  /** The name of the list, for screen readers. */
  label: string
}) {
  if (first === undefined && next === undefined) return null
  return (
    <nav class="pagination" aria-label={`Pages of ${label}`}>
      {first && <a href={first}>{firstLabel}</a>}
      {previous && (
        <a href={previous} rel="prev">
          ‹ Previous page
        </a>
      )}
      {next && (
        <a href={next} rel="next">
          Next page »
        </a>
      )}
    </nav>
  )
}

/** A path with query parameters. Parameters without a value are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value)
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}
