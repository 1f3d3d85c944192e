/**
 * The work that one request makes for the core, counted: what it may cost follows from what was sent and what is
 * stored, never from a clock, so that it can be bounded and asserted. Every function whose cost can be more than
 * its input draws from the counter of the request before it does the work.
 */
import { badRequest, type ScimType } from './error.ts'
import { fold, isAscii } from './fold.ts'
import { MAX_WORK_UNITS } from './limits.ts'

/** Units of a visit of one element or attribute: as long as the folding of so many characters takes. */
export const VISIT_UNITS = 10
/** Units to fold a text, however short. */
const FOLD_UNITS = 40
/** Units to fold one character of a text that is not all ASCII. */
const UNICODE_UNITS = 8
/** Units of an error that is thrown and caught, and of what was done before it. */
export const ERROR_UNITS = 800
/** Units of a character of JSON that stands in a text of a body: objects of many short members take the longest to read. */
export const JSON_UNITS = 5
/**
 * Units of a character of a stored document that a change reads or writes, or of a byte that is deleted: documents are
 * copied, parsed and compared as a whole, so a character takes far less than one that is looked at. What a request creates
 * is no larger than what it sent, which is counted already.
 */
export const STORED_UNITS = 0.4
/** Units of a membership that is removed without being named: it is read, and deleted from a table and its indexes. */
export const REMOVED_MEMBERSHIP_UNITS = 80
/** Units of a token of a filter, from its text to a test that is checked against the schema. */
export const TOKEN_UNITS = 40

/** The counter of one request, operations of a bulk request included. A unit is a character that is folded, compared or copied. */
export class Work {
  readonly #scimType: ScimType
  readonly #limit: number
  #spent: number
  #folded = new Map<string, string>()

  /** @param scimType of the refusal: `invalidValue` for bodies, `tooMany` for lists */
  constructor(scimType: ScimType = 'invalidValue', limit = MAX_WORK_UNITS, spent = 0) {
    this.#scimType = scimType
    this.#limit = limit
    this.#spent = spent
  }

  /** Units so far. */
  get spent(): number {
    return this.#spent
  }

  /** True from then on that `spend` has thrown: whatever is thrown is then that the request costs too much. */
  get isExhausted(): boolean {
    return this.#spent > this.#limit
  }

  /** @throws {ScimError} when the request has cost more than it may */
  spend(units: number): void {
    this.#spent += units
    if (this.#spent > this.#limit) {
      throw badRequest(
        this.#scimType,
        `the request needs more than ${this.#limit} units of work, the limit: send fewer operations, values or comparisons at once`,
      )
    }
  }

  /** @throws {ScimError} as spend */
  visit(count = 1): void {
    this.spend(count * VISIT_UNITS)
  }

  /** The folded text. What is compared many times is folded once. @throws {ScimError} as spend */
  fold(text: string): string {
    const known = this.#folded.get(text)
    if (known !== undefined) return known
    this.spend(FOLD_UNITS + text.length * (isAscii(text) ? 1 : UNICODE_UNITS))
    const folded = fold(text)
    this.#folded.set(text, folded)
    return folded
  }

  /** Counts the characters of a stored document that is read, or that is to be written. @throws {ScimError} as spend */
  store(characters: number): void {
    this.spend(Math.ceil(characters * STORED_UNITS))
  }

  /** Counts what is not to be refused, whatever it takes: that is what comes after it in the same request. */
  note(units: number): void {
    this.#spent += Math.ceil(units)
  }

  /** Takes over what another counter says that went on from this one, in another process. */
  takeOver(spent: number): void {
    this.#spent = Math.max(this.#spent, spent)
  }

  /** Goes back to what was spent before: a write that is decided once more does not pay for the first time. */
  rewind(spent: number): void {
    this.#spent = Math.min(this.#spent, spent)
  }
}
