/**
 * Text for a terminal. What servers answer and directories hold may have control characters, which a terminal obeys, and
 * characters that reverse the direction of writing, which show a reader something else than what is there.
 */

/** C0 and C1 controls, the controls of direction, and what some take for the end of a line. */
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A line whose controls can be seen: `\u001b`, as JSON writes them, so that JSON stays the same value. */
export function visible(line: string): string {
  return line.replace(
    CONTROLS,
    (control) => SHORT[control] ?? `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The same for several lines, whose ends stay. */
export function visibleLines(text: string): string {
  return text.replace(/[^\r\n]+|\r(?!\n)/g, visible)
}
