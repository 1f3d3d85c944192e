/**
 * A piece of SQL in the two halves of a template literal: text between parameters, and the values of
 * the parameters. A value can never become text, so there is nothing to escape.
 */
export interface SqlFragment {
  /** Always one longer than `values`. */
  readonly strings: readonly string[]
  readonly values: readonly (string | number)[]
}

/** Template tag: a nested fragment is spliced in, anything else becomes a parameter. */
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

/** SQL text without parameters. Only for text of our own: names of columns, JSON paths of our schemas. */
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
