/**
 * Makes characters visible that change how a text is shown: control characters, which a terminal interprets,
 * and bidirectional controls, which make text look different from its content.
 */
/** C0 and C1 controls, bidirectional controls, and Unicode line separators. */
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Escapes the control characters of a line as JSON does (`\u001b`), so that a JSON text keeps its value. */
export function visible(line: string): string {
  return line.replace(
    CONTROLS,
    (control) => SHORT[control] ?? `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Escapes several lines and keeps their line ends. */
export function visibleLines(text: string): string {
  return text.replace(/[^\r\n]+|\r(?!\n)/g, visible)
}
