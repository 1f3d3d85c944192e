/**
 * Judges of the verdict: what an answer is worth to Entra. Success is what the documentation shows, acceptable is what
 * the service takes as well, a deviation causes wrong data or needless requests, an error stops provisioning. Pure.
 */

import { isObject, type JsonObject } from '../problem.ts'
import type { WireAnswer } from '../protocol/answer.ts'
import { readTargetPath } from '../protocol/attribute-path.ts'

export type Grade = 'success' | 'acceptable' | 'deviation' | 'error' | 'skipped'

export interface Judgement {
  readonly grade: Grade
  readonly message: string
  /** The resource that a create or a query gave, for ids. */
  readonly resource?: JsonObject
}

export type Judge = (answer: WireAnswer) => Judgement

/** Expected values by target path. */
export type Expected = Readonly<Record<string, unknown>>

const LIST_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
const ORDER: readonly Grade[] = ['skipped', 'success', 'acceptable', 'deviation', 'error']

export function worst(grades: readonly Grade[]): Grade {
  return grades.reduce((a, b) => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a), 'success')
}

function judge(grade: Grade, message: string, resource?: JsonObject): Judgement {
  return { grade, message, ...(resource === undefined ? {} : { resource }) }
}

/** The findings together: the worst grade, all messages. */
function combine(findings: readonly Judgement[], whenFine: string, resource?: JsonObject): Judgement {
  const bad = findings.filter(({ grade }) => grade !== 'success')
  if (bad.length === 0) return judge('success', whenFine, resource)
  return judge(worst(bad.map(({ grade }) => grade)), bad.map(({ message }) => message).join('; '), resource)
}

/** 200 with a ListResponse of exactly `count` resources; for one resource its values too. */
export function listOf(count: number, expected: Expected = {}, absent: readonly string[] = []): Judge {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.judgement
    const { Resources, totalResults, schemas } = body.json
    const resources = Array.isArray(Resources) ? Resources.filter(isObject) : []
    const found = Array.isArray(Resources) ? resources.length : Number(totalResults)
    if (found !== count) return judge('error', `found ${found} objects, expected ${count}`)
    const [resource] = resources
    const findings = [
      contentType(answer),
      Array.isArray(Resources) ? fine() : judge('acceptable', '"Resources" is missing'),
      totalResults === count
        ? fine()
        : judge('deviation', `"totalResults" is ${String(totalResults)}, expected ${count}`),
      Array.isArray(schemas) && schemas.includes(LIST_RESPONSE)
        ? fine()
        : judge('deviation', 'the ListResponse URN is not in "schemas"'),
      ...(resource === undefined ? [] : compare(resource, expected, absent)),
    ]
    return combine(findings, `${count} found`, resource)
  }
}

/** 200 with a ListResponse, whatever it holds. */
export function anyList(): Judge {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.judgement
    const ok = Array.isArray(body.json.Resources)
    return ok
      ? combine([contentType(answer)], 'a ListResponse')
      : judge('error', 'not a ListResponse: "Resources" is missing')
  }
}

/** A page of a list, with the total that other pages have. */
export function page(startIndex: number): Judge {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.judgement
    const { Resources, totalResults, startIndex: shown } = body.json
    if (!Array.isArray(Resources) || typeof totalResults !== 'number')
      return judge('error', 'a page needs "Resources" and "totalResults"')
    const index =
      shown === startIndex
        ? fine()
        : judge('deviation', `"startIndex" is ${String(shown)}, expected ${startIndex}`)
    return combine([contentType(answer), index], `${Resources.length} of ${totalResults}`)
  }
}

/** 201 (200 is taken) with an id and what was sent. */
export function created(expected: Expected): Judge {
  return (answer) => {
    const body = readBody(answer, [200, 201])
    if (!body.ok) return body.judgement
    if (typeof body.json.id !== 'string' || body.json.id === '')
      return judge('error', 'the created resource has no "id"')
    const status = body.status === 201 ? fine() : judge('acceptable', 'HTTP 200 where 201 is documented')
    return combine([contentType(answer), status, ...compare(body.json, expected, [])], 'created', body.json)
  }
}

/** 200 with the values expected. */
export function shows(expected: Expected, absent: readonly string[] = []): Judge {
  return (answer) => {
    const body = readBody(answer, [200])
    if (!body.ok) return body.judgement
    return combine([contentType(answer), ...compare(body.json, expected, absent)], 'as expected', body.json)
  }
}

/** 200 or 204. */
export function accepted(): Judge {
  return (answer) => {
    if (answer.kind === 'none') return judge('error', answer.message)
    if (answer.status === 200 || answer.status === 204) return judge('success', `HTTP ${answer.status}`)
    if (answer.status >= 200 && answer.status <= 299)
      return judge('acceptable', `HTTP ${answer.status} where 200 or 204 is documented`)
    return judge('error', describe(answer))
  }
}

/** 204. */
export function deleted(): Judge {
  return (answer) => {
    if (answer.kind === 'none') return judge('error', answer.message)
    if (answer.status === 204) return judge('success', 'HTTP 204')
    const taken = answer.status >= 200 && answer.status <= 299
    return judge(
      taken ? 'acceptable' : 'error',
      taken ? `HTTP ${answer.status} where 204 is documented` : describe(answer),
    )
  }
}

/** 404 as a SCIM error. */
export function gone(): Judge {
  return (answer) => {
    if (answer.kind === 'none') return judge('error', answer.message)
    if (answer.status !== 404)
      return judge(answer.status < 300 ? 'error' : 'deviation', `${describe(answer)}, expected 404`)
    return isScimError(answer.text)
      ? judge('success', 'HTTP 404')
      : judge('acceptable', 'HTTP 404 without a SCIM error')
  }
}

/** 409 as a SCIM error: a second object with the same name. */
export function conflict(): Judge {
  return (answer) => {
    if (answer.kind === 'none') return judge('error', answer.message)
    if (answer.status !== 409) return judge('error', `${describe(answer)}, expected 409`)
    return isScimError(answer.text)
      ? judge('success', 'HTTP 409')
      : judge('acceptable', 'HTTP 409 without a SCIM error')
  }
}

function fine(): Judgement {
  return { grade: 'success', message: '' }
}

type Body =
  | { readonly ok: true; readonly json: JsonObject; readonly status: number }
  | { readonly ok: false; readonly judgement: Judgement }

function readBody(answer: WireAnswer, statuses: readonly number[]): Body {
  if (answer.kind === 'none') return { ok: false, judgement: judge('error', answer.message) }
  if (!statuses.includes(answer.status))
    return { ok: false, judgement: judge('error', `${describe(answer)}, expected ${statuses.join(' or ')}`) }
  try {
    const json: unknown = JSON.parse(answer.text)
    if (isObject(json)) return { ok: true, json, status: answer.status }
    return { ok: false, judgement: judge('error', 'the body is not a JSON object') }
  } catch {
    return { ok: false, judgement: judge('error', 'the body is not JSON') }
  }
}

function describe(answer: WireAnswer): string {
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

function contentType(answer: WireAnswer): Judgement {
  if (answer.kind === 'none' || /^application\/scim\+json/i.test(answer.contentType)) return fine()
  return judge('acceptable', `content type "${answer.contentType}" where application/scim+json is documented`)
}

function compare(resource: JsonObject, expected: Expected, absent: readonly string[]): Judgement[] {
  const differing = Object.entries(expected).flatMap(([path, value]) => {
    const shown = readTargetPath(resource, path)
    if (isDeepEqual(shown, value)) return []
    return [
      judge(
        'deviation',
        `${path} is ${JSON.stringify(shown) ?? 'not shown'}, expected ${JSON.stringify(value)}`,
      ),
    ]
  })
  const shownAnyway = absent.filter((path) => readTargetPath(resource, path) !== undefined)
  return [...differing, ...shownAnyway.map((path) => judge('deviation', `${path} is shown and was excluded`))]
}

/** Lists of members compare by their values, in any order. */
function isDeepEqual(shown: unknown, value: unknown): boolean {
  if (!Array.isArray(value)) return shown === value
  const idsOf = (list: readonly unknown[]) =>
    list.map((entry) => (isObject(entry) ? entry.value : entry)).toSorted()
  const list = shown === undefined ? [] : shown
  return Array.isArray(list) && JSON.stringify(idsOf(list)) === JSON.stringify(idsOf(value))
}
