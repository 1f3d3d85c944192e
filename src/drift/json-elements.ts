/**
 * Reads the objects in the lists of JSON documents piece by piece, so that memory holds one object. The documents are lists,
 * or objects with lists such as `{"value": […]}`, one after another. Pure.
 */
import { DriftError } from './drift-error.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export interface JsonElement {
  /** The name of the list in its document; empty for a document that is a list. */
  readonly list: string
  readonly line: number
  readonly value: JsonObject
}

/** A member of a document that is not a list, such as `totalResults`. */
export interface JsonMember {
  readonly name: string
  readonly value: unknown
}

/** The most characters in an object: a group with 40,000 members. */
const MAX_ELEMENT_CHARACTERS = 2_000_000

/** The characters with a meaning for the structure. */
const IN_STRING = /["\\\n]/g
const OUTSIDE = /["{}[\],:\n]/g

/** @throws {DriftError} the text is not JSON, is cut short, or has an object that is too long */
export async function* jsonElements(text: AsyncIterable<string>): AsyncGenerator<JsonElement | JsonMember> {
  const scanner = new Scanner()
  for await (const piece of text) yield* scanner.read(piece)
  scanner.end()
}

class Scanner {
  /** The open brackets. */
  #open = ''
  #line = 1
  #isString = false
  #isEscaped = false
  /** Text of the current object, or of the current name or value in a document. */
  #text = ''
  /** The depth of the current object; 0 outside of one. */
  #depth = 0
  #startLine = 1
  #name = ''

  end(): void {
    if (this.#open !== '' || this.#isString)
      throw new DriftError(`the file is cut short: line ${this.#line} ends inside of a JSON document`)
    if (this.#text.trim() !== '') throw this.#notJson(this.#line)
  }

  *read(piece: string): Generator<JsonElement | JsonMember> {
    for (let at = 0; at < piece.length; at++) {
      at = this.#skip(piece, at)
      const char = piece[at] ?? ''
      if (char === '\n') this.#line++
      if (this.#isString) this.#inString(char)
      else if (char !== '') yield* this.#outside(char)
      if (this.#text.length > MAX_ELEMENT_CHARACTERS)
        throw new DriftError(
          `line ${this.#startLine}: an object has more than ${MAX_ELEMENT_CHARACTERS} characters`,
        )
    }
  }

  /** Adds what has no meaning for the structure to the text. @returns where the next character with a meaning is */
  #skip(piece: string, at: number): number {
    if (this.#isEscaped) return at
    const next = this.#isString ? IN_STRING : OUTSIDE
    next.lastIndex = at
    const end = next.exec(piece)?.index ?? piece.length
    this.#text += piece.slice(at, end)
    return end
  }

  #inString(char: string): void {
    this.#text += char
    if (this.#isEscaped) this.#isEscaped = false
    else if (char === '\\') this.#isEscaped = true
    else if (char === '"') this.#isString = false
  }

  *#outside(char: string): Generator<JsonElement | JsonMember> {
    if (char === '"') this.#isString = true
    if (char === '{' || char === '[') return this.#begin(char)
    if (char === '}' || char === ']') return yield* this.#close(char)
    if (this.#depth === 0 && this.#open === '{' && char === ':') {
      this.#name = String(this.#parse(this.#text, this.#line))
      this.#text = ''
    } else if (this.#depth === 0 && char === ',') yield* this.#member()
    else this.#text += char
  }

  #begin(char: string): void {
    const isElement = this.#depth === 0 && char === '{' && (this.#open === '[' || this.#open === '{[')
    this.#open += char
    if (isElement) {
      this.#depth = this.#open.length
      this.#startLine = this.#line
      this.#text = ''
    }
    // A list of a document is not kept; an object in a document is.
    if (this.#depth > 0 || this.#open.length > 2 || this.#open === '{{') this.#text += char
  }

  *#close(char: string): Generator<JsonElement | JsonMember> {
    const isMatching = this.#open.at(-1) === (char === '}' ? '{' : '[')
    if (!isMatching) throw this.#notJson(this.#line)
    const depth = this.#open.length
    if (depth === this.#depth) {
      yield {
        list: this.#open.startsWith('{') ? this.#name : '',
        line: this.#startLine,
        value: this.#element(),
      }
      this.#depth = 0
      this.#text = ''
    } else if (this.#depth > 0 || depth > 2 || this.#open === '{{') this.#text += char
    else yield* this.#member()
    this.#open = this.#open.slice(0, -1)
  }

  /** Ends a member of a document, if there is one. */
  *#member(): Generator<JsonMember> {
    const text = this.#text.trim()
    this.#text = ''
    // Values in a list that are not objects, such as "schemas", are left out.
    if (text === '' || this.#open !== '{') return
    yield { name: this.#name, value: this.#parse(text, this.#line) }
  }

  #element(): JsonObject {
    return this.#parse(`${this.#text}}`, this.#startLine) as JsonObject
  }

  #parse(text: string, line: number): unknown {
    try {
      return JSON.parse(text)
    } catch {
      throw this.#notJson(line)
    }
  }

  #notJson(line: number): DriftError {
    return new DriftError(`line ${line}: the file is not valid JSON`)
  }
}
