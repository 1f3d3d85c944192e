/**
 * Replaces what identifies people and organisations in a recording. Every word is replaced, unless it is known to say
 * nothing about anybody, and the same word is always replaced in the same way, so that filters, ids and members still
 * match. Pure.
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const UUIDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const PARTS = new RegExp(`${UUIDS.source}|[\\p{L}\\p{M}\\p{N}]+`, 'giu')

/** Values of the protocol. They are kept only as a whole: "Home" may be a name, "home" as the whole value is a type. */
const KEPT_VALUES = [
  /^(?:true|false|work|home|other|mobile|fax|pager|direct|indirect|User|Group|Member|Guest)$/i,
  // Times, languages and countries, whose form endpoints check.
  /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/,
  /^[a-z]{2}-[A-Z]{2}$/,
  /^[A-Z]{2}$/,
  /^[A-Z][a-z]+\/[A-Z][A-Za-z_]+$/,
  /^urn:/i,
]

/** Parts of addresses that nobody can be recognized by. */
const KEPT_WORDS = new Set(['http', 'https', 'example', 'com', 'org', 'net', 'ext'])

export class Pseudonyms {
  readonly #known = new Map<string, string>()

  /** The pseudonym of a value. Spaces and punctuation stay, so that an address remains one. */
  of(value: string): string {
    if (KEPT_VALUES.some((pattern) => pattern.test(value))) return value
    return value.replace(PARTS, (word) => this.#word(word))
  }

  /** Replaces the words of a message that were replaced elsewhere. */
  inMessage(text: string): string {
    return text.replace(PARTS, (word) => {
      const known = this.#known.get(word.toLowerCase())
      return known === undefined ? word : inCaseOf(word, known)
    })
  }

  #word(word: string): string {
    const key = word.toLowerCase()
    if (KEPT_WORDS.has(key)) return word
    const known = this.#known.get(key) ?? this.#newWord(key)
    this.#known.set(key, known)
    return inCaseOf(word, known)
  }

  /** Numbers and ids keep their form, because endpoints may check it. */
  #newWord(key: string): string {
    const number = this.#known.size + 1
    if (UUID.test(key)) return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
    if (/^\d+$/.test(key)) return String(number).padStart(key.length, '0')
    if (/^[0-9a-f]{16,}$/.test(key)) return number.toString(16).padStart(key.length, '0')
    return `name${number}`
  }
}

function inCaseOf(word: string, pseudonym: string): string {
  return /^\p{Lu}/u.test(word) && /^[a-z]/.test(pseudonym)
    ? pseudonym.replace(/^./, (first) => first.toUpperCase())
    : pseudonym
}
