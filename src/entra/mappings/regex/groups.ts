/**
 * The groups of a .NET pattern, found before it is parsed: .NET numbers the unnamed groups first, and a backreference may
 * precede its group. Pure.
 *
 * Microsoft: "Grouping constructs in regular expressions".
 */

const NAMED_GROUP = /^\(\?(?:<([A-Za-z_]\w*|\d+)>|'([A-Za-z_]\w*|\d+)')/

/** A group that opens with a name: the name, and the length of the opening. */
export function readNamedGroup(
  text: string,
): { readonly name: string; readonly opening: string } | undefined {
  const match = NAMED_GROUP.exec(text)
  if (match === null) return undefined
  const name = match[1] ?? match[2] ?? ''
  return { name: /^\d+$/.test(name) ? String(Number(name)) : name, opening: match[0] }
}

/** The names of the groups in the order of their numbers. The name of an unnamed group is its number. */
export function scanGroups(pattern: string): readonly string[] {
  const named = new Set<string>()
  let unnamed = 0
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]
    if (character === '\\') at++
    else if (character === '[') at = endOfClass(pattern, at)
    else if (pattern.startsWith('(?#', at)) at = endOfComment(pattern, at)
    else if (character === '(') {
      const group = readNamedGroup(pattern.slice(at))
      if (group !== undefined) named.add(group.name)
      else if (pattern[at + 1] !== '?') unnamed++
    }
  }
  return [...new Set([...Array.from({ length: unnamed }, (_, index) => String(index + 1)), ...named])]
}

/** The name of the group that a name or number refers to; undefined if there is none. */
export function findGroup(groups: readonly string[], reference: string): string | undefined {
  if (groups.includes(reference)) return reference
  return /^[1-9]\d*$/.test(reference) ? groups[Number(reference) - 1] : undefined
}

function endOfComment(pattern: string, open: number): number {
  const end = pattern.indexOf(')', open)
  return end === -1 ? pattern.length : end
}

/** The index of the "]" that closes a class, which may contain a subtracted class. */
function endOfClass(pattern: string, open: number): number {
  let at = open + 1
  if (pattern[at] === '^') at++
  if (pattern[at] === ']') at++
  for (; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === ']') return at
    else if (pattern.startsWith('-[', at)) at = endOfClass(pattern, at + 1)
  }
  return at
}
