/** A request and its response as lines of text. Pure. */
import { isObject, parseJson } from '../problem.ts'
import type { WireResponse } from '../protocol/response.ts'
import { excerpt } from './escape.ts'
import type { ReportExchange } from './report.ts'

export interface ExchangeText {
  /** `PATCH /Users/42` */
  readonly request: string
  readonly requestBody: string
  /** `HTTP 200`, or the reason for no response. */
  readonly response: string
  readonly responseBody: string
}

/** JSON bodies are indented. Bodies are cut at `maxLength` UTF-16 code units. */
export function exchangeText({ request, answer }: ReportExchange, maxLength: number): ExchangeText {
  const { method, path, body } = request
  return {
    request: `${method} ${path}`,
    requestBody: body === undefined ? '' : excerpt(JSON.stringify(body, null, 2), maxLength),
    response: responseLine(answer),
    responseBody: answer.kind === 'none' ? '' : excerpt(indented(answer.text), maxLength),
  }
}

/** All of an exchange in one text. */
export function exchangeLines(exchange: ReportExchange, maxLength: number): string {
  return Object.values(exchangeText(exchange, maxLength))
    .filter((part) => part !== '')
    .join('\n')
}

function responseLine(answer: WireResponse): string {
  if (answer.kind === 'none') return `no response: ${answer.message}`
  return `HTTP ${answer.status}${answer.contentType === '' ? '' : ` ${answer.contentType}`}`
}

/** Longer texts are cut anyway, so that they need not be parsed. */
const MAX_INDENTED = 100_000

function indented(text: string): string {
  if (text.length > MAX_INDENTED) return text
  try {
    const value: unknown = parseJson(text)
    return isObject(value) || Array.isArray(value) ? JSON.stringify(value, null, 2) : text
  } catch {
    return text
  }
}
