/**
 * Escapes cells of the CSV files that the dashboard and the emulator's commands write.
 */

/**
 * The characters that start a formula: = + - @, their full-width, small, superscript and subscript forms, and the minus
 * sign.
 */
const OPERATOR = String.raw`[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B\u207C\u207A\u207B\u208C\u208A\u208B\u2212\uFB29]`
/** Characters that a spreadsheet may ignore before an operator: spaces, a byte order mark, invisible characters, a quote. */
const IGNORED = String.raw`(?:(?![\t\r\n])[\s\p{Cc}\p{Cf}"])*`
/** The start of a cell, including for a spreadsheet whose separator is not the comma. */
const CELL_START = String.raw`(?:^|[;|\t\r\n])`
const FORMULA = new RegExp(`(${CELL_START}${IGNORED})(?='*${OPERATOR})`, 'gu')

/**
 * Returns a CSV cell (RFC 4180) that spreadsheets do not interpret as a formula. An apostrophe is inserted before each
 * character that would start a formula, at the beginning of the cell and after a possible separator. A cell that begins
 * with TAB, CR or LF gets one too. If the cell already has apostrophes, one more is added, so removing one always restores
 * the value.
 *
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvCell(text: string): string {
  const inert = text.replace(FORMULA, "$1'")
  const safe = /^'*[\t\r\n]/.test(inert) ? `'${inert}` : inert
  return /[",;\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
