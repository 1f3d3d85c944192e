/** SCIM requests as the client sends them. */
import { type Exchange, httpRequest } from './client.ts'

export interface Request {
  readonly method: string
  /** Relative to the Tenant URL, query included. */
  readonly path: string
  readonly body?: object
}

/** Makes an exchange: the request with a token, the status, and what the answer must hold. */
export type ScimExchange = (request: Request, status: number, ...holds: readonly string[]) => Exchange

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
