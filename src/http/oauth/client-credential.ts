/**
 * The credential of a client in a request to the token endpoint: a secret in the Authorization header or in the body (RFC
 * 6749 §2.3.1), or an assertion (RFC 7521 §4.2), never two of them. Nothing is proven here.
 */
import { invalidClient, invalidRequest } from './errors.ts'
import { decoded, type TokenForm } from './form.ts'

export interface ClientCredential {
  readonly clientId: string
  readonly kind: 'secret' | 'assertion'
  readonly text: string
}

/** The only type of assertions (RFC 7523 §2.2). */
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** `<tenantId>_<random>`: see newClientId. An import may bring random parts of another length. */
const CLIENT_ID = /^([a-z][a-z0-9-]{0,39})_[\w-]{1,64}$/

/** The tenant that the id of a client names. @returns undefined if the text does not have the form of an id */
export function tenantOfClient(clientId: string | undefined): string | undefined {
  return CLIENT_ID.exec(clientId ?? '')?.[1]
}

/**
 * @param authorization the header
 * @throws {OauthError} 400 for two credentials or half of one, 401 for none
 */
export function clientCredential(authorization: string | undefined, form: TokenForm): ClientCredential {
  if (authorization === undefined) return inBody(form)
  if (form.client_secret !== undefined || form.client_assertion !== undefined) {
    throw invalidRequest(
      'the client must authenticate in the Authorization header or in the body, not in both',
    )
  }
  const credential = inHeader(authorization)
  if (form.client_id !== undefined && form.client_id !== credential.clientId) {
    throw invalidRequest('client_id must be that of the Authorization header')
  }
  return credential
}

function inBody(form: TokenForm): ClientCredential {
  const { client_id: clientId, client_secret: secret, client_assertion: assertion } = form
  const { client_assertion_type: type } = form
  if (secret !== undefined && assertion !== undefined) {
    throw invalidRequest('the client must authenticate with a secret or with an assertion, not with both')
  }
  if (assertion !== undefined && type === undefined) throw invalidRequest('client_assertion_type is missing')
  if (assertion === undefined && type !== undefined) throw invalidRequest('client_assertion is missing')
  const text = assertion ?? secret
  if (clientId === undefined && text === undefined) throw invalidClient('no credential')
  // RFC 7521 §4.2 does not require it with an assertion, but nothing is read from an unproven one.
  if (clientId === undefined) throw invalidRequest('client_id is missing')
  if (text === undefined) throw invalidClient('no credential')
  if (assertion !== undefined && type !== JWT_BEARER) throw invalidClient('unsupported method')
  return { clientId, kind: assertion === undefined ? 'secret' : 'assertion', text }
}

/** RFC 7617, with both halves encoded as in a form (RFC 6749 §2.3.1). */
function inHeader(authorization: string): ClientCredential {
  const [, base64 = ''] = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization) ?? []
  const text = fromBase64(base64)
  const colon = text.indexOf(':')
  const clientId = decoded(text.slice(0, Math.max(0, colon)))
  const secret = decoded(text.slice(colon + 1))
  if (!clientId || !secret) throw invalidClient('no credential')
  return { clientId, kind: 'secret', text: secret }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Empty for invalid text. */
function fromBase64(text: string): string {
  try {
    return decoder.decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
  } catch {
    return ''
  }
}
