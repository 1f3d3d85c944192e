/**
 * Substring search in linear time (Knuth, Morris, Pratt). For adversarial texts, `String.prototype.includes` takes time
 * proportional to the product of their lengths: 38 s for 60,000 characters in 1,800,000 on V8 13.
 */

export function contains(text: string, pattern: string): boolean {
  const overlaps = overlapsOf(pattern)
  let matched = 0
  for (let at = 0; at < text.length && matched < pattern.length; at++) {
    matched = advance(text.charCodeAt(at), pattern, matched, overlaps)
  }
  return matched === pattern.length
}

/** The failure function: for each prefix of the pattern, the length of its longest proper suffix that is also a prefix. */
function overlapsOf(pattern: string): Int32Array {
  const overlaps = new Int32Array(pattern.length + 1)
  for (let length = 2, matched = 0; length <= pattern.length; length++) {
    matched = advance(pattern.charCodeAt(length - 1), pattern, matched, overlaps)
    overlaps[length] = matched
  }
  return overlaps
}

/** The length of the matched prefix after one more code unit. */
function advance(unit: number, pattern: string, matched: number, overlaps: Int32Array): number {
  let length = matched
  while (length > 0 && pattern.charCodeAt(length) !== unit) length = overlaps[length] ?? 0
  return pattern.charCodeAt(length) === unit ? length + 1 : 0
}
