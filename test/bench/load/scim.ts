/** Builds SCIM requests for the client. */
import { type Exchange, httpRequest } from './client.ts'

export interface Request {
  readonly method: string
  /** Relative to the Tenant URL, including the query. */
  readonly path: string
  readonly body?: object
}

/** Creates an exchange: the request with a token, the expected status and the expected texts. */
export type ScimExchange = (
  request: Request,
  status: Exchange['status'],
  ...holds: readonly string[]
) => Exchange

export function scimExchange(token: string): ScimExchange {
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/scim+json; charset=utf-8',
  }
  return ({ method, path, body }, status, ...holds) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    return { request: httpRequest(method, `/scim/v2${path}`, headers, text), status, holds }
  }
}
