/**
 * Shows SCIM values: simple values as text, multi-valued attributes as lists, complex values by their sub-attributes.
 */
import type { Child } from 'hono/jsx'
import { isComplex } from '../../scim/comparison.ts'
import { number } from './number.ts'

/** The most values in one list. A change of members can have thousands. */
const MAX_LISTED = 200
/** A longer list scrolls. */
const MAX_WHOLE = 5

/** A value of any type. A missing value is shown as a dash. */
export function ValueText({ value }: { value: unknown }): Child {
  if (value === undefined || value === null) return <span class="muted">—</span>
  if (Array.isArray(value)) return <Values values={value} />
  if (isComplex(value)) return <ComplexText value={value} />
  if (typeof value === 'boolean') return <>{value ? 'true' : 'false'}</>
  return <span class="value">{String(value)}</span>
}

function Values({ values }: { values: readonly unknown[] }) {
  return (
    // What scrolls can be focused, to be scrolled by keys.
    <ul class="values" tabindex={values.length > MAX_WHOLE ? 0 : undefined}>
      {values.slice(0, MAX_LISTED).map((value) => (
        <li>
          <ValueText value={value} />
        </li>
      ))}
      {values.length > MAX_LISTED && <li class="muted">and {number(values.length - MAX_LISTED)} more</li>}
    </ul>
  )
}

/** `value` first, then the other sub-attributes. */
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
