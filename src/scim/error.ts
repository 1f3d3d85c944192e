/**
 * ScimError and the Error message (RFC 7644 §3.12). Core, storage and provider throw it;
 * the HTTP layer turns it into a response at one place.
 */
import { MAX_QUOTED_CHARACTERS } from './limits.ts'
import { ERROR } from './urn.ts'

/** The detail error keywords of RFC 7644 §3.12 table 9 and RFC 9865 §2.1. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'sensitive'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount'

/** An expected failure. `detail` is safe for the wire; evidence for the log goes into `cause`. */
export class ScimError extends Error {
  readonly status: number
  readonly scimType: ScimType | undefined
  readonly detail: string

  constructor(status: number, scimType: ScimType | undefined, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.name = 'ScimError'
    this.status = status
    this.scimType = scimType
    this.detail = detail
  }
}

/** 400 with a `scimType`: the usual answer to input that cannot be processed. */
export function badRequest(scimType: ScimType, detail: string): ScimError {
  return new ScimError(400, scimType, detail)
}

/** The same answer for an id that never was, was deleted, or belongs to another tenant. */
export function notFound(resourceType: string, id: string): ScimError {
  return new ScimError(404, undefined, `${resourceType} ${quote(id)} not found`)
}

/** A client's text for a message: shortened. */
export function shorten(text: string): string {
  return text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}…` : text
}

/** A client's text for a message: shortened, in quotes, and well-formed Unicode whatever it was. */
export function quote(text: string): string {
  return JSON.stringify(shorten(text))
}

/** What a JSON value is, for messages that must not show the value itself: it may be secret or long. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The Error message. "status" is a JSON string (RFC 7644 §3.12). */
export function errorMessage(error: Pick<ScimError, 'status' | 'scimType' | 'detail'>): object {
  return {
    schemas: [ERROR],
    status: String(error.status),
    ...(error.scimType === undefined ? {} : { scimType: error.scimType }),
    detail: error.detail,
  }
}
