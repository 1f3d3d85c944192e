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
/** Units for a value in an operation of a bulk request: it is visited, copied, written and parsed again. */
export const BULK_VALUE_UNITS = 15
/** Units for a name of members of JSON objects in a body, once: a name that was not there before takes up to 1.4 µs. */
export const MEMBER_NAME_UNITS = 60
/**
 * Units for reading or writing one character of a stored document, or for deleting one byte. Documents are copied, parsed
 * and compared as a whole, so a character takes much less time than in folding. Created documents are not counted again:
 * they are not larger than the request.
 */
export const STORED_UNITS = 0.6
/** Additional units for an object in such a document: many short objects take longer than one long text. */
const OBJECT_UNITS = 12
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

  /** Counts units. @throws {ScimError} if the request exceeds the limit */
  spend(units: number): void {
    this.#spent += units
    if (this.#spent > this.#limit) {
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

  /** Counts the folding of a document that is written, which is already done. */
  noteFolded(json: string): void {
    this.note(charactersBeyondAscii(json) * UNICODE_UNITS)
  }

  /**
   * Counts the characters and the objects of a stored document that is read or written.
   *
   * @param isRefused whether it is refused beyond the limit. If not, only what follows is
   * @throws {ScimError} as spend
   */
  store(json: string, isRefused = true): void {
    const units = Math.ceil(json.length * STORED_UNITS + objectsIn(json) * OBJECT_UNITS)
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

/** The number of objects with members. In a JSON text of JSON.stringify, only they begin with these two characters. */
function objectsIn(json: string): number {
  let count = 0
  for (let at = json.indexOf('{"'); at !== -1; at = json.indexOf('{"', at + 2)) count++
  return count
}
