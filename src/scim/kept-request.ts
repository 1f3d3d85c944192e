/**
 * What the log keeps of a refused write, so that an administrator sees what the client has sent: the method and the body,
 * without secrets and shortened. Pure.
 */
import { type Complex, isComplex } from './comparison.ts'
import { MAX_KEPT_REQUEST_CHARACTERS } from './limits.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'

export interface KeptRequest {
  readonly method: string
  /** JSON. */
  readonly body: unknown
  /** Whether parts of the body were left out because it is long. */
  readonly isShortened: boolean
}

/** Stands for a value that is not kept. */
const NOT_KEPT = '(not kept)'

/** Names of attributes whose values may be secret, whatever the schema says about them. */
const SECRET_NAME =
  /pass(?:w|phrase|code|key)|pwd|secret(?!ar)|token|credential|authorization|cookie|(?:private|api|access|recovery).?(?:key|code)|(?<![\w$-])(?:pin|otp|cvv)(?![\w$-])/i
/**
 * Tokens and secrets of this server, JSON Web Tokens, private keys, what follows "Bearer" or "Basic", and a password in a URL.
 * Anyone can send the text, so no repetition may be tried again from each of many beginnings.
 */
const SECRET_TEXT =
  /scim(?:s|admin)?_[\w-]{20,}|whsec_[\w+/=-]{20,}|\beyJ[\w-]{10,}|-----BEGIN [^-]*PRIVATE KEY-----|\b(?:bearer|basic) +[\w.~+/=-]{8,}|:\/\/[^\s/:@]{1,100}:[^\s/@]{1,100}@/i
/**
 * Between a name and its value in a text: `password=x`, and JSON and XML as texts, such as `"password": "x"`, also with escaped
 * marks, and `<password>x`.
 */
const ASSIGNMENT = /[\s"'`\\)\]]{0,10}[:=>]/y

/**
 * @param body parsed JSON
 * @param types of the tenant. They name the attributes that are never returned, and a client may send those of one type to
 *   another
 * @returns undefined if not even a shortened body fits
 */
export function keptRequest(
  method: string,
  body: unknown,
  types: readonly ResourceType[],
): KeptRequest | undefined {
  const names = new SecretNames(types)
  const redacted = (limits: Limits) => new Redaction(names, limits)
  for (const limits of LIMITS) {
    const redaction = redacted(limits)
    const kept = { method, body: redaction.of(body), isShortened: redaction.isShortened }
    if (redaction.mayFit && JSON.stringify(kept).length <= MAX_KEPT_REQUEST_CHARACTERS) return kept
  }
  return undefined
}

/** A JSON string in a message. */
const QUOTED = /"(?:[^"\\]|\\.)*"/g

/**
 * The detail of a refusal without secrets: it quotes paths and filters, which may compare with a secret.
 *
 * @param asked the filter or the query of a read: the detail quotes parts of it
 */
export function keptDetail(detail: string, types: readonly ResourceType[], asked = ''): string {
  const names = new SecretNames(types)
  const isOfSecret = names.endOfFirst(asked) >= 0 || names.endOfFirst(detail) >= 0
  return detail.replace(QUOTED, (quoted: string, at: number) => {
    const text = String(JSON.parse(quoted))
    const isFound = isOfSecret && detail.slice(0, at).endsWith('found ')
    if (isFound || SECRET_TEXT.test(text)) return `"${NOT_KEPT}"`
    const kept = names.upToFirst(text)
    return kept === text ? quoted : JSON.stringify(kept)
  })
}

/** The most elements of a list or members of an object, and characters of a text. */
interface Limits {
  readonly elements: number
  readonly characters: number
}

/** The first limits with which the body fits are used. */
const LIMITS: readonly Limits[] = [
  { elements: 200, characters: 2_000 },
  { elements: 50, characters: 400 },
  { elements: 10, characters: 100 },
  { elements: 5, characters: 40 },
]

/** A longer path may hide a name: its value is not kept. No path of a schema has as many characters. */
const MAX_PATH_CHARACTERS = 500
const WORDS = /[\w$-]+/g

/** Finds the names of secrets in names and paths such as `name.givenName` or `urn:…:User:pin`. */
class SecretNames {
  /** In lower case. */
  readonly #never: ReadonlySet<string>

  constructor(types: readonly ResourceType[]) {
    this.#never = new Set(types.flatMap(({ storedAttributes }) => neverReturned(storedAttributes)))
  }

  has(path: string): boolean {
    return path.length > MAX_PATH_CHARACTERS || this.endOfFirst(path) >= 0
  }

  /** The index after the first name of a secret; -1 without one. */
  endOfFirst(text: string): number {
    return this.#ends(text).next().value ?? -1
  }

  /** Whether a text has the name of a secret with a value: a query, or a document in a text. */
  isAssignedIn(text: string): boolean {
    for (const end of this.#ends(text)) {
      ASSIGNMENT.lastIndex = end
      if (ASSIGNMENT.test(text)) return true
    }
    return false
  }

  /** The indexes after the names of secrets. No character is looked at again for each name. */
  *#ends(text: string): Generator<number, undefined, undefined> {
    for (const { 0: word, index } of text.matchAll(WORDS)) {
      if (this.#never.has(word.toLowerCase())) yield index + word.length
    }
    const names = new RegExp(SECRET_NAME, 'gi')
    const rest = /[\w$-]*/y
    for (let found = names.exec(text); found !== null; found = names.exec(text)) {
      rest.lastIndex = names.lastIndex
      rest.test(text)
      names.lastIndex = rest.lastIndex
      yield rest.lastIndex
    }
  }

  /** What follows may be the secret: `password eq "…"`. */
  upToFirst(text: string): string {
    const path = text.slice(0, MAX_PATH_CHARACTERS)
    const end = this.endOfFirst(path)
    const shown = end < 0 ? path : path.slice(0, end)
    return shown === text ? text : `${shown}…`
  }
}

function neverReturned(attributes: readonly Attribute[]): readonly string[] {
  return attributes.flatMap(({ name, returned, subAttributes = [] }) => [
    ...(returned === 'never' ? [name.toLowerCase()] : []),
    ...neverReturned(subAttributes),
  ])
}

/** One pass over a body. */
class Redaction {
  isShortened = false
  /** Values that may follow. Each has at least two characters of JSON, with its comma: many small ones cannot fit. */
  #left = MAX_KEPT_REQUEST_CHARACTERS / 2
  readonly #names: SecretNames
  readonly #limits: Limits

  constructor(names: SecretNames, limits: Limits) {
    this.#names = names
    this.#limits = limits
  }

  get mayFit(): boolean {
    return this.#left > 0
  }

  of(value: unknown): unknown {
    if (this.#left <= 0) return undefined
    this.#left--
    if (Array.isArray(value)) return this.#elements(value)
    if (isComplex(value)) return this.#members(value)
    return typeof value === 'string' ? this.#text(value) : value
  }

  #elements(values: readonly unknown[]): readonly unknown[] {
    const kept = values.slice(0, this.#limits.elements).map((value) => this.of(value))
    const left = values.length - kept.length
    if (left === 0) return kept
    this.isShortened = true
    return [...kept, `and ${left} more`]
  }

  /**
   * The value of an operation of a PATCH belongs to its path, and some clients send names and values in pairs:
   * `{ "name": "password", "value": "…" }`. Names of members are compared regardless of case, as they are when the body is
   * read.
   */
  #members(object: Complex): Complex {
    const entries = Object.entries(object)
    const isOfSecret = entries.some(([name, value]) => this.#isOfSecret(name, value))
    const kept = entries.slice(0, this.#limits.elements).map(([name, value]) => {
      const shown = this.#names.upToFirst(name)
      const isShown = isNaming(name, value) || (isOperation(name) && typeof value === 'string')
      if (isShown) return [this.#text(shown), this.#text(this.#names.upToFirst(value))] as const
      const isHidden = this.#names.has(name) || (isOfSecret && !isOperation(name))
      return [this.#text(shown), isHidden ? NOT_KEPT : this.of(value)] as const
    })
    if (kept.length < entries.length) this.isShortened = true
    return Object.fromEntries(kept)
  }

  /** Whether a member says that the others are a secret. */
  #isOfSecret(name: string, value: unknown): boolean {
    if (isNaming(name, value)) return this.#names.has(value)
    return PATHS.has(name.toLowerCase()) && typeof value === 'object' && value !== null
  }

  #text(text: string): string {
    if (SECRET_TEXT.test(text) || this.#names.isAssignedIn(text)) return NOT_KEPT
    if (text.length <= this.#limits.characters) return text.toWellFormed()
    this.isShortened = true
    return `${text
      .slice(0, this.#limits.characters)
      .replace(/[\uD800-\uDBFF]$/, '')
      .toWellFormed()}…`
  }
}

/** Members that name an attribute, and nothing else. In another form than a text they may hide the name of a secret. */
const PATHS: ReadonlySet<string> = new Set(['path', 'attribute', 'attributename', 'field', 'property'])

/** Members that say which attribute the others belong to. */
const NAMING: ReadonlySet<string> = new Set([...PATHS, 'name', 'key', 'type'])

function isNaming(name: string, value: unknown): value is string {
  return typeof value === 'string' && NAMING.has(name.toLowerCase())
}

/** What an operation does is no secret. */
function isOperation(name: string): boolean {
  return name.toLowerCase() === 'op'
}
