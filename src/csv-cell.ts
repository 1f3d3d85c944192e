/**
 * Cells of CSV files: every file that is CSV is written with this, by the dashboard and by the commands of the emulator.
 */

/** What begins a formula: = + - @, their full-width, small, raised and lowered forms, and the minus sign. */
const OPERATOR = String.raw`[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B\u207C\u207A\u207B\u208C\u208A\u208B\u2212\uFB29]`
/** What a spreadsheet may drop before it: spaces, a byte order mark, other invisible characters, a quote. */
const DROPPED = String.raw`(?:(?![\t\r\n])[\s\p{Cc}\p{Cf}"])*`
/** Where a cell begins, also for a spreadsheet that separates by something else than a comma. */
const BEGINNING = String.raw`(?:^|[;|\t\r\n])`
const FORMULA = new RegExp(`(${BEGINNING}${DROPPED})(?='*${OPERATOR})`, 'gu')

/**
 * A cell of a CSV file (RFC 4180) that no spreadsheet takes for a formula. An apostrophe is put before each character
 * that would begin one, at the beginning of the cell and after what may separate cells; a cell that begins with TAB, CR
 * or LF gets one too. Where apostrophes stand there already one more is put, so that taking one away gives the value.
 *
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvCell(text: string): string {
  const inert = text.replace(FORMULA, "$1'")
  const safe = /^'*[\t\r\n]/.test(inert) ? `'${inert}` : inert
  return /[",;\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
