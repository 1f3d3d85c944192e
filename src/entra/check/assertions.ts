/** Assertions on the responses of an endpoint under test. Each returns one finding. Pure. */
import { isObject, type JsonObject } from '../problem.ts'
import type { WireResponse } from '../protocol/response.ts'
import { contentType, describe, isScimError, readBody, refusal, silence } from './answer-body.ts'
import { compare, compareMembers, type Expected, idOf } from './compare.ts'
import {
  type Assertion,
  acceptable,
  bad,
  combine,
  deviation,
  type Finding,
  finding,
  pass,
} from './findings.ts'

const LIST_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/**
 * Expects 200 and a ListResponse of exactly `count` resources. The values of a single resource are compared as well.
 */
export function listOf(count: number, expected: Expected = {}, absent: readonly string[] = []): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    const { Resources, totalResults } = body.json
    const resources = Array.isArray(Resources) ? Resources.filter(isObject) : []
    const found = Array.isArray(Resources) ? resources.length : Number(totalResults)
    const [resource] = resources
    if (found !== count) return wrongCount(found, count)
    const findings = [
      ...contentType(answer),
      ...listForm(body.json, count),
      ...(resource === undefined ? [] : [idOf(resource), ...compare(resource, expected, absent)]),
    ]
    return combine(findings, `${count} found`, resource)
  }
}

function wrongCount(found: number, expected: number): Finding {
  if (Number.isNaN(found))
    return bad('body', 'the body is not a ListResponse: "Resources" is missing', 'body')
  const kind = found < expected ? 'missing' : 'surplus'
  return bad(kind, `found ${found} objects, expected ${expected}`)
}

/** RFC 7644 §3.4.2. */
function listForm(list: JsonObject, count: number): readonly Finding[] {
  const { Resources, totalResults, schemas } = list
  return [
    Array.isArray(Resources) ? pass() : acceptable('"Resources" is missing'),
    totalResults === count
      ? pass()
      : deviation('form', `"totalResults" is ${shownValue(totalResults)}, expected ${count}`, 'totalResults'),
    Array.isArray(schemas) && schemas.includes(LIST_RESPONSE)
      ? pass()
      : deviation('form', 'the ListResponse URN is not in "schemas"', 'schemas'),
  ]
}

/** Expects 200 and a ListResponse with any content. */
export function anyList(): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    const { Resources } = body.json
    return Array.isArray(Resources)
      ? combine(contentType(answer), `${Resources.length} listed`)
      : bad('body', 'the body is not a ListResponse: "Resources" is missing', 'body')
  }
}

/** Expects 200 and a JSON object. */
export function anyObject(): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    return body.ok ? combine(contentType(answer), 'offered') : body.finding
  }
}

/** The users on the pages so far. */
export interface Listed {
  readonly ids: Set<unknown>
  totalResults: number
}

/**
 * Expects one page of at most `count` resources from `startIndex` on, without those on earlier pages, and adds them to
 * `listed`. `totalResults` counts the resources of all pages.
 */
export function page(startIndex: number, count: number, listed: Listed): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    const { Resources, totalResults, startIndex: shown } = body.json
    if (!Array.isArray(Resources) || typeof totalResults !== 'number')
      return bad('body', 'a page must have "Resources" and "totalResults" as a number', 'page')
    const ids = Resources.map((resource: unknown) => (isObject(resource) ? resource.id : undefined))
    const repeated = ids.filter((id) => listed.ids.has(id)).length
    for (const id of ids) listed.ids.add(id)
    listed.totalResults = totalResults
    const found = listed.ids.size
    const findings = [
      ...contentType(answer),
      // Of an empty page, the index says nothing.
      shown === startIndex || ids.length === 0
        ? pass()
        : deviation('form', `"startIndex" is ${shownValue(shown)}, expected ${startIndex}`, 'startIndex'),
      pageLength(ids.length, Math.min(count, Math.max(0, totalResults - startIndex + 1)), count),
      repeated === 0 ? pass() : bad('surplus', `${repeated} of the page were on an earlier page`, PAGES),
      totalResults >= found
        ? pass()
        : bad('form', `"totalResults" is ${totalResults}, but the pages have ${found}`, 'totalResults'),
    ]
    return combine(findings, `${ids.length} of ${totalResults}`)
  }
}

/** One mistake in paging shows in several ways. */
const PAGES = 'pages'

/** A server may return fewer than `count`, but not none while there are more. */
function pageLength(found: number, expected: number, count: number): Finding {
  if (found > count) return bad('surplus', `the page has ${found} resources, requested were ${count}`, PAGES)
  if (found === 0 && expected > 0)
    return bad('missing', `the page is empty, expected ${expected} resources`, PAGES)
  return pass()
}

/** Expects 201, or 200 as acceptable, and a resource with an id and the values that were sent. */
export function created(expected: Expected): Assertion {
  return (answer) => {
    const body = readBody(answer, [200, 201])
    if (!body.ok) return body.finding
    const status = body.status === 201 ? pass() : acceptable('HTTP 200 where 201 is documented')
    const findings = [idOf(body.json), ...contentType(answer), status, ...compare(body.json, expected)]
    return combine(findings, 'created', body.json)
  }
}

/** Expects 200 and a resource with the given values. */
export function hasValues(expected: Expected, absent: readonly string[] = []): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    const findings = [...contentType(answer), ...compare(body.json, expected, absent)]
    return combine(findings, 'as expected', body.json)
  }
}

/** Expects 200 and a group with exactly these members. */
export function hasMembers(ids: readonly string[]): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    const findings = [...contentType(answer), ...compareMembers(body.json, ids)]
    return combine(findings, `${ids.length} members`)
  }
}

/** Expects 200 and a group without this member; its other members are not compared. */
export function hasNoMember(id: string): Assertion {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.finding
    const { members } = body.json
    const found =
      Array.isArray(members) && members.some((member) => isObject(member) && String(member.value) === id)
    return found
      ? deviation('surplus', 'the deleted user is still a member')
      : finding('success', 'not listed')
  }
}

/** Expects 200 or 204. */
export function accepted(): Assertion {
  return (answer) => {
    if (answer.kind === 'none') return silence(answer.message)
    const { status } = answer
    if (status === 204) return finding('success', 'HTTP 204')
    if (status > 299) return refusal(answer, 'expected 200 or 204')
    if (status !== 200) return acceptable(`HTTP ${status} where 200 or 204 is documented`)
    return readBody(answer, [200]).ok
      ? combine(contentType(answer), 'HTTP 200')
      : deviation('body', 'HTTP 200 without a resource; 204 is the status without a body', 'body')
  }
}

/** Expects 204. */
export function deleted(): Assertion {
  return (answer) => {
    if (answer.kind === 'none') return silence(answer.message)
    if (answer.status === 204) return finding('success', 'HTTP 204')
    return answer.status <= 299
      ? acceptable(`HTTP ${answer.status} where 204 is documented`)
      : refusal(answer, 'expected 204')
  }
}

/** Expects 404 with a SCIM error. */
export function notFound(): Assertion {
  return (answer) => refusedWith(answer, [404], 'deviation')
}

/** Expects 409 with a SCIM error, because the name is taken. */
export function conflict(): Assertion {
  return (answer) => refusedWith(answer, [409], 'error')
}

/** Expects 401 for a token that was not issued. 403 is tolerated. */
export function unauthorized(): Assertion {
  return (answer) => {
    if (answer.kind === 'answer' && answer.status === 403)
      return acceptable('HTTP 403 where 401 is documented')
    if (answer.kind === 'answer' && answer.status === 401) return finding('success', 'HTTP 401')
    if (answer.kind === 'answer' && answer.status < 300)
      return bad('consent', `the request is accepted: HTTP ${answer.status}; expected 401`)
    return refusedWith(answer, [401], 'deviation')
  }
}

function refusedWith(
  answer: WireResponse,
  statuses: readonly number[],
  otherwise: 'error' | 'deviation',
): Finding {
  if (answer.kind === 'none') return silence(answer.message)
  if (!statuses.includes(answer.status)) {
    const found = refusal(answer, `expected ${statuses.join(' or ')}`)
    return answer.status < 300 ? found : { ...found, grade: otherwise }
  }
  return isScimError(answer.text)
    ? finding('success', describe(answer))
    : acceptable(`HTTP ${answer.status} without a SCIM error`)
}

function shownValue(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}
