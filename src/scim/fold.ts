/**
 * Case folding, for the comparison of attributes that are not caseExact (RFC 7643 §2.2).
 */

/** The only character whose default case folding differs from lower(upper(c)): Unicode CaseFolding.txt. */
const FOLDS_TO_ITSELF = 'ı'
/** A lone surrogate, which well-formed text does not contain. */
const PLACEHOLDER = '\ud800'
const PLACEHOLDERS = /\ud800/gu

/** More than 30 combining marks in a row. The lookbehind anchors at the first one, so matching takes linear time. */
const LONG_RUN_OF_MARKS = /(?<![\p{M}--\u034f])[\p{M}--\u034f]{31,}/gv

/**
 * Full case folding over all of Unicode, after canonical composition: "É", "É" and "é" fold to the same text, and so do
 * "ß" and "SS". Independent of language and context, so a prefix folds to a prefix. Normalization sorts a run of combining
 * marks in quadratic time, so runs are broken after 30 marks as in Unicode's Stream-Safe Text Format.
 *
 * @see https://www.unicode.org/versions/latest/core-spec/chapter-3/ D145, canonical caseless matching
 * @see https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
 */
export function fold(text: string): string {
  // Fast path.
  if (isAscii(text)) return text.toLowerCase()
  const composed = (text.length > 30 ? text.replace(LONG_RUN_OF_MARKS, withJoiners) : text).normalize('NFC')
  const folded = composed.replaceAll(FOLDS_TO_ITSELF, PLACEHOLDER).toLowerCase().toUpperCase().toLowerCase()
  // JavaScript has one context-dependent rule: "Σ" at the end of a word.
  return folded.replace(PLACEHOLDERS, FOLDS_TO_ITSELF).replaceAll('ς', 'σ').normalize('NFC')
}

/** True for text whose folding is its lower case. */
export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: -- all of ASCII
  return /^[\x00-\x7f]*$/.test(text)
}

/** Inserts U+034F COMBINING GRAPHEME JOINER between marks, which changes nothing but the running time. */
function withJoiners(marks: string): string {
  return marks.replace(/.{30}(?=.)/gsu, '$&\u034f')
}
