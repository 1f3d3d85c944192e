/** "Did you mean": finds the name of a command or option that a misspelt one resembles. Pure. */

/** One letter in three may be wrong; names that differ more do not resemble each other. */
const MAX_WRONG_SHARE = 1 / 3

/** The name that `given` resembles most or abbreviates; undefined if there is none. */
export function suggestion(given: string, names: readonly string[]): string | undefined {
  const wanted = given.toLowerCase()
  const abbreviated = wanted.length < 2 ? undefined : names.find((name) => name.startsWith(wanted))
  if (abbreviated !== undefined) return abbreviated
  const [best] = names
    .map((name) => ({ name, distance: editDistance(wanted, name) }))
    .toSorted((a, b) => a.distance - b.distance)
  return best !== undefined && best.distance <= given.length * MAX_WRONG_SHARE ? best.name : undefined
}

/** The sentence that ends an error message; empty without a suggestion. */
export function didYouMean(given: string, names: readonly string[], prefix = ''): string {
  const name = suggestion(given, names)
  return name === undefined ? '' : ` Did you mean "${prefix}${name}"?`
}

/** The Levenshtein distance: the number of letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === b[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
