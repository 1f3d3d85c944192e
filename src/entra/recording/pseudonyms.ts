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
  /^(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc)\/[A-Z][A-Za-z_]+$/,
  /^urn:/i,
]

/** Parts of addresses that nobody can be recognized by. */
const KEPT_WORDS = new Set(['http', 'https', 'example', 'com', 'org', 'net', 'ext'])

/** A word with the punctuation around it; or only spaces. */
const PLAIN = /^[("'[]*\p{L}*[)"'\].,:;!?]*$|^\s+$/u

/** Words with a capital letter that begin the messages of many endpoints, or belong to the protocol. */
const FIRST_WORDS = new Set(
  'A An The This No Not Is It User Users Group Groups Resource Resources Attribute Attributes Value Invalid Missing Unknown Unsupported Unable Cannot Filter Request Path Operation Schema Schemas Token Error Internal Server Bad Conflict Duplicate Required Only SCIM JSON PATCH POST PUT GET DELETE'.split(
    ' ',
  ),
)

export class Pseudonyms {
  readonly #known = new Map<string, string>()

  /** The pseudonym of a value. Spaces and punctuation stay, so that an address remains one. */
  of(value: string): string {
    if (KEPT_VALUES.some((pattern) => pattern.test(value))) return value
    return value.replace(PARTS, (word) => this.#word(word))
  }

  /**
   * Keeps the plain words of a message. Replaces what is quoted, words that were replaced elsewhere, names with a capital
   * letter, and all that is not a word: addresses, ids, tokens.
   */
  inMessage(text: string): string {
    return text
      .split(/("[^"]*"|'[^']*'|\s+)/)
      .map((part) => (/^["']./.test(part) || !PLAIN.test(part) ? this.of(part) : this.#plain(part)))
      .join('')
  }

  #plain(text: string): string {
    return text.replace(PARTS, (word) => {
      const isKept = /^\p{Ll}+$/u.test(word) || FIRST_WORDS.has(word)
      return isKept && !this.#known.has(word.toLowerCase()) ? word : this.#word(word)
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
