/**
 * Removes tokens, people and the endpoint's address from a recorded request and its answer. Bodies that are not JSON are
 * not kept, because nothing says what they contain. Pure.
 */
import { isObject } from '../problem.ts'
import type { Exchange } from './har.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { isDiscovery } from './scim-path.ts'

/** The Tenant URL of every cassette. */
export const CASSETTE_URL = 'https://scim.example/scim/v2'

/** Other headers may carry a token, or the address of somebody. */
const KEPT_HEADERS = [
  'accept',
  'content-type',
  'etag',
  'if-match',
  'if-none-match',
  'location',
  'retry-after',
  'user-agent',
]

/** Values of the protocol by the name of their attribute. The values of "path" have names in them: see `inPath`. */
const KEPT_ATTRIBUTES = new Set(['schemas', 'op', 'resourceType', 'scimType', 'status', 'version'])
/** A JSON string, as in a filter, perhaps encoded for a URL: with its first quotation mark and its escaped characters. */
const QUOTED = /(%22|")((?:%5C(?:%[0-9A-F]{2}|.)|\\.|(?!%22|").)*)\1/gis

/** Sentences, in which only known words are replaced. */
const MESSAGES = new Set(['detail'])

/** @param tenantUrl the endpoint that was recorded, without a trailing slash */
export function anonymise(exchange: Exchange, tenantUrl: string, pseudonyms: Pseudonyms): Exchange {
  const cleaner = new Cleaner(tenantUrl, pseudonyms, isDiscovery(exchange.url.slice(tenantUrl.length)))
  const url = cleaner.url(exchange.url)
  const request = cleaner.body(exchange.requestBody)
  const response = cleaner.body(exchange.responseBody)
  const comments = [exchange.comment, request.comment, response.comment].filter((text) => text !== undefined)
  const { requestBody: _request, responseBody: _response, comment: _comment, ...rest } = exchange
  return {
    ...rest,
    url,
    requestHeaders: cleaner.headers(exchange.requestHeaders),
    responseHeaders: cleaner.headers(exchange.responseHeaders),
    ...(request.text === undefined ? {} : { requestBody: request.text }),
    ...(response.text === undefined ? {} : { responseBody: response.text }),
    ...(comments.length === 0 ? {} : { comment: comments.join('; ') }),
  }
}

class Cleaner {
  readonly #tenantUrl: string
  readonly #pseudonyms: Pseudonyms
  readonly #discovery: boolean

  constructor(tenantUrl: string, pseudonyms: Pseudonyms, discovery: boolean) {
    this.#tenantUrl = tenantUrl
    this.#pseudonyms = pseudonyms
    this.#discovery = discovery
  }

  headers(headers: Readonly<Record<string, string>>): Record<string, string> {
    const kept = Object.entries(headers).filter(([name]) => KEPT_HEADERS.includes(name))
    return Object.fromEntries(
      kept.map(([name, value]) => [name, name === 'location' ? this.url(value) : value]),
    )
  }

  body(text: string | undefined): { text?: string; comment?: string } {
    if (text === undefined || text === '') return {}
    try {
      return { text: JSON.stringify(this.#value(JSON.parse(text), '')) }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      return { comment: `a body of ${text.length} characters that is not JSON was not kept` }
    }
  }

  /** A URL of the endpoint: ids in the path and quoted values in the query are replaced. */
  url(url: string): string {
    if (!url.startsWith(this.#tenantUrl)) return `${CASSETTE_URL}/elsewhere`
    const [path = '', query] = url.slice(this.#tenantUrl.length).split(/\?(.*)/s)
    const segments = path.split('/').map((segment, index) => (index < 2 ? segment : this.#encoded(segment)))
    const cleaned = query === undefined ? '' : `?${query.replace(QUOTED, this.#quoted)}`
    return `${CASSETTE_URL}${segments.join('/')}${cleaned}`
  }

  #value(value: unknown, attribute: string): unknown {
    if (Array.isArray(value)) return value.map((element) => this.#value(element, attribute))
    if (isObject(value))
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.#value(part, name)]))
    return typeof value === 'string' ? this.#text(value, attribute) : value
  }

  #text(text: string, attribute: string): string {
    if (text.startsWith(`${this.#tenantUrl}/`)) return this.url(text)
    if (this.#discovery || KEPT_ATTRIBUTES.has(attribute)) return text
    if (MESSAGES.has(attribute)) return this.#pseudonyms.inMessage(text)
    if (attribute === 'path') return text.replace(QUOTED, this.#quoted)
    return jsonObject(text, (value) => this.#value(value, '')) ?? this.#pseudonyms.of(text)
  }

  readonly #quoted = (_match: string, quote: string, value: string): string =>
    `${quote}${quote === '"' ? this.#pseudonyms.of(value) : this.#encoded(value)}${quote}`

  #encoded(text: string): string {
    const decoded = decode(text)
    const cleaned = this.#pseudonyms.of(decoded)
    if (cleaned === decoded) return text
    const encoded = encodeURIComponent(cleaned)
    // Clients encode a space as "+" or as "%20"; the recording keeps the form.
    return text.includes('+') ? encoded.replaceAll('%20', '+') : encoded
  }
}

/** Entra sends an app role as JSON in a string. @returns undefined if the text is not such a value */
function jsonObject(text: string, clean: (value: object) => unknown): string | undefined {
  if (!/^\s*\{.*\}\s*$/s.test(text)) return undefined
  try {
    return JSON.stringify(clean(JSON.parse(text)))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return text
  }
}
