/**
 * The words of a text, as the dashboard's search compares them. Pure. The triggers of migrations/0030_search_words.sql
 * split stored values in the same way; a test compares the two.
 */

/** Separate words; so does white space. They include the characters that JSON escapes, which the triggers rely on. */
const SEPARATORS = /["\\.\-_,;:/|()[\]{}<>+&='’·・–—\t\n\r\u00a0\u3000 ]+/

/** The words of one value that are stored. A longer value is found by its beginning, too. */
export const MAX_WORDS = 12
/** The e-mail addresses of a user whose words are stored. */
export const MAX_WORD_EMAILS = 4
/** Code points of a stored word: longer ones are cut. */
export const MAX_WORD_CHARACTERS = 64

/** The words of a text in their order. What follows the first "@" is one word: the domain of an e-mail address. */
export function wordsOf(text: string): readonly string[] {
  const at = text.indexOf('@')
  const [local, domain] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1).trim()]
  return [...local.split(SEPARATORS), domain].filter((word) => word !== '')
}

/** As many code points as are stored of a word. */
export function cutWord(word: string): string {
  return [...word].slice(0, MAX_WORD_CHARACTERS).join('')
}
