/**
 * SCIM values as a reader sees them: scalars as text, multi-valued attributes as lists, complex values by
 * their sub-attributes.
 */
import type { Child } from 'hono/jsx'
import { isComplex } from '../../scim/comparison.ts'
import { number } from './number.ts'

/** Values that one list shows; a group's change of members can hold thousands. */
const MAX_LISTED = 200

/** A value of any kind. Absent values are a dash. */
export function ValueText({ value }: { value: unknown }): Child {
  if (value === undefined || value === null) return <span class="muted">—</span>
  if (Array.isArray(value)) return <Values values={value} />
  if (isComplex(value)) return <ComplexText value={value} />
  if (typeof value === 'boolean') return <>{value ? 'true' : 'false'}</>
  return <span class="value">{String(value)}</span>
}

function Values({ values }: { values: readonly unknown[] }) {
  return (
    <ul class="values">
      {values.slice(0, MAX_LISTED).map((value) => (
        <li>
          <ValueText value={value} />
        </li>
      ))}
      {values.length > MAX_LISTED && <li class="muted">and {number(values.length - MAX_LISTED)} more</li>}
    </ul>
  )
}

/** The value first, then what the other sub-attributes say of it. */
function ComplexText({ value }: { value: Readonly<Record<string, unknown>> }) {
  const { value: main, ...others } = value
  return (
    <>
      {main !== undefined && <ValueText value={main} />}
      {Object.entries(others).map(([name, sub]) => (
        <span class="sub">
          <span class="muted">{name}</span> <ValueText value={sub} />
        </span>
      ))}
    </>
  )
}
