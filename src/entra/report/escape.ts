/** Escapes text from a server for HTML and XML. Control and bidirectional characters become visible. Pure. */
import { visibleLines } from '../visible-text.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text or the value of an attribute in quotes. Characters that XML cannot represent become the replacement character. */
export function escapeMarkup(text: string): string {
  return visibleLines(text)
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}

/** Cuts a text, and says by how much. @param maxLength in UTF-16 code units */
export function excerpt(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  return `${text.slice(0, maxLength)}… (${text.length - maxLength} more characters)`
}
