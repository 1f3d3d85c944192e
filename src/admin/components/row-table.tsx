/**
 * A table of a few things with some facts, and their actions. In a narrow window, a row becomes a list.
 */
import type { Child } from 'hono/jsx'

/** A column of facts. */
export interface Column<Row> {
  readonly label: string
  readonly class?: string
  readonly cell: (row: Row) => Child
}

export function RowTable<Row>(props: {
  readonly rows: readonly Row[]
  /** The first column, which names the row. */
  readonly head: Column<Row>
  readonly columns: readonly Column<Row>[]
  readonly actions?: (row: Row) => Child
  /** Whether there are so many columns that rows become lists in a wider window already. */
  readonly isWide?: boolean
}) {
  const { rows, head, columns, actions, isWide = false } = props
  return (
    <table class={isWide ? 'stack tokens' : 'stack'}>
      <thead>
        <tr>
          {[head, ...columns].map(({ label }) => (
            <th scope="col">{label}</th>
          ))}
          {actions && <ActionsHead />}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr>
            <th scope="row">{head.cell(row)}</th>
            {columns.map(({ label, class: name, cell }) => (
              <td data-label={label} {...(name === undefined ? {} : { class: name })}>
                <div>{cell(row)}</div>
              </td>
            ))}
            {actions && <td class="row-actions">{actions(row)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** The head of the column with the buttons of each row. */
export function ActionsHead() {
  return (
    <th scope="col">
      <span class="visually-hidden">Actions</span>
    </th>
  )
}
