/**
 * HTTP Archive 1.2: every exchange as an entry, every step as a page. The token is not in it. Pure.
 *
 * http://www.softwareishard.com/blog/har-12-spec/
 */
import type { WireResponse } from '../protocol/response.ts'
import { visibleLines } from '../visible-text.ts'
import { excerpt } from './escape.ts'
import { type Report, type ReportExchange, stepsOf } from './report.ts'

const MAX_BODY_LENGTH = 1_000_000
/** The format requires a version; the client does not report it. */
const HTTP_VERSION = 'HTTP/1.1'
/** "-1 if the info is not available" */
const UNKNOWN = -1

export function harReport(report: Report): string {
  const steps = stepsOf(report).filter(({ exchanges }) => exchanges.length > 0)
  const pages = steps.map(({ name, exchanges }, index) => ({
    startedDateTime: dateTime(exchanges[0]?.startedAt ?? report.startedAt),
    id: `step_${index + 1}`,
    title: name,
    pageTimings: {},
  }))
  const entries = steps.flatMap(({ exchanges }, index) =>
    exchanges.map((exchange) => ({ pageref: `step_${index + 1}`, ...entryOf(exchange) })),
  )
  const creator = { name: 'scim-worker', version: report.version }
  return `${visibleLines(JSON.stringify({ log: { version: '1.2', creator, pages, entries } }, null, 1))}\n`
}

function entryOf(exchange: ReportExchange) {
  const { answer, startedAt, durationMs } = exchange
  return {
    startedDateTime: dateTime(startedAt),
    time: durationMs,
    request: requestOf(exchange),
    response: responseOf(answer),
    cache: {},
    timings: { send: 0, wait: durationMs, receive: 0 },
    ...(answer.kind === 'none' ? { comment: answer.message } : {}),
  }
}

function requestOf({ request, url }: ReportExchange) {
  const { method, body } = request
  const text = body === undefined ? undefined : JSON.stringify(body)
  const isToken = !request.path.startsWith('/')
  const mimeType = isToken ? 'application/x-www-form-urlencoded' : 'application/scim+json'
  const authorization = isToken ? [] : [{ name: 'Authorization', value: 'Bearer ***' }]
  return {
    ...{ method, url, httpVersion: HTTP_VERSION, cookies: [] },
    headers: [...authorization, ...(text === undefined ? [] : [{ name: 'Content-Type', value: mimeType }])],
    queryString: [...new URL(url).searchParams].map(([name, value]) => ({ name, value })),
    ...(text === undefined ? {} : { postData: { mimeType, text: isToken ? formText(body) : text } }),
    ...{ headersSize: UNKNOWN, bodySize: text === undefined ? 0 : UNKNOWN },
  }
}

/** The form of a token request is kept as an object. */
function formText(form: Readonly<Record<string, unknown>> = {}): string {
  const texts = Object.entries(form).map(([name, value]) => [name, String(value)] as [string, string])
  return new URLSearchParams(texts).toString()
}

function responseOf(answer: WireResponse) {
  const shared = { httpVersion: HTTP_VERSION, cookies: [], redirectURL: '', headersSize: UNKNOWN }
  if (answer.kind === 'none') {
    const content = { size: 0, mimeType: 'x-unknown' }
    return { status: 0, statusText: '', headers: [], content, bodySize: UNKNOWN, ...shared }
  }
  const { status, contentType, text } = answer
  const size = new TextEncoder().encode(text).length
  return {
    ...{ status, statusText: '', ...shared },
    headers: contentType === '' ? [] : [{ name: 'Content-Type', value: contentType }],
    content: { size, mimeType: contentType, text: excerpt(text, MAX_BODY_LENGTH) },
    bodySize: size,
  }
}

function dateTime(instant: number): string {
  return new Date(instant).toISOString()
}
