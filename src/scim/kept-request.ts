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
export const NOT_KEPT = '(not kept)'

/** Names of attributes whose values may be secret, whatever the schema says about them. */
const SECRET_NAME = /passw|secret(?!ar)|token|credential|authorization|private.?key|api.?key|^pin$|^otp$/i
/**
 * Tokens and secrets of this server, JSON Web Tokens, private keys, and what follows "Bearer" or "Basic". Anyone can send the
 * text, so no repetition may be tried again from each of many beginnings.
 */
const SECRET_TEXT =
  /scims?_[\w-]{20,}|\beyJ[\w-]{10,}|-----BEGIN [^-]*PRIVATE KEY-----|\b(?:bearer|basic) +[\w.~+/=-]{8,}/i

/**
 * @param body parsed JSON
 * @param type names the attributes that are never returned
 * @returns undefined if not even a shortened body fits
 */
export function keptRequest(method: string, body: unknown, type: ResourceType): KeptRequest | undefined {
  const isSecret = secretNamesOf(type)
  const redacted = (limits: Limits) => new Redaction(isSecret, limits)
  for (const limits of LIMITS) {
    const redaction = redacted(limits)
    const kept = { method, body: redaction.of(body), isShortened: redaction.isShortened }
    if (JSON.stringify(kept).length <= MAX_KEPT_REQUEST_CHARACTERS) return kept
  }
  return undefined
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

type IsSecret = (path: string) => boolean

/** A longer path may hide a name: its value is not kept. No path of a schema has as many characters. */
const MAX_PATH_CHARACTERS = 500

/** The test of a name, or of a path of names such as `name.givenName` or `urn:…:User:pin`. */
function secretNamesOf(type: ResourceType): IsSecret {
  const never = new Set(neverReturned(type.storedAttributes))
  return (path) =>
    path.length > MAX_PATH_CHARACTERS ||
    path.split(/[.:[\]\s]+/).some((name) => never.has(name.toLowerCase()) || SECRET_NAME.test(name))
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
  readonly #isSecret: IsSecret
  readonly #limits: Limits

  constructor(isSecret: IsSecret, limits: Limits) {
    this.#isSecret = isSecret
    this.#limits = limits
  }

  of(value: unknown): unknown {
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

  /** The value of an operation of a PATCH belongs to its path. */
  #members(object: Complex): Complex {
    const entries = Object.entries(object)
    const isOfSecret = typeof object.path === 'string' && this.#isSecret(object.path)
    const kept = entries.slice(0, this.#limits.elements).map(([name, value]) => {
      const isHidden = this.#isSecret(name) || (isOfSecret && name === 'value')
      // A path may compare with a secret: [password eq "…"].
      const shown = isOfSecret && name === 'path' ? withoutLiterals(String(value)) : this.of(value)
      return [this.#text(name), isHidden ? NOT_KEPT : shown] as const
    })
    if (kept.length < entries.length) this.isShortened = true
    return Object.fromEntries(kept)
  }

  #text(text: string): string {
    if (SECRET_TEXT.test(text)) return NOT_KEPT
    if (text.length <= this.#limits.characters) return text.toWellFormed()
    this.isShortened = true
    return `${text
      .slice(0, this.#limits.characters)
      .replace(/[\uD800-\uDBFF]$/, '')
      .toWellFormed()}…`
  }
}

function withoutLiterals(path: string): string {
  return path.replace(/"(?:[^"\\]|\\.)*"?/g, `"${NOT_KEPT}"`)
}
