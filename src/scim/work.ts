/**
 * Counts the work that a request causes in the core. The count depends on the request and the stored data, not on a
 * clock, so it can be limited and tested. A function whose cost may exceed the size of its input counts its work before
 * it does it.
 */
import { badRequest, type ScimType } from './error.ts'
import { fold, isAscii } from './fold.ts'
import { MAX_WORK_UNITS } from './limits.ts'

/** Units for visiting one element or attribute, which takes as long as folding 10 characters. */
export const VISIT_UNITS = 10
/** Units for folding a text, in addition to its characters. */
const FOLD_UNITS = 40
/** Units for folding one character of a text with non-ASCII characters. "ΐ" and runs of combining marks take longest. */
const UNICODE_UNITS = 12
/** Units for an operation that fails. Most of the time goes into the stack trace of its error: one of JSON.parse takes longest. */
export const ERROR_UNITS = 2_500
/** Units for parsing one character of JSON inside a string value. Objects with many short members take longest. */
export const JSON_UNITS = 5
/** Units for a value in an operation of a bulk request, in addition to those for parsing it twice: it is visited, copied and written. */
export const BULK_VALUE_UNITS = 11
/** Units for a name of members of JSON objects in a body, once: a name that was not there before takes up to 1.4 µs. */
export const MEMBER_NAME_UNITS = 60
/** Units for parsing an object or an array of a body, wherever it is: most of it is memory, and nothing else may visit it. */
export const CONTAINER_UNITS = 3
/** Units for parsing any other value of a body. */
export const SCALAR_UNITS = 1
/**
 * Units for reading or writing one character of a stored document, or for deleting one byte. Documents are copied, parsed
 * and compared as a whole, so a character takes much less time than in folding. Created documents are not counted again:
 * they are not larger than the request.
 */
export const STORED_UNITS = 0.6
/** Additional units for an object in such a document: many short objects take longer than one long text. */
const OBJECT_UNITS = 12
/** Additional units for a member of an object, or a text in a list. */
const TEXT_UNITS = 8
/** Additional units for a text with characters beyond ASCII that is folded. */
const FOLDED_TEXT_UNITS = 16
/**
 * Units for a value of a user by which filters find it, and which a write adds or removes: a row of its own in an index. See
 * storage/tables/user-values.ts.
 */
export const VALUE_ROW_UNITS = 100
/** Units for removing a membership that the request does not name: it is read, and deleted from a table and its indexes. */
export const REMOVED_MEMBERSHIP_UNITS = 80
/** Units for a name that is ignored: it is compared with those that the provisioning log names already. */
export const IGNORED_UNITS = 250
/** Units for a key of an object without a path, which may name an attribute or a schema. */
export const KEY_UNITS = 80
/** Units for parsing a dateTime, in addition to its characters. */
export const DATE_TIME_UNITS = 120
/** Units for parsing and resolving one token of a filter. */
export const TOKEN_UNITS = 60

/** The work counter of one request, or of all operations of a bulk request. One unit is one character folded, compared or copied. */
export class Work {
  readonly #scimType: ScimType
  readonly #limit: number
  #spent: number
  readonly #folded: Map<string, string>

  /**
   * @param scimType of the error beyond the limit: `invalidValue` for bodies, `tooMany` for lists
   * @param folded the texts that are folded already
   */
  constructor(
    scimType: ScimType = 'invalidValue',
    limit = MAX_WORK_UNITS,
    spent = 0,
    folded = new Map<string, string>(),
  ) {
    this.#scimType = scimType
    this.#limit = limit
    this.#spent = spent
    this.#folded = folded
  }

  /** The units counted so far. */
  get spent(): number {
    return this.#spent
  }

  /** True once `spend` has thrown. An error caught afterwards may be the one about the limit. */
  get isExhausted(): boolean {
    return this.#spent > this.#limit
  }

  /** Counts units, until the request exceeds the limit: what follows is refused and not done. @throws {ScimError} if it does */
  spend(units: number): void {
    if (!this.isExhausted) this.#spent += units
    if (this.isExhausted) {
      throw badRequest(
        this.#scimType,
        `the request exceeds the limit of ${this.#limit} units of work; send fewer operations, values or comparisons in one request`,
      )
    }
  }

  /** Counts visits of elements or attributes. @throws {ScimError} as spend */
  visit(count = 1): void {
    this.spend(count * VISIT_UNITS)
  }

  /** Folds a text, and counts and caches it. @throws {ScimError} as spend */
  fold(text: string): string {
    const known = this.#folded.get(text)
    if (known !== undefined) return known
    this.spend(FOLD_UNITS + text.length * (isAscii(text) ? 1 : UNICODE_UNITS))
    const folded = fold(text)
    this.#folded.set(text, folded)
    return folded
  }

  /** A counter without a limit, for work that must be done. It uses the texts that this one has folded. */
  unlimited(): Work {
    return new Work(this.#scimType, Number.POSITIVE_INFINITY, 0, this.#folded)
  }

  /**
   * Counts the characters, objects, members and texts of a stored document that is read.
   *
   * @throws {ScimError} as spend
   */
  readStored(json: string): void {
    this.spend(unitsOf(json))
  }

  /**
   * Counts a document that is written, and its comparison document, which is about as large and has all texts folded.
   *
   * @param isRefused whether it is refused beyond the limit. If not, only what follows is
   * @throws {ScimError} as spend
   */
  writeStored(json: string, isRefused = true): void {
    this.#count(2 * unitsOf(json) + unitsOfFolding(json), isRefused)
  }

  /** Counts the folding of a document of a new resource, whose other work is counted with the request. @throws {ScimError} as spend */
  writeNew(json: string): void {
    this.spend(unitsOfFolding(json))
  }

  /** Counts the rows of values that a write adds or removes. @param isRefused as above @throws {ScimError} as spend */
  writeValues(count: number, isRefused = true): void {
    this.#count(count * VALUE_ROW_UNITS, isRefused)
  }

  #count(units: number, isRefused: boolean): void {
    if (isRefused) this.spend(units)
    else this.note(units)
  }

  /** Counts work that is already done, without throwing. Later work of the request may then exceed the limit. */
  note(units: number): void {
    this.#spent += Math.ceil(units)
  }

  /** Continues from a counter that continued this one in another process. */
  takeOver(spent: number): void {
    this.#spent = Math.max(this.#spent, spent)
  }

  /** Returns to an earlier count, so that a repeated attempt is not counted twice. */
  rewind(spent: number): void {
    this.#spent = Math.min(this.#spent, spent)
  }
}

/** The number of characters beyond ASCII. */
export function charactersBeyondAscii(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) count++
  return count
}

/** The units for reading a stored document, or for writing it. */
function unitsOf(json: string): number {
  const objects = occurrences(json, '{"')
  const texts = objects + occurrences(json, ',"')
  return Math.ceil(json.length * STORED_UNITS + objects * OBJECT_UNITS + texts * TEXT_UNITS)
}

function unitsOfFolding(json: string): number {
  return charactersBeyondAscii(json) * UNICODE_UNITS + textsBeyondAscii(json) * FOLDED_TEXT_UNITS
}

/** The number of texts of a JSON text that have characters beyond ASCII. */
function textsBeyondAscii(json: string): number {
  let [count, isCounted] = [0, false]
  for (let at = 0; at < json.length; at++) {
    const character = json.charCodeAt(at)
    if (character === QUOTE) isCounted = false
    else if (character > 0x7f && !isCounted) {
      isCounted = true
      count++
    }
  }
  return count
}

const QUOTE = 0x22

/**
 * How often two characters occur in a JSON text of JSON.stringify. Those that end in a quotation mark begin a member or a text
 * in a list: inside a text, a backslash would be before the quotation mark.
 */
function occurrences(json: string, start: '{"' | ',"'): number {
  let count = 0
  for (let at = json.indexOf(start); at !== -1; at = json.indexOf(start, at + 2)) count++
  return count
}
