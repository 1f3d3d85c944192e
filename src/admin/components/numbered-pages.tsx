/**
 * A part of a list that is read as a whole, because its length has a limit: "51–100 of 500", and links to the other parts. A page may
 * have several such lists.
 */
import { number } from './number.ts'
import { Pagination, withQuery } from './pagination.tsx'

const PAGE_SIZE = 50

interface NumberedPagesProps<T> {
  readonly items: readonly T[]
  /** The path of the page, and its parameters: those of other lists too. */
  readonly path: string
  readonly parameters: Readonly<Record<string, string | undefined>>
  /** The parameter of this list, which is also the id of its section. It has the number of the page, from 1 on. */
  readonly name: string
  /** For screen readers. */
  readonly label: string
  readonly children: (shown: readonly T[]) => unknown
}

export function NumberedPages<T>(props: NumberedPagesProps<T>) {
  const { items, path, parameters, name, label, children } = props
  const last = Math.max(1, Math.ceil(items.length / PAGE_SIZE))
  const current = Math.min(last, Math.max(1, Math.floor(Number(parameters[name])) || 1))
  const start = (current - 1) * PAGE_SIZE
  const shown = items.slice(start, start + PAGE_SIZE)
  const pathOf = (page: number) =>
    `${withQuery(path, { ...parameters, [name]: page === 1 ? undefined : String(page) })}#${name}`
  return (
    <>
      {children(shown)}
      {last > 1 && (
        <p class="muted number">
          {number(start + 1)}–{number(start + shown.length)} of {number(items.length)}
        </p>
      )}
      <Pagination
        first={current === 1 ? undefined : pathOf(1)}
        previous={current > 2 ? pathOf(current - 1) : undefined}
        next={current < last ? pathOf(current + 1) : undefined}
        label={label}
      />
    </>
  )
}
