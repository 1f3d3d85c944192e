/**
 * The words of a text, as the dashboard's search compares them, and those of a resource that are stored in its comparison
 * document. Pure. Triggers copy them into `search_words`: see search-words.ts.
 */
import { type Complex, isComplex } from '../../scim/comparison.ts'

/** Separate words; so does white space. */
const SEPARATORS = /["\\.\-_,;:/|()[\]{}<>+&='’·・–—\t\n\r\u00a0\u3000 ]+/

/** The key of the words in a comparison document. No attribute has it: the others of a document are those of a schema. */
export const WORDS_KEY = 'words'

/**
 * The words of one text that are stored, its domain included. A longer text is found by its beginning, too. Separators at its
 * beginning count as one word.
 */
const MAX_WORDS = 12
/** The words of a resource that are stored: each is a row. An ordinary user has one, four addresses and two names about ten. */
export const MAX_RESOURCE_WORDS = 32
/** Code points of a stored word: longer ones are cut. */
const MAX_WORD_CHARACTERS = 64

/** A text in a comparison document: the names of attributes, and the numbers of elements. */
export type TextPath = readonly (string | number)[]

/** The texts of a resource whose words are searched. */
export interface SearchedTexts {
  /** An index finds them by the beginning of the whole value, and with it their first words. */
  readonly indexed: readonly TextPath[]
  readonly others: readonly TextPath[]
}

/** The words of a text in their order. What follows the first "@" is one word: the domain of an e-mail address. */
export function wordsOf(text: string): readonly string[] {
  const { local, domain } = partsOf(text)
  return [...local.split(SEPARATORS), domain].filter((word) => word !== '')
}

/** As many code points as are stored of a word. */
export function cutWord(word: string): string {
  if (word.length <= MAX_WORD_CHARACTERS) return word
  let end = 0
  for (let count = 0; count < MAX_WORD_CHARACTERS && end < word.length; count++) {
    end += (word.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  }
  return word.slice(0, end)
}

/** The words that are stored of a resource with this comparison document. */
export function wordsOfDocument(document: Complex, { indexed, others }: SearchedTexts): readonly string[] {
  const textsAt = (paths: readonly TextPath[]) =>
    paths.map((path) => path.reduce<unknown>(memberOf, document))
  return storedWords(textsAt(indexed), textsAt(others))
}

/**
 * The words that are stored of a resource: different ones, without those with which an indexed text begins.
 *
 * @param indexed the texts with an index @param others the texts without one; what is not a text has no words
 */
export function storedWords(indexed: readonly unknown[], others: readonly unknown[]): readonly string[] {
  const begun = indexed.filter(isText)
  const words = new Set([...begun, ...others.filter(isText)].flatMap(storedWordsOf))
  return [...words]
    .filter((word) => !begun.some((text) => text.startsWith(word)))
    .slice(0, MAX_RESOURCE_WORDS)
}

/** The path of a text in SQL. */
export function jsonPathOf(path: TextPath): string {
  return `$${path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')}`
}

function storedWordsOf(text: string): readonly string[] {
  const { local, domain } = partsOf(text)
  return [domain, ...local.split(SEPARATORS, MAX_WORDS - 1)].filter((word) => word !== '').map(cutWord)
}

function partsOf(text: string) {
  const at = text.indexOf('@')
  return at < 0
    ? { local: text, domain: '' }
    : { local: text.slice(0, at), domain: text.slice(at + 1).trim() }
}

function memberOf(value: unknown, step: string | number): unknown {
  if (typeof step === 'number') return Array.isArray(value) ? value[step] : undefined
  return isComplex(value) ? value[step] : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
