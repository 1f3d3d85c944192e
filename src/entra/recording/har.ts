/**
 * A cassette: recorded requests with their answers, as an HTTP Archive (HAR 1.2), which browsers and proxies write too.
 * Pure.
 *
 * HAR 1.2: http://www.softwareishard.com/blog/har-12-spec/ (Jan Odvarko), https://github.com/ahmadnassri/har-spec,
 * versions/1.2.md
 */
import { describeType, isObject, type JsonObject, Problems } from '../problem.ts'

/** One request and its answer. Names of headers are in lower case. */
export interface Exchange {
  /** ISO 8601 */
  readonly startedAt: string
  readonly durationMs: number
  readonly method: string
  readonly url: string
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly requestBody?: string
  /** 0 if there was no answer, or only a part of one. */
  readonly status: number
  readonly responseHeaders: Readonly<Record<string, string>>
  /** Absent if it was empty or not kept. */
  readonly responseBody?: string
  /** Why something is missing. */
  readonly comment?: string
}

/** The document of a HAR file, with the parts that are used here. */
export interface Har {
  readonly log: {
    readonly version: string
    readonly creator: Creator
    readonly entries: readonly JsonObject[]
  }
}

interface Creator {
  readonly name: string
  readonly version: string
}

/** @returns the document of a HAR file. The sizes of headers are -1, unknown. The whole time counts as waiting. */
export function toHar(exchanges: readonly Exchange[], creator: Creator): Har {
  return { log: { version: '1.2', creator, entries: exchanges.map(toEntry) } }
}

function toEntry(exchange: Exchange): JsonObject {
  const { startedAt, durationMs, method, url, requestHeaders, requestBody, comment } = exchange
  return {
    startedDateTime: startedAt,
    time: durationMs,
    request: {
      method,
      url,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: toList(requestHeaders),
      queryString: [...new URL(url).searchParams].map(([name, value]) => ({ name, value })),
      ...(requestBody === undefined
        ? {}
        : { postData: { mimeType: requestHeaders['content-type'] ?? '', text: requestBody } }),
      headersSize: -1,
      bodySize: byteLength(requestBody),
    },
    response: toResponse(exchange),
    cache: {},
    timings: { send: 0, wait: durationMs, receive: 0 },
    ...(comment === undefined ? {} : { comment }),
  }
}

function toResponse({ status, responseHeaders, responseBody }: Exchange): JsonObject {
  return {
    status,
    statusText: '',
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: toList(responseHeaders),
    content: {
      size: byteLength(responseBody),
      mimeType: responseHeaders['content-type'] ?? '',
      ...(responseBody === undefined ? {} : { text: responseBody }),
    },
    redirectURL: responseHeaders.location ?? '',
    headersSize: -1,
    bodySize: byteLength(responseBody),
  }
}

function toList(headers: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(headers).map(([name, value]) => ({ name, value }))
}

function byteLength(text = ''): number {
  return new TextEncoder().encode(text).length
}

/** Reads a HAR file of any program. Only the fields that a replay needs are required. */
export function parseHar(value: unknown): { exchanges: Exchange[]; problems: Problems } {
  const problems = new Problems()
  const log = isObject(value) ? value.log : undefined
  const entries = isObject(log) ? log.entries : undefined
  if (!isObject(log))
    problems.add(['log'], `must be an object, found ${describeType(log)}: this is not a HAR file`)
  else if (!Array.isArray(entries))
    problems.add(['log', 'entries'], `must be a list, found ${describeType(entries)}`)
  const list = Array.isArray(entries) ? entries : []
  const exchanges = list.flatMap((entry, index) => fromEntry(entry, index, problems) ?? [])
  return { exchanges, problems }
}

function fromEntry(entry: unknown, index: number, problems: Problems): Exchange | undefined {
  const path = ['log', 'entries', index]
  const { request, response } = isObject(entry) ? entry : {}
  if (!isObject(request) || !isObject(response)) {
    problems.add(path, 'must have the objects "request" and "response"')
    return undefined
  }
  const { method, url } = request
  const { status } = response
  if (typeof method !== 'string')
    problems.add([...path, 'request', 'method'], `must be a string, found ${describeType(method)}`)
  if (typeof url !== 'string' || !URL.canParse(url))
    problems.add([...path, 'request', 'url'], `must be an absolute URL, found ${describeType(url)}`)
  if (typeof status !== 'number')
    problems.add([...path, 'response', 'status'], `must be a number, found ${describeType(status)}`)
  if (!problems.hasNone(path)) return undefined
  const requestBody = textOf(request.postData)
  const responseBody = textOf(response.content)
  const { startedDateTime, time } = entry as JsonObject
  return {
    startedAt: typeof startedDateTime === 'string' ? startedDateTime : '',
    durationMs: typeof time === 'number' ? time : 0,
    method: String(method),
    url: String(url),
    requestHeaders: fromList(request.headers),
    ...(requestBody === undefined ? {} : { requestBody }),
    status: Number(status),
    responseHeaders: fromList(response.headers),
    ...(responseBody === undefined ? {} : { responseBody }),
  }
}

function fromList(headers: unknown): Record<string, string> {
  const list = Array.isArray(headers) ? headers.filter(isObject) : []
  return Object.fromEntries(list.map(({ name, value }) => [String(name).toLowerCase(), String(value)]))
}

/** The text of a body. Browsers write bodies that they do not take for text in base64. */
function textOf(body: unknown): string | undefined {
  if (!isObject(body) || typeof body.text !== 'string' || body.text === '') return undefined
  if (body.encoding !== 'base64') return body.text
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(body.text), (character) => character.charCodeAt(0)))
  } catch {
    // A body that cannot be read counts as one that is not JSON.
    return body.text
  }
}
