/**
 * Removes tokens, people and the endpoint's address from a recorded request and its answer. Bodies that are not JSON are
 * not kept, because nothing says what they contain. Pure.
 */
import { isObject, type JsonObject, parseJson } from '../problem.ts'
import type { Exchange } from './har.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { isDiscovery } from './scim-path.ts'

/** The Tenant URL of every cassette. */
const CASSETTE_URL = 'https://scim.example/scim/v2'

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

/** Values of the protocol by the name of their attribute. An attribute of a user may have the same name. */
const KEPT_VALUES: Readonly<Record<string, RegExp>> = {
  schemas: /^urn:[\w:.-]+$/i,
  op: /^(?:add|replace|remove)$/i,
  resourceType: /^(?:User|Group)$/,
  scimType: /^[A-Za-z]{1,30}$/,
  status: /^\d{3}$/,
  version: /^(?:W\/)?"[\w+/=-]{1,64}"$/,
}

/** Numbers that count resources. */
const KEPT_NUMBERS = new Set(['totalResults', 'startIndex', 'itemsPerPage', 'status'])

/** Parameters of RFC 7644 §3.4.2 and RFC 9865 that name attributes or count. */
const KEPT_PARAMETERS =
  /^(?:startIndex|count|attributes|excludedAttributes|sortBy|sortOrder)=(?:[\w,.:$-]|%2C|%3A|%24)*$/i

/** The endpoints of RFC 7644 §3.2. */
const ENDPOINTS = /^(?:Users|Groups|Schemas|ResourceTypes|ServiceProviderConfig|Bulk|Me|\.search)$/

/** A JSON string, as in a filter, perhaps encoded for a URL: with its first quotation mark and its escaped characters. */
const QUOTED = /(%22|")((?:%5C(?:%[0-9A-F]{2}|.)|\\.|(?!%22|").)*)\1/gis

/** What a filter compares: a JSON string, one that does not end, or a word without quotation marks. */
const COMPARED = new RegExp(
  `${QUOTED.source}|(%22|")(.*)$|((?:\\+|%20|\\s)(?:eq|ne|co|sw|ew|gt|ge|lt|le)(?:\\+|%20|\\s)+)(?!%22|"|true\\b|false\\b|null\\b)(\\S[^\\s+)]*)`,
  'gis',
)

const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** @param tenantUrl the endpoint that was recorded, without a trailing slash */
export function anonymise(exchange: Exchange, tenantUrl: string, pseudonyms: Pseudonyms): Exchange {
  const cleaner = new Cleaner(tenantUrl, pseudonyms)
  const { method } = exchange
  const isDescription = method === 'GET' && isDiscovery(exchange.url.slice(tenantUrl.length))
  const url = cleaner.url(exchange.url)
  const request = cleaner.body(exchange.requestBody)
  const response = isDescription
    ? cleaner.description(exchange.responseBody)
    : cleaner.body(exchange.responseBody)
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

  constructor(tenantUrl: string, pseudonyms: Pseudonyms) {
    this.#tenantUrl = tenantUrl
    this.#pseudonyms = pseudonyms
  }

  headers(headers: Readonly<Record<string, string>>): Record<string, string> {
    const kept = Object.entries(headers).filter(([name]) => KEPT_HEADERS.includes(name))
    return Object.fromEntries(
      kept.map(([name, value]) => [name, name === 'location' ? this.url(value) : value]),
    )
  }

  body(text: string | undefined): Body {
    return parsed(text, (value) => this.#value(value, ''))
  }

  /** The body of a discovery endpoint, which describes no person: only addresses are replaced. */
  description(text: string | undefined): Body {
    return parsed(text, (value) => this.#withoutAddresses(value))
  }

  /** A URL of the endpoint: ids in the path and values in the query are replaced. */
  url(url: string): string {
    const rest = url.startsWith(this.#tenantUrl) ? url.slice(this.#tenantUrl.length) : 'elsewhere'
    if (!/^[/?]/.test(rest)) return `${CASSETTE_URL}/elsewhere`
    const [path = '', query] = rest.split(/\?(.*)/s)
    const segments = path
      .split('/')
      .map((segment, index) => (index < 2 && ENDPOINTS.test(segment) ? segment : this.#encoded(segment)))
    const cleaned = query === undefined ? '' : `?${query.split('&').map(this.#parameter).join('&')}`
    return `${CASSETTE_URL}${segments.join('/')}${cleaned}`
  }

  readonly #parameter = (parameter: string): string => {
    if (KEPT_PARAMETERS.test(parameter)) return parameter
    const [name = '', value] = parameter.split(/=(.*)/s)
    if (value === undefined) return this.#encoded(name)
    if (name !== 'filter') return `${this.#encoded(name)}=${this.#encoded(value)}`
    return `filter=${value.replace(COMPARED, this.#compared)}`
  }

  #value(value: unknown, attribute: string): unknown {
    if (Array.isArray(value)) return value.map((element) => this.#value(element, attribute))
    if (isObject(value)) return this.#object(value)
    if (typeof value === 'number' && !KEPT_NUMBERS.has(attribute))
      return Number(this.#pseudonyms.of(String(value)))
    return typeof value === 'string' ? this.#text(value, attribute) : value
  }

  #object(value: JsonObject): JsonObject {
    const { schemas } = value
    const isError = Array.isArray(schemas) && schemas.includes(ERROR)
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) =>
        isError && name === 'detail' && typeof part === 'string'
          ? [name, this.#pseudonyms.inMessage(part)]
          : [this.#name(name), this.#value(part, name)],
      ),
    )
  }

  /** The name of an attribute: a path with a filter, in the dialect of the flag. */
  #name(name: string): string {
    const path = name.replace(QUOTED, this.#quoted)
    return /^[\w$.:-]+(?:\[.*\](?:\.\w+)?)?$/.test(name) ? path : this.#pseudonyms.of(path)
  }

  #text(text: string, attribute: string): string {
    if (text.startsWith(`${this.#tenantUrl}/`)) return this.url(text)
    if (KEPT_VALUES[attribute]?.test(text)) return text
    if (attribute === 'path') return text.replace(COMPARED, this.#compared)
    return jsonObject(text, (value) => this.#value(value, '')) ?? this.#pseudonyms.of(text)
  }

  #withoutAddresses(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((element) => this.#withoutAddresses(element))
    if (isObject(value))
      return Object.fromEntries(
        Object.entries(value).map(([name, part]) => [name, this.#withoutAddresses(part)]),
      )
    return typeof value === 'string' && /^https?:/i.test(value) ? this.#described(value) : value
  }

  /** The address of a schema or a resource type has nothing to hide but its host. */
  #described(url: string): string {
    const path = /\/(?:Schemas|ResourceTypes|ServiceProviderConfig)(?:\/[\w:.-]*)?$/.exec(url)?.[0]
    return `${CASSETTE_URL}${path ?? '/elsewhere'}`
  }

  readonly #compared = (match: string, ...groups: (string | undefined)[]): string => {
    const [quote, value = '', open, rest = '', operator, word = ''] = groups
    if (quote !== undefined) return this.#quoted(match, quote, value)
    if (open !== undefined) return open + this.#encoded(rest)
    return `${operator}${this.#encoded(word)}`
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

interface Body {
  readonly text?: string
  readonly comment?: string
}

function parsed(text: string | undefined, clean: (value: unknown) => unknown): Body {
  if (text === undefined || text === '') return {}
  try {
    return { text: JSON.stringify(clean(parseJson(text))) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { comment: `a body of ${text.length} characters that is not JSON was not kept` }
  }
}

/** Entra sends an app role as JSON in a string. @returns undefined if the text is not such a value */
function jsonObject(text: string, clean: (value: unknown) => unknown): string | undefined {
  if (!/^\s*\{.*\}\s*$/s.test(text)) return undefined
  try {
    return JSON.stringify(clean(parseJson(text)))
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
