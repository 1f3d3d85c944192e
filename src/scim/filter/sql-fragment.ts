/**
 * A part of an SQL statement, as the text between parameters and the values of the parameters, like a template literal.
 * Values never become part of the text, so no escaping is necessary.
 */
export interface SqlFragment {
  /** Always one element more than `values`. */
  readonly strings: readonly string[]
  readonly values: readonly (string | number)[]
}

/** A template tag. Nested fragments are inserted, and all other values become parameters. */
export function fragment(
  strings: TemplateStringsArray,
  ...parts: readonly (SqlFragment | string | number)[]
): SqlFragment {
  return strings.slice(1).reduce<SqlFragment>(
    (before, text, i) => {
      const part = parts[i] as SqlFragment | string | number
      return append(append(before, typeof part === 'object' ? part : parameter(part)), constant(text))
    },
    constant(strings[0] ?? ''),
  )
}

/** SQL text without parameters. Only for trusted text: column names, and JSON paths of schema attributes. */
export function constant(text: string): SqlFragment {
  return { strings: [text], values: [] }
}

function parameter(value: string | number): SqlFragment {
  return { strings: ['', ''], values: [value] }
}

function append(a: SqlFragment, b: SqlFragment): SqlFragment {
  const seam = `${a.strings.at(-1) ?? ''}${b.strings[0] ?? ''}`
  return {
    strings: [...a.strings.slice(0, -1), seam, ...b.strings.slice(1)],
    values: [...a.values, ...b.values],
  }
}
