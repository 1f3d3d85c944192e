/**
 * Assertions on the responses of an endpoint under test. A finding is graded by its effect on Entra: "success" is the
 * documented response, "acceptable" is tolerated by the service, a "deviation" causes wrong data or needless requests,
 * and an "error" stops provisioning. Pure.
 */

import { isObject, type JsonObject } from '../problem.ts'
import { readTargetPath } from '../protocol/attribute-path.ts'
import type { WireResponse } from '../protocol/response.ts'

export type Grade = 'success' | 'acceptable' | 'deviation' | 'error' | 'skipped'

export interface Finding {
  readonly grade: Grade
  readonly message: string
  /** The resource in the response to a create or query request; its id is kept for later steps. */
  readonly resource?: JsonObject
}

export type Assertion = (answer: WireResponse) => Finding

/** Expected values by target path. */
export type Expected = Readonly<Record<string, unknown>>

const LIST_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
const ORDER: readonly Grade[] = ['skipped', 'success', 'acceptable', 'deviation', 'error']

export function worstGrade(grades: readonly Grade[]): Grade {
  return grades.reduce((a, b) => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a), 'success')
}

export function finding(grade: Grade, message: string, resource?: JsonObject): Finding {
  return { grade, message, ...(resource === undefined ? {} : { resource }) }
}

/** Merges findings: the worst grade and all messages. */
export function combine(
  findings: readonly Finding[],
  successMessage: string,
  resource?: JsonObject,
): Finding {
  const bad = findings.filter(({ grade }) => grade !== 'success')
  if (bad.length === 0) return finding('success', successMessage, resource)
  return finding(
    worstGrade(bad.map(({ grade }) => grade)),
    bad.map(({ message }) => message).join('; '),
    resource,
  )
}

/**
 * Expects 200 and a ListResponse of exactly `count` resources. The values of a single resource are compared as well.
 */
export function listOf(count: number, expected: Expected = {}, absent: readonly string[] = []): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    const { Resources, totalResults, schemas } = body.json
    const resources = Array.isArray(Resources) ? Resources.filter(isObject) : []
    const found = Array.isArray(Resources) ? resources.length : Number(totalResults)
    if (found !== count) return finding('error', `found ${found} objects, expected ${count}`)
    const [resource] = resources
    const findings = [
      contentType(answer),
      Array.isArray(Resources) ? pass() : finding('acceptable', '"Resources" is missing'),
      totalResults === count
        ? pass()
        : finding('deviation', `"totalResults" is ${String(totalResults)}, expected ${count}`),
      Array.isArray(schemas) && schemas.includes(LIST_RESPONSE)
        ? pass()
        : finding('deviation', 'the ListResponse URN is not in "schemas"'),
      ...(resource === undefined ? [] : compare(resource, expected, absent)),
    ]
    return combine(findings, `${count} found`, resource)
  }
}

/** Expects 200 and a ListResponse with any content. */
export function anyList(): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    const ok = Array.isArray(body.json.Resources)
    return ok
      ? combine([contentType(answer)], 'a ListResponse')
      : finding('error', 'not a ListResponse: "Resources" is missing')
  }
}

/** Expects one page of a list. `totalResults` counts the resources of all pages. */
export function page(startIndex: number): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    const { Resources, totalResults, startIndex: shown } = body.json
    if (!Array.isArray(Resources) || typeof totalResults !== 'number')
      return finding('error', 'a page must have "Resources" and "totalResults"')
    const index =
      shown === startIndex
        ? pass()
        : finding('deviation', `"startIndex" is ${String(shown)}, expected ${startIndex}`)
    return combine([contentType(answer), index], `${Resources.length} of ${totalResults}`)
  }
}

/** Expects 201, or 200 as acceptable, and a resource with an id and the values that were sent. */
export function created(expected: Expected): Assertion {
  return (answer) => {
    const body = readBody(answer, [200, 201])
    if (!body.ok) return body.finding
    if (typeof body.json.id !== 'string' || body.json.id === '')
      return finding('error', 'the created resource has no "id"')
    const status = body.status === 201 ? pass() : finding('acceptable', 'HTTP 200 where 201 is documented')
    return combine([contentType(answer), status, ...compare(body.json, expected, [])], 'created', body.json)
  }
}

/** Expects 200 and a resource with the given values. */
export function hasValues(expected: Expected, absent: readonly string[] = []): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    return combine([contentType(answer), ...compare(body.json, expected, absent)], 'as expected', body.json)
  }
}

/** Lessens a worse grade, for a request that the service of today does not send. */
export function atWorst(grade: Grade, assertion: Assertion): Assertion {
  return (answer) => {
    const found = assertion(answer)
    return ORDER.indexOf(found.grade) > ORDER.indexOf(grade) ? { ...found, grade } : found
  }
}

/** Expects 200 or 204. */
export function accepted(): Assertion {
  return (answer) => {
    if (answer.kind === 'none') return finding('error', answer.message)
    if (answer.status === 200 || answer.status === 204) return finding('success', `HTTP ${answer.status}`)
    if (answer.status >= 200 && answer.status <= 299)
      return finding('acceptable', `HTTP ${answer.status} where 200 or 204 is documented`)
    return finding('error', describe(answer))
  }
}

/** Expects 204. */
export function deleted(): Assertion {
  return (answer) => {
    if (answer.kind === 'none') return finding('error', answer.message)
    if (answer.status === 204) return finding('success', 'HTTP 204')
    const tolerated = answer.status >= 200 && answer.status <= 299
    return finding(
      tolerated ? 'acceptable' : 'error',
      tolerated ? `HTTP ${answer.status} where 204 is documented` : describe(answer),
    )
  }
}

/** Expects 404 with a SCIM error. */
export function notFound(): Assertion {
  return (answer) => {
    if (answer.kind === 'none') return finding('error', answer.message)
    if (answer.status !== 404)
      return finding(answer.status < 300 ? 'error' : 'deviation', `${describe(answer)}, expected 404`)
    return isScimError(answer.text)
      ? finding('success', 'HTTP 404')
      : finding('acceptable', 'HTTP 404 without a SCIM error')
  }
}

/** Expects 409 with a SCIM error, because the name is taken. */
export function conflict(): Assertion {
  return (answer) => {
    if (answer.kind === 'none') return finding('error', answer.message)
    if (answer.status !== 409) return finding('error', `${describe(answer)}, expected 409`)
    return isScimError(answer.text)
      ? finding('success', 'HTTP 409')
      : finding('acceptable', 'HTTP 409 without a SCIM error')
  }
}

function pass(): Finding {
  return { grade: 'success', message: '' }
}

type Body =
  | { readonly ok: true; readonly json: JsonObject; readonly status: number }
  | { readonly ok: false; readonly finding: Finding }

function readBody(answer: WireResponse, statuses: readonly number[]): Body {
  if (answer.kind === 'none') return { ok: false, finding: finding('error', answer.message) }
  if (!statuses.includes(answer.status))
    return { ok: false, finding: finding('error', `${describe(answer)}, expected ${statuses.join(' or ')}`) }
  try {
    const json: unknown = JSON.parse(answer.text)
    if (isObject(json)) return { ok: true, json, status: answer.status }
    return { ok: false, finding: finding('error', 'the body is not a JSON object') }
  } catch {
    return { ok: false, finding: finding('error', 'the body is not JSON') }
  }
}

function describe(answer: WireResponse): string {
  if (answer.kind === 'none') return answer.message
  const { text, status } = answer
  const body = isScimError(text) ? (JSON.parse(text) as JsonObject) : undefined
  return `HTTP ${status}${typeof body?.detail === 'string' ? `: ${body.detail}` : ''}`
}

function isScimError(text: string): boolean {
  try {
    const body: unknown = JSON.parse(text)
    return (
      isObject(body) &&
      Array.isArray(body.schemas) &&
      body.schemas.includes('urn:ietf:params:scim:api:messages:2.0:Error')
    )
  } catch {
    return false
  }
}

function contentType(answer: WireResponse): Finding {
  if (answer.kind === 'none' || /^application\/scim\+json/i.test(answer.contentType)) return pass()
  return finding(
    'acceptable',
    `content type "${answer.contentType}" where application/scim+json is documented`,
  )
}

function compare(resource: JsonObject, expected: Expected, absent: readonly string[]): Finding[] {
  const differing = Object.entries(expected).flatMap(([path, value]) => {
    const shown = readTargetPath(resource, path)
    if (isDeepEqual(shown, value)) return []
    return [
      finding(
        'deviation',
        `${path} is ${JSON.stringify(shown) ?? 'not returned'}, expected ${JSON.stringify(value)}`,
      ),
    ]
  })
  const returnedAnyway = absent.filter((path) => readTargetPath(resource, path) !== undefined)
  return [
    ...differing,
    ...returnedAnyway.map((path) => finding('deviation', `${path} is returned although it was excluded`)),
  ]
}

/** Member lists are compared by their values, in any order. */
function isDeepEqual(shown: unknown, value: unknown): boolean {
  if (!Array.isArray(value)) return shown === value
  const idsOf = (list: readonly unknown[]) =>
    list.map((entry) => (isObject(entry) ? entry.value : entry)).toSorted()
  const list = shown === undefined ? [] : shown
  return Array.isArray(list) && JSON.stringify(idsOf(list)) === JSON.stringify(idsOf(value))
}
