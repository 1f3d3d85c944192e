/**
 * Shows characters that are invisible or that reorder text by their code points. A name may contain them to look empty, or
 * like another name: https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */

/**
 * Controls except for white space, bidirectional controls, and characters without a glyph. U+200C, U+200D and variation
 * selectors are left out, because Persian words and emoji need them.
 */
const HIDDEN = String.raw`(?![\t\n\r\u200C\u200D])[\p{Cc}\p{Bidi_Control}\u00AD\u115F\u1160\u17B4\u17B5\u180E\u200B\u2028\u2029\u2060-\u2064\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}]`

/** A hidden character, a tag, or an element whose content is text only. What is in a `textarea` will be sent again. */
const MARKED = new RegExp(
  String.raw`(<(?:textarea|script|style)\b[^>]*>[^]*?</(?:textarea|script|style)>)|<(title|option)\b[^>]*>[^<]*|<[^>]*>|${HIDDEN}`,
  'gu',
)
const ANY_HIDDEN = new RegExp(HIDDEN, 'u')
const ALL_HIDDEN = new RegExp(HIDDEN, 'gu')

/**
 * Marks hidden characters in the text of a document: U+202E becomes "U+202E" in a box. Attributes stay as they are, because
 * forms send them again.
 *
 * @param document HTML whose attributes and text are escaped
 */
export function withMarks(document: string): string {
  if (!ANY_HIDDEN.test(document)) return document
  return document.replace(MARKED, (found: string, kept: string | undefined, plain: string | undefined) => {
    if (kept !== undefined) return kept
    if (plain !== undefined) return withPlainMarks(found)
    return found.startsWith('<') ? found : `<span class="mark">${codeOf(found)}</span>`
  })
}

/** For elements that contain no other element. The tag itself stays as it is. */
function withPlainMarks(element: string): string {
  const end = element.indexOf('>') + 1
  return element.slice(0, end) + element.slice(end).replace(ALL_HIDDEN, (found) => `[${codeOf(found)}]`)
}

/** "U+202E". */
function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** JSON with escapes instead of hidden characters: for a `textarea`, which shows no marks. It means the same. */
export function withEscapes(json: string): string {
  return json.replace(ALL_HIDDEN, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${hexOf(found.charCodeAt(i))}`).join(''),
  )
}

function hexOf(code: number): string {
  return code.toString(16).padStart(4, '0')
}

/** A character that leaves ink: no control, white space, or character without a glyph. */
const VISIBLE = /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u

/** The first of the names that shows something; otherwise the last one. */
export function visibleName(...names: readonly [...(string | null | undefined)[], string]): string {
  return names.find((name) => name && VISIBLE.test(name)) ?? (names.at(-1) as string)
}

/** Characters that leave ink, with single spaces between them. */
const PLAIN = /^(?:[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]| (?! ))+$/u

/** Whether somebody who reads the name can type it. */
export function isTypeable(name: string): boolean {
  return PLAIN.test(name)
}
