/**
 * Interprets the responses of the SCIM endpoint: success, or an error code of the provisioning logs and its effect on
 * the object or job. Pure.
 *
 * Microsoft: "How to analyze the Microsoft Entra provisioning logs" (error codes) and "Quarantine status in Microsoft
 * Entra Application Provisioning".
 */
import type { JsonObject } from '../problem.ts'
import { isObject, parseJson } from '../problem.ts'

/** The purpose of a request; the meaning of a status depends on it. */
export type Purpose = 'probe' | 'match' | 'read' | 'document' | 'create' | 'update' | 'delete'

/** A response of the endpoint, or the reason why there is none. The names are those of the --json output of `check`. */
export type WireResponse =
  | { readonly kind: 'answer'; readonly status: number; readonly contentType: string; readonly text: string }
  | { readonly kind: 'none'; readonly reason: 'timeout' | 'network'; readonly message: string }

/** Error codes of the provisioning logs. */
export type ErrorCode =
  | 'DuplicateTargetEntries'
  | 'EntryConflict'
  | 'InsufficientRights'
  | 'InternalServerError'
  | 'InvalidAnchor'
  | 'InternalError'
  | 'MethodNotAllowed'
  | 'MissingValues'
  | 'NotImplemented'
  | 'SystemForCrossDomainIdentityManagementBadRequest'
  | 'SystemForCrossDomainIdentityManagementCredentialValidationFailure'
  | 'SystemForCrossDomainIdentityManagementMultipleEntriesInResponse'
  | 'SystemForCrossDomainIdentityManagementServiceIncompatible'
  | 'SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering'
  | 'Timeout'
  | 'TooManyRequests'
  | 'Unauthorized'
  | 'UnprocessableEntity'
  | 'WebExceptionProtocolError'

/** The effect of a failure: on one object, or on the whole job, which enters quarantine at once. */
export type FailureReach = 'object' | 'job'

export interface Failure {
  readonly ok: false
  readonly code: ErrorCode
  readonly reach: FailureReach
  /** The server's message for the log: its SCIM `detail` if there is one. */
  readonly detail: string
  readonly status?: number
}

export interface Success {
  readonly ok: true
  readonly status: number
  /** The resource in the response to create, read and update, if the server sent one; the body of a document. */
  readonly resource?: JsonObject
  /** The resources found, for match and probe. */
  readonly resources: readonly JsonObject[]
  /** The number of all resources that match, if the server names it. */
  readonly totalResults?: number
}

export type Outcome = Success | Failure

/** Interprets a response according to the purpose of its request. */
export function interpretResponse(purpose: Purpose, answer: WireResponse): Outcome {
  if (answer.kind === 'none') {
    const code = answer.reason === 'timeout' ? 'Timeout' : 'WebExceptionProtocolError'
    return failure(code, answer.message, undefined, purpose === 'probe' ? 'job' : 'object')
  }
  const { status } = answer
  if (status >= 200 && status <= 299) return interpretSuccess(purpose, answer)
  // Deleting an object that no longer exists is not an error.
  if (purpose === 'delete' && status === 404) return { ok: true, status, resources: [] }
  const code = errorCode(purpose, status)
  return failure(code, errorDetail(answer), status, reachOf(purpose, status))
}

type Received = Extract<WireResponse, { kind: 'answer' }>

function interpretSuccess(purpose: Purpose, answer: Received): Outcome {
  const { status } = answer
  if (purpose === 'delete') return { ok: true, status, resources: [] }
  if (purpose === 'update' && answer.text.trim() === '') return { ok: true, status, resources: [] }
  const body = parseBody(answer)
  if (typeof body === 'string') {
    const reach = purpose === 'probe' ? 'job' : 'object'
    return failure('SystemForCrossDomainIdentityManagementServiceIncompatible', body, status, reach)
  }
  if (purpose === 'probe' || purpose === 'match') return interpretList(purpose, body, status)
  if (purpose === 'update' || purpose === 'document')
    return { ok: true, status, resource: body, resources: [] }
  if (typeof body.id !== 'string' || body.id === '') {
    const problem =
      body.id === undefined || body.id === ''
        ? 'has no "id"'
        : `has the ${typeof body.id} ${JSON.stringify(body.id)} as "id", which must be a string`
    const detail = `The resource in the response ${problem}: ${excerpt(answer.text)}`
    return failure('SystemForCrossDomainIdentityManagementServiceIncompatible', detail, status, 'object')
  }
  return { ok: true, status, resource: body, resources: [] }
}

function interpretList(purpose: Purpose, body: JsonObject, status: number): Outcome {
  const reach = purpose === 'probe' ? 'job' : 'object'
  const resources = body.Resources ?? (body.totalResults === 0 ? [] : undefined)
  if (!Array.isArray(resources) || !resources.every(isObject)) {
    const detail = 'The response to a query is not a ListResponse: "Resources" must be a list of objects'
    return failure('SystemForCrossDomainIdentityManagementServiceIncompatible', detail, status, reach)
  }
  if (resources.some((resource) => typeof resource.id !== 'string')) {
    const detail = 'A resource in the ListResponse has no "id", or its "id" is not a string'
    return failure('SystemForCrossDomainIdentityManagementServiceIncompatible', detail, status, reach)
  }
  if (purpose === 'probe' && resources.length > 0) {
    const detail = `The query for an object that cannot exist found ${resources.length}: the endpoint ignores the filter`
    return failure(
      'SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering',
      detail,
      status,
      'job',
    )
  }
  const { totalResults } = body
  return { ok: true, status, resources, ...(typeof totalResults === 'number' ? { totalResults } : {}) }
}

/** Returns the parsed body, or a message saying why it cannot be used. */
function parseBody(answer: Received): JsonObject | string {
  if (answer.text.trim() === '')
    return `HTTP ${answer.status} with an empty body where a resource was expected`
  if (/html/i.test(answer.contentType) || /^\s*<(!doctype|html)/i.test(answer.text))
    return `HTTP ${answer.status} with an HTML page instead of JSON: ${excerpt(answer.text)}`
  try {
    const body: unknown = parseJson(answer.text)
    return isObject(body)
      ? body
      : `HTTP ${answer.status} with JSON that is not an object: ${excerpt(answer.text)}`
  } catch {
    return `HTTP ${answer.status} with a body that is not complete JSON: ${excerpt(answer.text)}`
  }
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'Unauthorized',
  403: 'InsufficientRights',
  405: 'MethodNotAllowed',
  409: 'EntryConflict',
  422: 'UnprocessableEntity',
  429: 'TooManyRequests',
  501: 'NotImplemented',
}

function errorCode(purpose: Purpose, status: number): ErrorCode {
  const query = purpose === 'probe' || purpose === 'match'
  if (status === 401 || (status === 403 && purpose === 'probe'))
    return 'SystemForCrossDomainIdentityManagementCredentialValidationFailure'
  if (query && (status === 400 || status === 501))
    return 'SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering'
  if (status === 404) {
    return query || purpose === 'create'
      ? 'SystemForCrossDomainIdentityManagementServiceIncompatible'
      : 'InvalidAnchor'
  }
  const known = CODES[status]
  if (known !== undefined) return known
  if (status >= 500) return 'InternalServerError'
  return status >= 300 && status <= 399
    ? 'WebExceptionProtocolError'
    : 'SystemForCrossDomainIdentityManagementBadRequest'
}

/** Rejected credentials affect the whole job, and so does any failure of the probe. */
function reachOf(purpose: Purpose, status: number): FailureReach {
  return purpose === 'probe' || status === 401 ? 'job' : 'object'
}

function errorDetail(answer: Received): string {
  if (answer.status >= 300 && answer.status <= 399) return `HTTP ${answer.status}: redirects are not followed`
  const body = parseBody(answer)
  if (typeof body === 'string')
    return answer.text.trim() === '' ? `HTTP ${answer.status} with an empty body` : body
  const { detail, scimType } = body
  const message = typeof detail === 'string' ? detail : excerpt(answer.text)
  return `HTTP ${answer.status}${typeof scimType === 'string' ? ` ${scimType}` : ''}: ${message}`
}

/** Long bodies are truncated, because people read the log. */
function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

function failure(code: ErrorCode, detail: string, status: number | undefined, reach: FailureReach): Failure {
  return { ok: false, code, reach, detail, ...(status === undefined ? {} : { status }) }
}
