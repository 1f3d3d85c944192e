/**
 * ScimError and the Error message (RFC 7644 §3.12). Core, storage and provider throw it, and http/errors.ts converts it
 * to a response.
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

/** An expected failure. `detail` is sent to the client; `cause` is only for the log. */
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

/** 409: another resource has the value of an attribute that must be unique. */
export class TakenError extends ScimError {
  readonly attribute: string
  readonly value: string

  constructor(attribute: string, value: string, options?: ErrorOptions) {
    super(409, 'uniqueness', `${attribute} ${quote(value)} is already in use`, options)
    this.attribute = attribute
    this.value = value
  }
}

/** Seconds after which a client tries a held write again: a twelfth of an hour, in which the window moves on. */
const HELD_RETRY_SECONDS = 300

/** A write that takes access away, held by the guard of the tenant: see deprovisioning.ts. */
export class HeldError extends ScimError {
  readonly retryAfterSeconds = HELD_RETRY_SECONDS

  constructor(options?: ErrorOptions) {
    super(
      429,
      undefined,
      'the write is held: the client disables, deletes or removes more within the window than the tenant allows; an administrator can let it pass',
      options,
    )
  }
}

/** A 400 response with a `scimType`, for input that cannot be processed. */
export function badRequest(scimType: ScimType, detail: string): ScimError {
  return new ScimError(400, scimType, detail)
}

/** The same error for an id that never existed, was deleted, or belongs to another tenant. */
export function notFound(resourceType: string, id: string): ScimError {
  return new ScimError(404, undefined, `${resourceType} ${quote(id)} not found`)
}

/** Shortens a client's text for an error message. */
export function shorten(text: string): string {
  return text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}…` : text
}

/** Shortens and quotes a client's text for an error message, as well-formed Unicode. */
export function quote(text: string): string {
  return JSON.stringify(shorten(text))
}

/** Names the type of a JSON value, for messages that must not contain the value: it may be secret or long. */
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
