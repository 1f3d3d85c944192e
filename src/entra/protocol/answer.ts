/**
 * What an answer of the SCIM endpoint means to the provisioning service: success, or an error code of its provisioning
 * logs with what happens to the object. Pure: a table per purpose of the request.
 *
 * Microsoft: "How to analyze the Microsoft Entra provisioning logs" (error codes) and
 * "Quarantine status in Microsoft Entra Application Provisioning".
 */
import type { JsonObject } from '../problem.ts'
import { isObject } from '../problem.ts'

/** What a request was for; the same status means different things. */
export type Purpose = 'probe' | 'match' | 'read' | 'create' | 'update' | 'delete'

/** What came over the wire, or why nothing did. */
export type WireAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly contentType: string; readonly text: string }
  | { readonly kind: 'none'; readonly reason: 'timeout' | 'network'; readonly message: string }

/** Error codes as the provisioning logs show them. */
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

/** What the failure reaches: one object, or the whole job, which goes into quarantine at once. */
export type FailureReach = 'object' | 'job'

export interface Failure {
  readonly ok: false
  readonly code: ErrorCode
  readonly reach: FailureReach
  /** What the server said, for the log; its SCIM `detail` where there is one. */
  readonly detail: string
  readonly status?: number
}

export interface Success {
  readonly ok: true
  readonly status: number
  /** The resource, for create, read and update when the server sent one. */
  readonly resource?: JsonObject
  /** The resources found, for match and probe. */
  readonly resources: readonly JsonObject[]
}

export type Outcome = Success | Failure

/** Judges an answer by the purpose of its request. */
export function judgeAnswer(purpose: Purpose, answer: WireAnswer): Outcome {
  if (answer.kind === 'none') {
    const code = answer.reason === 'timeout' ? 'Timeout' : 'WebExceptionProtocolError'
    return failure(code, answer.message, undefined, purpose === 'probe' ? 'job' : 'object')
  }
  const { status } = answer
  if (status >= 200 && status <= 299) return judgeSuccess(purpose, answer)
  // Deleting what is gone already is no error.
  if (purpose === 'delete' && status === 404) return { ok: true, status, resources: [] }
  const code = errorCode(purpose, status)
  return failure(code, errorDetail(answer), status, reachOf(purpose, status))
}

type Received = Extract<WireAnswer, { kind: 'answer' }>

function judgeSuccess(purpose: Purpose, answer: Received): Outcome {
  const { status } = answer
  if (purpose === 'delete') return { ok: true, status, resources: [] }
  if (purpose === 'update' && answer.text.trim() === '') return { ok: true, status, resources: [] }
  const body = parseBody(answer)
  if (typeof body === 'string') {
    const reach = purpose === 'probe' ? 'job' : 'object'
    return failure('SystemForCrossDomainIdentityManagementServiceIncompatible', body, status, reach)
  }
  if (purpose === 'probe' || purpose === 'match') return judgeList(purpose, body, status)
  if (purpose === 'update') return { ok: true, status, resource: body, resources: [] }
  if (typeof body.id !== 'string' || body.id === '') {
    const detail = `The resource in the answer has no "id": ${excerpt(answer.text)}`
    return failure('SystemForCrossDomainIdentityManagementServiceIncompatible', detail, status, 'object')
  }
  return { ok: true, status, resource: body, resources: [] }
}

function judgeList(purpose: Purpose, body: JsonObject, status: number): Outcome {
  const reach = purpose === 'probe' ? 'job' : 'object'
  const resources = body.Resources ?? (body.totalResults === 0 ? [] : undefined)
  if (!Array.isArray(resources) || !resources.every(isObject)) {
    const detail = 'The answer to a query is not a ListResponse: "Resources" must be a list of objects'
    return failure('SystemForCrossDomainIdentityManagementServiceIncompatible', detail, status, reach)
  }
  if (resources.some((resource) => typeof resource.id !== 'string')) {
    const detail = 'A resource in the ListResponse has no "id", or its "id" is not a string'
    return failure('SystemForCrossDomainIdentityManagementServiceIncompatible', detail, status, reach)
  }
  if (purpose === 'probe' && resources.length > 0) {
    const detail = `The query for an object that cannot exist found ${resources.length}: the filter is ignored`
    return failure(
      'SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering',
      detail,
      status,
      'job',
    )
  }
  return { ok: true, status, resources }
}

/** The parsed body, or a sentence saying why it cannot be used. */
function parseBody(answer: Received): JsonObject | string {
  if (answer.text.trim() === '') return `HTTP ${answer.status} with an empty body where a resource was due`
  if (/html/i.test(answer.contentType) || /^\s*<(!doctype|html)/i.test(answer.text))
    return `HTTP ${answer.status} with an HTML page instead of JSON: ${excerpt(answer.text)}`
  try {
    const body: unknown = JSON.parse(answer.text)
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

/** Wrong credentials stop everything; so does any failure of the probe. */
function reachOf(purpose: Purpose, status: number): FailureReach {
  return purpose === 'probe' || status === 401 ? 'job' : 'object'
}

function errorDetail(answer: Received): string {
  if (answer.status >= 300 && answer.status <= 399) return `HTTP ${answer.status}: redirects are not followed`
  const body = parseBody(answer)
  if (typeof body === 'string')
    return answer.text.trim() === '' ? `HTTP ${answer.status} with an empty body` : body
  const { detail, scimType } = body
  const said = typeof detail === 'string' ? detail : excerpt(answer.text)
  return `HTTP ${answer.status}${typeof scimType === 'string' ? ` ${scimType}` : ''}: ${said}`
}

/** Long bodies are cut: the log is read by people. */
function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

function failure(code: ErrorCode, detail: string, status: number | undefined, reach: FailureReach): Failure {
  return { ok: false, code, reach, detail, ...(status === undefined ? {} : { status }) }
}
