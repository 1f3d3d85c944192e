/** Reads the bodies of responses for the assertions of `check`, and names what is wrong with them. Pure. */
import { isObject, type JsonObject, parseJson } from '../problem.ts'
import type { WireResponse } from '../protocol/response.ts'
import { acceptable, bad, deviation, type Finding, pass } from './findings.ts'

export type Body =
  | { readonly ok: true; readonly json: JsonObject; readonly status: number }
  | { readonly ok: false; readonly finding: Finding }

/** The JSON object of a response with one of the given statuses. */
export function readBody(answer: WireResponse, statuses: readonly number[]): Body {
  if (answer.kind === 'none') return { ok: false, finding: silence(answer.message) }
  if (!statuses.includes(answer.status))
    return { ok: false, finding: refusal(answer, `expected ${statuses.join(' or ')}`) }
  const json = parseObject(answer.text)
  if (json !== undefined) return { ok: true, json, status: answer.status }
  return { ok: false, finding: bad('body', `the body is ${describeBody(answer)}`, 'body') }
}

export function silence(message: string): Finding {
  return bad('silence', message, message)
}

type Received = Extract<WireResponse, { kind: 'answer' }>

/** A finding about the status of a response: a failure, or a success where none is expected. */
export function refusal(answer: Received, expected: string): Finding {
  const { status } = answer
  const said = describe(answer)
  return bad(status < 300 ? 'consent' : 'refusal', `${said}; ${expected}`, withoutValues(said))
}

/** The message without quoted values, numbers and ids, which differ where the reason is the same. */
function withoutValues(message: string): string {
  const [status = ''] = message.split(':', 1)
  const words = message.slice(status.length, MAX_COMPARED).split(/"[^"]*"|'[^']*'|[\w-]*\d[\w-]*/)
  return status + words.join(' ')
}

const MAX_COMPARED = 500

/** The status with the message of a SCIM error. */
export function describe(answer: Received): string {
  const { status, text } = answer
  if (status >= 300 && status <= 399) return `HTTP ${status}: redirects are not followed`
  const detail = isScimError(text) ? parseObject(text)?.detail : undefined
  return `HTTP ${status}${typeof detail === 'string' && detail !== '' ? `: ${detail}` : ''}`
}

const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** RFC 7644 §3.12. */
export function isScimError(text: string): boolean {
  const { schemas } = parseObject(text) ?? {}
  return Array.isArray(schemas) && schemas.includes(ERROR)
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function describeBody({ text, contentType }: Received): string {
  if (text.trim() === '') return 'empty'
  if (/html/i.test(contentType) || /^\s*<(!doctype|html)/i.test(text)) return 'an HTML page, not JSON'
  const charset = charsetOf(contentType)
  if (charset !== undefined && charset !== 'utf-8') return `in the charset "${charset}", not JSON in UTF-8`
  try {
    JSON.parse(text)
  } catch {
    return 'not complete JSON'
  }
  return text.trimStart().startsWith('{') ? 'nested more deeply than any resource' : 'JSON, but not an object'
}

function charsetOf(contentType: string): string | undefined {
  return /;\s*charset="?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase()
}

/** The content type and the encoding of a response with a body: RFC 7644 §3.1 and §3.8. */
export function contentType(answer: WireResponse): readonly Finding[] {
  if (answer.kind === 'none') return []
  const { contentType: type, text } = answer
  const charset = charsetOf(type)
  return [
    /^application\/scim\+json/i.test(type)
      ? pass()
      : acceptable(`the content type is "${type}", documented is application/scim+json`),
    charset === undefined || charset === 'utf-8'
      ? pass()
      : deviation('form', `the charset is "${charset}", SCIM requires UTF-8`, 'charset'),
    text.startsWith('\uFEFF') ? acceptable('the body begins with a byte order mark') : pass(),
  ]
}
