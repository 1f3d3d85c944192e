/**
 * Case folding: what makes values of attributes that are not caseExact one (RFC 7643 §2.2).
 */

/** Its default case folding differs from lower(upper(c)), and nobody else's: Unicode CaseFolding.txt. */
const FOLDS_TO_ITSELF = 'ı'
/** Half of a character, which no well-formed text holds. */
const PLACEHOLDER = '\ud800'
const PLACEHOLDERS = /\ud800/gu

/** More than thirty combining marks in a row, from the first one on: no position is looked at twice. */
const LONG_RUN_OF_MARKS = /(?<![\p{M}--\u034f])[\p{M}--\u034f]{31,}/gv

/**
 * Full case folding over all of Unicode, after canonical composition: "É", "É" and "é" are one, and so
 * are "ß" and "SS". Without regard to language or context, so prefixes fold to prefixes. Sorting a run
 * of marks takes time in its square, so a run is broken after 30 as Unicode's stream-safe format has it.
 *
 * @see https://www.unicode.org/versions/latest/core-spec/chapter-3/ D145, canonical caseless matching
 * @see https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
 */
export function fold(text: string): string {
  // The fast way through.
  if (isAscii(text)) return text.toLowerCase()
  const composed = (text.length > 30 ? text.replace(LONG_RUN_OF_MARKS, withJoiners) : text).normalize('NFC')
  const folded = composed.replaceAll(FOLDS_TO_ITSELF, PLACEHOLDER).toLowerCase().toUpperCase().toLowerCase()
  // JavaScript has one rule that looks at the context: "Σ" at the end of a word.
  return folded.replace(PLACEHOLDERS, FOLDS_TO_ITSELF).replaceAll('ς', 'σ').normalize('NFC')
}

/** True of a text whose folding is nothing but lower case. */
export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: -- all of ASCII
  return /^[\x00-\x7f]*$/.test(text)
}

/** U+034F between marks changes nothing but the time. */
function withJoiners(marks: string): string {
  return marks.replace(/.{30}(?=.)/gsu, '$&\u034f')
}
