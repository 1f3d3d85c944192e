/**
 * The Tenant URL as the administrator enters it. Flags in its query select the dialect and are not sent; other query
 * parameters are sent with every request. Pure.
 */
import type { Dialect } from './requests.ts'

export interface TenantUrl {
  /** Scheme, host and path without a trailing slash. */
  readonly base: string
  /** The administrator's query parameters, added to every request. */
  readonly query: string
  /** The dialect that a flag in the URL selects; undefined without a flag. */
  readonly dialect?: Dialect
}

const FLAGS: Readonly<Record<string, Dialect>> = { aadoptscim062020: 'flag', azureadscimpatch2017: 'old' }

/** @throws {Error} if the text is not an absolute http or https URL */
export function parseTenantUrl(text: string): TenantUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Error(`Tenant URL must be an absolute http or https URL, got "${text}"`)
  const dialects = [...url.searchParams.keys()].flatMap((name) => FLAGS[name.toLowerCase()] ?? [])
  const kept = new URLSearchParams([...url.searchParams].filter(([name]) => !(name.toLowerCase() in FLAGS)))
  const [dialect] = dialects
  return {
    base: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    query: kept.toString(),
    ...(dialect === undefined ? {} : { dialect }),
  }
}

/** The URL of a request path below the Tenant URL. */
export function requestUrl(tenant: TenantUrl, path: string): string {
  if (tenant.query === '') return tenant.base + path
  return `${tenant.base}${path}${path.includes('?') ? '&' : '?'}${tenant.query}`
}
